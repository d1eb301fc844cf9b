"""Light on surfaces: shadows, ambient occlusion, shading and the sky.

Shadow and occlusion rays follow an interleaved pattern, one ray a pixel, and are averaged within each surface
(A. Keller, W. Heidrich, "Interleaved Sampling", 2001).
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from mdeas.create.scenes.render.pack import column
from mdeas.create.scenes.render.shapes import Shapes, blocked, dominant_axis, unit
from mdeas.create.scenes.render.surface import OUTSIDE_M, SurfacePoints
from mdeas.create.scenes.scene import Light, Scene
from mdeas.create.scenes.texture import TextureBank

PATTERN = 4
"""Side of the interleaved pattern in pixels: 16 shadow rays shared by 16 neighbours."""
OCCLUSION_M = 0.6
"""Reach of ambient occlusion in metres."""


def shadow(groups: list[Shapes], view: SurfacePoints, lights: list[Light], size: int) -> Tensor:
    """Return the share of the lamp that each point sees, (B, P) in [0, 1]; `lights`: one per scene."""
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


def openness(groups: list[Shapes], view: SurfacePoints, size: int) -> Tensor:
    """Return ambient occlusion, (B, P): the share in [0, 1] of the hemisphere that is free to OCCLUSION_M."""
    a, b = _pattern(size, 2, view.point.device)
    z, angle = 2 * a - 1, 2 * np.pi * b
    flat = (1 - z * z).clamp_min(0).sqrt()
    sphere = torch.stack([flat * angle.cos(), flat * angle.sin(), z])
    # Points on a unit sphere that touches the surface give cosine-distributed directions.
    toward = (view.normal + 0.98 * sphere) * OCCLUSION_M
    free = (~blocked(groups, _lift(view), toward)).float()
    return _smooth_within(free, view.index, view.normal, size)


def shade(
    view: SurfacePoints, lit: list[tuple[list[Light], Tensor]], ambient: Tensor, open_share: Tensor
) -> Tensor:
    """Add up ambient, diffuse and specular light; return linear RGB (B, 3, P).

    Input: lit: pairs of (one light per scene, its visibility (B, P)); ambient (B, 3) linear RGB;
        open_share (B, P): as from `openness`.
    """
    gloss, emission = column(view.surface, "gloss"), column(view.surface, "emission")
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
    """Return the sky in each direction (B, 3, P): linear RGB (B, 3, P); black for a scene without sky."""
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


def _pattern(size: int, seed: int, device: torch.device | str) -> tuple[Tensor, Tensor]:
    """Return two numbers in [0, 1) per pixel, (P,) each: an interleaved pattern of 16 well-spread points."""
    cells = PATTERN * PATTERN
    order = torch.from_numpy(np.random.default_rng(seed).permutation(cells))
    k = torch.arange(cells, dtype=torch.float32)
    golden = 0.6180339887498949
    first, second = ((k + 0.5) / cells)[order], (k * golden % 1)[order]
    return _repeated(first, size).to(device), _repeated(second, size).to(device)


def _repeated(cell: Tensor, size: int) -> Tensor:
    """Repeat a cell, (PATTERN ** 2,), over the picture: (size * size,)."""
    times = size // PATTERN + 1
    return cell.view(PATTERN, PATTERN).repeat(times, times)[:size, :size].flatten()


def _smooth_within(values: Tensor, index: Tensor, normal: Tensor, size: int) -> Tensor:
    """Average (B, P) over the pattern's window, among pixels of the same face of the same primitive."""
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


def _lift(view: SurfacePoints) -> Tensor:
    """Return the start of secondary rays, (B, 3, P): a little off the surface, which must not block them."""
    return view.point + view.normal * (1e-3 + 2e-3 * view.depth.clamp_max(OUTSIDE_M))[:, None]


def _light_vectors(view: SurfacePoints, lights: list[Light]) -> tuple[Tensor, Tensor]:
    """Return the unit direction to each scene's light and its irradiance in linear RGB, (B, 3, P) each."""
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
