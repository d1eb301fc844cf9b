"""Point, normal and albedo of the first surface along each ray of a camera, before light."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mdeas.create.scenes.render.pack import WIDTH, Pack, column
from mdeas.create.scenes.render.shapes import KINDS, billboard_texel, dominant_axis, each_mesh, rows_of, unit
from mdeas.create.scenes.scene import MESH_GREY, Camera
from mdeas.create.scenes.texture import TextureBank

OUTSIDE_M = 400.0
"""Points farther than this are treated as if they were at this depth."""


@dataclass(frozen=True, kw_only=True)
class SurfacePoints:
    """The first surface along each ray of one camera per scene, before light."""

    depth: Tensor
    """(B, P) metres along the optical axis, inf where a ray hits nothing."""
    index: Tensor
    """(B, P) int64 into the surface table."""
    point: Tensor
    """(B, 3, P) metres, world."""
    normal: Tensor
    """(B, 3, P) unit, facing the camera."""
    albedo: Tensor
    """(B, 3, P) linear RGB."""
    surface: Tensor
    """(B, WIDTH, P): the table's entry of the primitive, see pack.COLUMNS."""
    ray: Tensor
    """(B, 3, P) direction from the camera, its component along the optical axis is 1."""


def camera_rays(
    cameras: list[Camera], size: int, device: torch.device | str, offset: tuple[float, float] = (0.0, 0.0)
) -> tuple[Tensor, Tensor]:
    """Return origin (B, 3, 1) and direction (B, 3, P) of rays through pixel centres plus `offset` pixels."""
    axis = (torch.arange(size, device=device, dtype=torch.float32) + 0.5) * (2 / size) - 1
    v, u = torch.meshgrid(-axis - offset[1] * 2 / size, axis + offset[0] * 2 / size, indexing="ij")
    plane = torch.stack([u.flatten(), v.flatten(), torch.ones(size * size, device=device)])
    turn = torch.as_tensor(np.stack([c.rotation for c in cameras]), dtype=torch.float32, device=device)
    reach = torch.as_tensor(
        [[[c.reach], [c.reach], [1.0]] for c in cameras], dtype=torch.float32, device=device
    )
    origin = torch.as_tensor(np.stack([c.position for c in cameras]), dtype=torch.float32, device=device)
    return origin[..., None], turn @ (plane * reach)


def look(
    pack: Pack, bank: TextureBank, t: Tensor, index: Tensor, origin: Tensor, direction: Tensor, pixel: Tensor
) -> SurfacePoints:
    """Look up the surface where each ray ends.

    Input: t, index (B, P): as from shapes.nearest; origin, direction: as from `camera_rays`; pixel (B, 1):
        width of a pixel at a depth of one metre, in metres.
    """
    surface = pack.table.gather(2, index[:, None].expand(-1, WIDTH, -1))
    depth = t.clamp_max(2 * OUTSIDE_M)
    point = origin + direction * depth[:, None]
    local = _rotate(surface, point - column(surface, "centre"))
    kind = column(surface, "kind")[:, 0]
    flat_normal = local_normal(local, column(surface, "half"), kind)
    meshes = list(_seen_meshes(pack, index, origin, direction, depth * pixel))
    for b, where, outward, _ in meshes:
        flat_normal[b][:, where] = outward
    albedo = _texture(bank, surface, local, flat_normal, depth * pixel)
    albedo = _paint_cutouts(pack, surface, local, albedo)
    for b, where, _, colour in meshes:
        albedo[b][:, where] = (albedo[b][:, where] * (colour / MESH_GREY)).clamp(0.005, 1.0)
    normal = unit(_rotate(surface, flat_normal, back=True))
    facing = (normal * direction).sum(1, keepdim=True) > 0
    normal = torch.where(facing, -normal, normal)
    return SurfacePoints(
        depth=t, index=index, point=point, normal=normal, albedo=albedo, surface=surface, ray=direction
    )


