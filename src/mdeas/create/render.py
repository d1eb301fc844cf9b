"""The ray caster: packs scenes into tensors and renders background, image, exact mask and metric depth.

One code path for CPU and CUDA; plain torch. Per picture: one ray a pixel, shadow and occlusion rays with an interleaved
pattern smoothed within each surface (A. Keller, W. Heidrich, "Interleaved Sampling", 2001), and extra visibility rays
where the first ones found an edge, so that edges and mask have fractional coverage.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from mdeas.create.scene import Camera, Light, Primitive, Scene
from mdeas.create.shapes import KINDS, Shapes, blocked, dominant_axis, nearest, unit
from mdeas.create.texture import TextureBank

FAR_M = 80.0
EDGE_SHARE = 6
"""One pixel in this many gets extra rays: the ones on the strongest edges."""
SUBRAYS = ((-0.375, 0.125), (-0.125, -0.375), (0.125, 0.375), (0.375, -0.125))
PATTERN = 4
OCCLUSION_M = 0.6
COLUMNS = {"rotation": (0, 9), "centre": (9, 12), "half": (12, 15), "radius": (15, 16), "kind": (16, 17),
           "tile": (17, 18), "tile_m": (18, 19), "base": (19, 22), "contrast": (22, 23), "gloss": (23, 24),
           "emission": (24, 25), "added": (25, 26)}  # fmt: skip
WIDTH = 26


@dataclass(frozen=True, kw_only=True)
class View:
    """What one camera sees, before light."""

    depth: Tensor
    """(B, P) metres along the optical axis, inf for nothing."""
    index: Tensor
    """(B, P) row of the surface table."""
    point: Tensor
    """(B, 3, P) world."""
    normal: Tensor
    """(B, 3, P) unit, facing the camera."""
    albedo: Tensor
    """(B, 3, P) linear."""
    surface: Tensor
    """(B, WIDTH, P): the hit row of the table."""
    ray: Tensor
    """(B, 3, P) from the camera."""


@dataclass(frozen=True, kw_only=True)
class Pack:
    """A batch of scenes as tensors."""

    still: list[Shapes]
    """What both photos show."""
    added: list[Shapes]
    """What only `image` shows."""
    table: Tensor
    """(B, WIDTH, N) float32: columns named by COLUMNS."""
    cutouts: Tensor | None
    """(C, 4, A, A) float32 linear RGB and alpha."""


def _row(p: Primitive, bank_mean: np.ndarray) -> np.ndarray:
    s = p.surface
    if p.kind == "billboard":
        base, contrast = np.zeros(3), 0.0
    else:
        mean = bank_mean[s.tile]
        base, contrast = np.where(np.isnan(s.base), mean, s.base) - s.contrast * mean, s.contrast
    numbers = [
        p.radius,
        KINDS.index(p.kind),
        s.tile,
        s.tile_m,
        *base,
        contrast,
        s.gloss,
        s.emission,
        float(p.added),
    ]
    return np.concatenate([p.rotation.reshape(9), p.centre, p.half, numbers]).astype(np.float32)


_NOWHERE = Primitive(
    kind="box", centre=np.array([0, -1e4, 0]), half=np.full(3, 1e-3), rotation=np.eye(3), surface=None
)  # type: ignore[arg-type]


def _group(
    kind: str, scenes: list[list[tuple[int, Primitive]]], first: int, cutouts: Tensor | None, device
) -> Shapes:
    width = max(len(s) for s in scenes)
    rows = [[p for _, p in s] + [_NOWHERE] * (width - len(s)) for s in scenes]

    def tensor(values) -> Tensor:
        return torch.as_tensor(np.asarray(values, np.float32), device=device)

    half = tensor([[p.half for p in r] for r in rows])
    inverse = tensor([[p.rotation.T for p in r] for r in rows])
    unit = inverse if kind == "rounded" else inverse / half[..., None]
    alpha = None
    if kind == "billboard":
        chosen = [[p.surface.tile if p.surface else 0 for p in r] for r in rows]
        alpha = cutouts[torch.as_tensor(chosen, device=device), 3]
    return Shapes(
        kind=kind, to_local=unit, centre=tensor([[p.centre for p in r] for r in rows]), half=half,
        radius=tensor([[p.radius for p in r] for r in rows]), first=first, alpha=alpha,
    )  # fmt: skip


def pack(scenes: list[Scene], bank: TextureBank, cutouts: Tensor | None, device: torch.device | str) -> Pack:
    """Group the primitives of every scene by kind; fewer ones are padded with a speck far below the ground."""
    mean = bank.mean.cpu().numpy()
    empty = np.zeros((1, WIDTH), np.float32)
    tables: list[list[np.ndarray]] = [[] for _ in scenes]
    groups: dict[bool, list[Shapes]] = {False: [], True: []}
    first = 0
    for added in (False, True):
        for kind in KINDS:
            chosen = [
                [(i, p) for i, p in enumerate(s.primitives) if p.kind == kind and p.added == added]
                for s in scenes
            ]
            width = max(len(c) for c in chosen)
            if not width:
                continue
            groups[added].append(_group(kind, chosen, first, cutouts, device))
            for table, rows in zip(tables, chosen, strict=True):
                table += [_row(p, mean)[None] for _, p in rows] + [empty] * (width - len(rows))
            first += width
    table = np.stack([np.concatenate(t) for t in tables]).transpose(0, 2, 1)
    return Pack(
        still=groups[False],
        added=groups[True],
        table=torch.as_tensor(table.copy(), device=device),
        cutouts=cutouts,
    )


def _columns(surface: Tensor, name: str) -> Tensor:
    low, high = COLUMNS[name]
    return surface[:, low:high]


def camera_rays(
    cameras: list[Camera], size: int, device, offset: tuple[float, float] = (0.0, 0.0)
) -> tuple[Tensor, Tensor]:
    """Origin (B, 3, 1) and direction (B, 3, P) through pixel centres shifted by `offset` pixels."""
    axis = (torch.arange(size, device=device, dtype=torch.float32) + 0.5) * (2 / size) - 1
    v, u = torch.meshgrid(-axis - offset[1] * 2 / size, axis + offset[0] * 2 / size, indexing="ij")
    plane = torch.stack([u.flatten(), v.flatten(), torch.ones(size * size, device=device)])
    turn = torch.as_tensor(np.stack([c.rotation for c in cameras]), dtype=torch.float32, device=device)
    reach = torch.as_tensor(
        [[[c.reach], [c.reach], [1.0]] for c in cameras], dtype=torch.float32, device=device
    )
    origin = torch.as_tensor(np.stack([c.position for c in cameras]), dtype=torch.float32, device=device)
    return origin[..., None], turn @ (plane * reach)


def _rotate(surface: Tensor, vector: Tensor, *, back: bool = False) -> Tensor:
    """World -> local metric frame of the hit primitive (back: local -> world)."""
    r = _columns(surface, "rotation").unflatten(1, (3, 3))
    # Columns of the rotation are local axes: local = R^T v.
    return (r * (vector[:, None] if back else vector[:, :, None])).sum(2 if back else 1)


def local_normal(local: Tensor, half: Tensor, kind: Tensor) -> Tensor:
    """Outward normal in the local frame, not normalised; (B, 3, P) metres, (B, 3, P), (B, P) -> (B, 3, P)."""
    scaled = local / half.clamp_min(1e-6)
    axes = torch.arange(3, device=local.device)[None, :, None]
    face = torch.where(dominant_axis(scaled) == axes, scaled.sign(), 0.0)
    round_body = scaled / half.clamp_min(1e-6)
    on_cap = scaled[:, 1].abs() > 1 - 1e-3
    tube = round_body * torch.tensor([1.0, 0.0, 1.0], device=local.device)[None, :, None]
    cap = scaled.sign() * torch.tensor([0.0, 1.0, 0.0], device=local.device)[None, :, None]
    corner = local - local.clamp(-half, half)
    front = torch.zeros_like(local)
    front[:, 2] = 1.0
    by_kind = {"room": -face, "box": face, "ellipsoid": round_body,
               "cylinder": torch.where(on_cap[:, None], cap, tube), "rounded": corner, "billboard": front}  # fmt: skip
    out = by_kind["box"]
    for name in ("room", "ellipsoid", "cylinder", "rounded", "billboard"):
        out = torch.where((kind == KINDS.index(name))[:, None], by_kind[name], out)
    return out


def _texture(bank: TextureBank, surface: Tensor, local: Tensor, normal: Tensor, pixel_m: Tensor) -> Tensor:
    """Albedo (B, 3, P) by projecting the texture along the dominant local axis."""
    axis = dominant_axis(normal)
    u = torch.where(axis == 0, local[:, 2:3], local[:, 0:1])
    v = torch.where(axis == 1, local[:, 2:3], local[:, 1:2])
    tile_m = _columns(surface, "tile_m").clamp_min(1e-3)
    half = _columns(surface, "half")
    # Start at a corner, not in the middle, so that neighbours with one texture do not line up.
    uv = torch.cat([u + half[:, 0:1], v + half[:, 1:2]], 1) / tile_m
    tile = _columns(surface, "tile")[:, 0].long().clamp(0, bank.count - 1)
    sampled = bank.sample(tile, uv, pixel_m / tile_m[:, 0])
    return (_columns(surface, "base") + _columns(surface, "contrast") * sampled).clamp(0.005, 1.0)


def _paint_cutouts(pack: Pack, surface: Tensor, local: Tensor, albedo: Tensor) -> Tensor:
    """Billboards show their cut-out's own colours."""
    is_cutout = _columns(surface, "kind")[:, 0] == KINDS.index("billboard")
    if pack.cutouts is None or not bool(is_cutout.any()):
        return albedo
    uv = local[:, :2] / _columns(surface, "half")[:, :2].clamp_min(1e-6)
    side = pack.cutouts.shape[-1]
    texel = ((uv.clamp(-1, 1) * 0.5 + 0.5) * (side - 1)).round().long()
    flat = (side - 1 - texel[:, 1]) * side + texel[:, 0]
    tile = torch.where(is_cutout, _columns(surface, "tile")[:, 0], 0).long()
    colours = pack.cutouts[:, :3].flatten(2).permute(0, 2, 1)[tile, flat].permute(0, 2, 1)
    return torch.where(is_cutout[:, None], colours, albedo)