def _rotate(surface: Tensor, vector: Tensor, *, back: bool = False) -> Tensor:
    """Rotate (B, 3, P) from the world into the frame of the hit primitive; with `back` the other way."""
    r = column(surface, "rotation").unflatten(1, (3, 3))
    # Columns of the rotation are local axes: local = R^T v.
    return (r * (vector[:, None] if back else vector[:, :, None])).sum(2 if back else 1)


def local_normal(local: Tensor, half: Tensor, kind: Tensor) -> Tensor:
    """Return the outward normal in the local frame, (B, 3, P), of any length.

    Input: local (B, 3, P): the point in metres; half (B, 3, P): half extents; kind (B, P): index into KINDS.
    """
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
    by_kind = {
        "room": -face,
        "ellipsoid": round_body,
        "cylinder": torch.where(on_cap[:, None], cap, tube),
        "rounded": corner,
        "billboard": front,
    }
    out = face  # of a box; `look` replaces it for meshes
    for name, normal in by_kind.items():
        out = torch.where((kind == KINDS.index(name))[:, None], normal, out)
    return out


def _texture(bank: TextureBank, surface: Tensor, local: Tensor, normal: Tensor, pixel_m: Tensor) -> Tensor:
    """Return the albedo, (B, 3, P): the texture is projected along the dominant axis of the local normal."""
    axis = dominant_axis(normal)
    u = torch.where(axis == 0, local[:, 2:3], local[:, 0:1])
    v = torch.where(axis == 1, local[:, 2:3], local[:, 1:2])
    tile_m = column(surface, "tile_m").clamp_min(1e-3)
    half = column(surface, "half")
    # Start at a corner, not in the middle, so that neighbours with one texture do not line up.
    uv = torch.cat([u + half[:, 0:1], v + half[:, 1:2]], 1) / tile_m
    tile = column(surface, "tile")[:, 0].long().clamp(0, bank.count - 1)
    sampled = bank.sample(tile, uv, pixel_m / tile_m[:, 0])
    return (column(surface, "base") + column(surface, "contrast") * sampled).clamp(0.005, 1.0)


def _paint_cutouts(pack: Pack, surface: Tensor, local: Tensor, albedo: Tensor) -> Tensor:
    """Replace the albedo (B, 3, P) of billboards by the colours of their cut-outs."""
    is_cutout = column(surface, "kind")[:, 0] == KINDS.index("billboard")
    if pack.cutouts is None or not bool(is_cutout.any()):
        return albedo
    uv = local[:, :2] / column(surface, "half")[:, :2].clamp_min(1e-6)
    flat = billboard_texel(uv, pack.cutouts.shape[-1])
    tile = torch.where(is_cutout, column(surface, "tile")[:, 0], 0).long()
    colours = pack.cutouts[:, :3].flatten(2).permute(0, 2, 1)[tile, flat].permute(0, 2, 1)
    return torch.where(is_cutout[:, None], colours, albedo)


def _seen_meshes(
    pack: Pack, index: Tensor, origin: Tensor, direction: Tensor, pixel_m: Tensor
) -> Iterator[tuple[int, Tensor, Tensor, Tensor]]:
    """Yield for each visible mesh: its scene, its pixels (K,), their local normals and colours, (3, K) each.

    The rays are traced a second time: this costs less than keeping the face of every ray.
    """
    places = [(shapes, *place) for shapes in pack.still + pack.added for place in each_mesh(shapes)]
    for group, b, n, mesh in places:
        where = (index[b] == group.first + n).nonzero()[:, 0]
        if len(where):
            turn = group.to_local[b, n]
            start = turn @ (origin[b] - group.centre[b, n, :, None])
            rays = (rows_of(start, where), rows_of(turn @ direction[b], where))
            width = pixel_m[b, where].cpu().numpy() * float(turn[0].norm())
            normal, colour = (torch.from_numpy(rows.T).to(turn) for rows in mesh.look(*rays, width))
            yield b, where, normal, colour