def look(
    pack: Pack, bank: TextureBank, t: Tensor, index: Tensor, origin: Tensor, direction: Tensor, pixel: Tensor
) -> View:
    """Surface properties where the rays ended; `pixel` (B, 1): width of a pixel at one metre."""
    surface = pack.table.gather(2, index[:, None].expand(-1, WIDTH, -1))
    depth = t.clamp_max(2 * OUTSIDE_M)
    point = origin + direction * depth[:, None]
    local = _rotate(surface, point - _columns(surface, "centre"))
    kind = _columns(surface, "kind")[:, 0]
    flat_normal = local_normal(local, _columns(surface, "half"), kind)
    albedo = _texture(bank, surface, local, flat_normal, depth * pixel)
    albedo = _paint_cutouts(pack, surface, local, albedo)
    normal = unit(_rotate(surface, flat_normal, back=True))
    facing = (normal * direction).sum(1, keepdim=True) > 0
    normal = torch.where(facing, -normal, normal)
    return View(
        depth=t, index=index, point=point, normal=normal, albedo=albedo, surface=surface, ray=direction
    )


OUTSIDE_M = 400.0


def _pattern(size: int, seed: int, device) -> tuple[Tensor, Tensor]:
    """Two numbers in [0, 1) per pixel, (P,) each: a 4x4 interleaved pattern of 16 well-spread points."""
    cells = PATTERN * PATTERN
    order = torch.from_numpy(np.random.default_rng(seed).permutation(cells))
    k = torch.arange(cells, dtype=torch.float32)
    golden = 0.6180339887498949
    first, second = ((k + 0.5) / cells)[order], (k * golden % 1)[order]
    tile = lambda values: values.view(PATTERN, PATTERN).repeat(size // PATTERN + 1, size // PATTERN + 1)[
        :size, :size
    ]  # noqa: E731
    return tile(first).flatten().to(device), tile(second).flatten().to(device)


def _smooth_within(values: Tensor, index: Tensor, normal: Tensor, size: int) -> Tensor:
    """Mean of (B, P) over the pattern's window, among pixels of the same face of the same primitive."""
    b = values.shape[0]
    axis = dominant_axis(normal)
    label = (index * 8 + axis[:, 0] * 2 + (normal.gather(1, axis)[:, 0] > 0)).float()
    window = PATTERN + 1
    stack = torch.stack([values, label], 1).view(b, 2, size, size)
    around = F.pad(stack, (window // 2,) * 4, mode="replicate")
    total, weight = torch.zeros_like(values), torch.zeros_like(values)
    for dy in range(window):
        for dx in range(window):
            near = around[:, :, dy : dy + size, dx : dx + size].flatten(2)
            # The window is one wider than the pattern: its rim counts half on each axis.
            share = (0.5 if dy in (0, window - 1) else 1.0) * (0.5 if dx in (0, window - 1) else 1.0)
            same = (near[:, 1] == label).float() * share
            total += near[:, 0] * same
            weight += same
    return total / weight


def _lift(view: View) -> Tensor:
    """Start of secondary rays: a little off the surface, so that it does not shadow itself."""
    return view.point + view.normal * (1e-3 + 2e-3 * view.depth.clamp_max(OUTSIDE_M))[:, None]


def shadow(groups: list[Shapes], view: View, lights: list[Light], size: int) -> Tensor:
    """Share of the light that is seen from each point, (B, P) in [0, 1]; `lights` one per scene."""
    device = view.point.device
    at = torch.as_tensor(np.stack([light.position for light in lights]), dtype=torch.float32, device=device)
    radius = torch.as_tensor([light.size_m for light in lights], dtype=torch.float32, device=device)
    a, b = _pattern(size, 1, device)
    z, angle = 2 * a - 1, 2 * np.pi * b
    flat = (1 - z * z).sqrt()
    on_lamp = torch.stack([flat * angle.cos(), z, flat * angle.sin()]) * radius[:, None, None]
    start = _lift(view)
    seen = (~blocked(groups, start, at[..., None] + on_lamp - start)).float()
    return _smooth_within(seen, view.index, view.normal, size)


def openness(groups: list[Shapes], view: View, size: int) -> Tensor:
    """Share of the near hemisphere that is free, (B, P) in [0, 1]: ambient occlusion within OCCLUSION_M."""
    a, b = _pattern(size, 2, view.point.device)
    z, angle = 2 * a - 1, 2 * np.pi * b
    flat = (1 - z * z).clamp_min(0).sqrt()
    sphere = torch.stack([flat * angle.cos(), flat * angle.sin(), z])
    # Point on a unit sphere that touches the surface: cosine-distributed directions.
    toward = (view.normal + 0.98 * sphere) * OCCLUSION_M
    free = (~blocked(groups, _lift(view), toward)).float()
    return _smooth_within(free, view.index, view.normal, size)


def _light_vectors(view: View, lights: list[Light]) -> tuple[Tensor, Tensor]:
    """Unit direction to the light (B, 3, P) and its irradiance (B, 3, P)."""
    device = view.point.device
    at = torch.as_tensor(np.stack([light.position for light in lights]), dtype=torch.float32, device=device)
    colour = torch.as_tensor(np.stack([light.colour for light in lights]), dtype=torch.float32, device=device)
    reference = torch.as_tensor([light.reference_m for light in lights], dtype=torch.float32, device=device)
    toward = at[..., None] - view.point
    distance = toward.square().sum(1, keepdim=True).sqrt()
    falloff = torch.where(
        reference[:, None, None] > 0, (reference[:, None, None] / distance).square().clamp_max(6.0), 1.0
    )
    return toward / distance, colour[..., None] * falloff


def shade(view: View, lit: list[tuple[list[Light], Tensor]], ambient: Tensor, open_share: Tensor) -> Tensor:
    """Linear colour (B, 3, P).

    Input: lit: per light slot the lights of every scene and their visibility (B, P); ambient (B, 3); open_share (B, P).
    """
    gloss, emission = _columns(view.surface, "gloss"), _columns(view.surface, "emission")
    colour = view.albedo * (ambient[..., None] * open_share[:, None] + emission)
    eye = -unit(view.ray)
    for lights, visible in lit:
        toward, strength = _light_vectors(view, lights)
        cosine = (view.normal * toward).sum(1, keepdim=True).clamp_min(0) * visible[:, None]
        halfway = unit(toward + eye)
        shine = gloss * (view.normal * halfway).sum(1, keepdim=True).clamp_min(0).pow(40) * visible[:, None]
        colour = colour + strength * (view.albedo * cosine + shine)
    return colour


def sky_colour(scenes: list[Scene], bank: TextureBank, direction: Tensor) -> Tensor:
    """(B, 3, P) linear; black where a scene has no sky."""
    device = direction.device
    two = torch.as_tensor(
        np.stack([s.sky if s.sky is not None else np.zeros((2, 3)) for s in scenes]),
        dtype=torch.float32,
        device=device,
    )
    up = unit(direction)[:, 1].clamp(0, 1)
    base = torch.lerp(two[:, 0, :, None], two[:, 1, :, None], up.sqrt()[:, None])
    overhead = direction[:, [0, 2]] / (direction[:, 1:2].abs() + 0.15) * 0.25
    tile = torch.as_tensor([[s.sky_tile] for s in scenes], device=device).expand(-1, direction.shape[2])
    clouds = bank.sample(tile, overhead, torch.full_like(up, 1 / 32)).mean(1, keepdim=True)
    return base * (0.75 + 0.5 * clouds)


def downsample_edges(colour: Tensor, label: Tensor, sub: list[Tensor], where: Tensor, size: int) -> Tensor:
    """Colour of edge pixels from what their sub-rays saw.

    A sub-ray takes the colour of the neighbouring pixel that shows the same surface (its own pixel when none does).
    Input: colour (B, 3, P); label (B, P) int; sub: per sub-ray the label seen (B, K); where (B, K) pixel indices.
    """
    b = colour.shape[0]
    grid = F.pad(
        torch.cat([colour, label[:, None].float()], 1).view(b, 4, size, size), (1, 1, 1, 1), mode="replicate"
    )
    span = size + 2
    centre = (where // size + 1) * span + where % size + 1
    flat = grid.flatten(2)
    mixed = torch.zeros(b, 3, where.shape[1], device=colour.device)
    own = colour.gather(2, where[:, None].expand(-1, 3, -1))
    steps = [dy * span + dx for dy in (0, -1, 1) for dx in (0, -1, 1)]
    near = torch.stack([flat.gather(2, (centre + s)[:, None].expand(-1, 4, -1)) for s in steps])
    for seen in sub:
        same = near[:, :, 3] == seen.float()
        first = same.float().argmax(0)
        taken = near[:, :, :3].gather(0, first[None, :, None].expand(1, -1, 3, -1))[0]
        mixed += torch.where(same.any(0)[:, None], taken, own)
    return colour.scatter(2, where[:, None].expand(-1, 3, -1), mixed / len(sub))
