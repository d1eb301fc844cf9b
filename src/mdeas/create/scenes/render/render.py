"""Render scenes: the two photos, the mask and the depth."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from mdeas.create.scenes.render.edges import SUBRAYS, edge_pixels, smooth_edges
from mdeas.create.scenes.render.light import openness, shade, shadow, sky_colour
from mdeas.create.scenes.render.pack import Pack, column, pack
from mdeas.create.scenes.render.shapes import KINDS, Shapes, nearest
from mdeas.create.scenes.render.surface import SurfacePoints, camera_rays, look
from mdeas.create.scenes.scene import Camera, Light, Scene
from mdeas.create.scenes.texture import TextureBank

FAR_M = 80.0
"""Greatest depth of a sample; farther surfaces and the sky have this depth."""
SKY = -1
"""Label of pixels that show the sky; every other label is an index into the surface table."""
_DARK = Light(position=np.array([0.0, 5.0, 0.0]), colour=np.zeros(3), size_m=0.1, reference_m=1.0)


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """A batch of rendered pairs on the device."""

    background: Tensor
    """(B, 3, S, S) display-referred RGB in [0, 1], without camera faults."""
    image: Tensor
    """(B, 3, S, S) as `background`."""
    mask: Tensor
    """(B, S, S) alpha in [0, 1]: the share of each pixel that shows added things."""
    depth: Tensor
    """(B, S, S) metres along the optical axis at pixel centres, at most FAR_M."""


@dataclass(frozen=True, kw_only=True)
class _Shot:
    """One photo of every scene, before exposure."""

    colour: Tensor
    """(B, 3, P) linear RGB."""
    depth: Tensor
    """(B, P) metres."""
    mask: Tensor
    """(B, P) alpha in [0, 1]."""


def _labels(packed: Pack, index: Tensor, has_sky: Tensor) -> Tensor:
    """Return the label of each ray from its index (B, K): SKY where it hits the "room" of an open scene."""
    kind = column(packed.table, "kind")[:, 0].gather(1, index)
    return torch.where((kind == KINDS.index("room")) & has_sky[:, None], SKY, index)


def _sub_labels(
    packed: Pack, groups: list[Shapes], cameras: list[Camera], where: Tensor, size: int, has_sky: Tensor
) -> list[Tensor]:
    """Trace the extra rays of the edge pixels `where` (B, K); return the labels (B, K) of each offset."""
    labels = []
    for offset in SUBRAYS:
        origin, direction = camera_rays(cameras, size, where.device, offset)
        chosen = direction.gather(2, where[:, None].expand(-1, 3, -1))
        labels.append(_labels(packed, nearest(groups, origin, chosen)[1], has_sky))
    return labels


def _slots(scenes: list[Scene], *, image: bool) -> list[list[Light]]:
    """Group light k of every scene, a dark one where a scene has fewer; `image` applies the drift."""
    count = max(len(s.lights) for s in scenes)
    return [[_light(s, k, image=image) for s in scenes] for k in range(count)]


def _light(scene: Scene, slot: int, *, image: bool) -> Light:
    if slot >= len(scene.lights):
        return _DARK
    light = scene.lights[slot]
    return replace(light, colour=light.colour * scene.image_gain[slot]) if image else light


def _lit_colour(
    scenes: list[Scene], groups: list[Shapes], view: SurfacePoints, size: int, *, image: bool
) -> Tensor:
    """Return the colour of surface points under all lights, linear RGB (B, 3, P)."""
    slots = _slots(scenes, image=image)
    free = openness(groups, view, size)
    # Only the first lamp casts true shadows; ambient occlusion dims the others.
    visible = [shadow(groups, view, slots[0], size)] + [free] * (len(slots) - 1)
    levels = np.stack([s.ambient * (s.image_gain[-1] if image else 1.0) for s in scenes])
    ambient = torch.as_tensor(levels, dtype=torch.float32, device=view.point.device)
    return shade(view, list(zip(slots, visible, strict=True)), ambient, free)


def _shoot(scenes: list[Scene], packed: Pack, bank: TextureBank, size: int, *, image: bool) -> _Shot:
    """Take one of the two photos of every scene."""
    device = packed.table.device
    cameras = [s.image_camera if image else s.camera for s in scenes]
    groups = packed.still + packed.added if image else packed.still
    has_sky = torch.as_tensor([s.sky is not None for s in scenes], device=device)
    origin, direction = camera_rays(cameras, size, device)
    t, index = nearest(groups, origin, direction)
    pixel = torch.as_tensor([[2 * c.reach / size] for c in cameras], dtype=torch.float32, device=device)
    view = look(packed, bank, t, index, origin, direction, pixel)
    label = _labels(packed, index, has_sky)
    colour = _lit_colour(scenes, groups, view, size, image=image)
    colour = torch.where((label == SKY)[:, None], sky_colour(scenes, bank, direction), colour)
    where = edge_pixels(label, size)
    sub = _sub_labels(packed, groups, cameras, where, size, has_sky)
    mask = _is_added(packed, label)
    share = torch.stack([_is_added(packed, s) for s in sub]).mean(0)
    return _Shot(
        colour=smooth_edges(colour, label, sub, where, size),
        depth=torch.where(label == SKY, FAR_M, t.clamp_max(FAR_M)),
        mask=mask.scatter(1, where, share),
    )


def _is_added(packed: Pack, label: Tensor) -> Tensor:
    """Return 1 where a label (B, K) is of an added primitive, else 0."""
    return torch.where(label == SKY, 0.0, column(packed.table, "added")[:, 0].gather(1, label.clamp_min(0)))


@torch.inference_mode()
def added_share(scene: Scene, bank: TextureBank, cutouts: Tensor | None, size: int = 40) -> float:
    """Estimate the share of `image` that shows added things, from a view of size x size pixels, unlit."""
    packed = pack([scene], bank, cutouts, "cpu")
    origin, direction = camera_rays([scene.image_camera], size, "cpu")
    index = nearest(packed.still + packed.added, origin, direction)[1]
    return float(column(packed.table, "added")[:, 0].gather(1, index).mean())


def _develop(linear: Tensor, gain: Tensor) -> Tensor:
    """Apply exposure and display curve; highlights are compressed a little before they clip."""
    exposed = linear * gain
    return (exposed * 1.15 / (1 + 0.15 * exposed)).clamp(0, 1).pow(1 / 2.2)


def render(
    scenes: list[Scene],
    size: int,
    bank: TextureBank,
    cutouts: Tensor | None,
    brightness: list[float],
    device: torch.device | str,
) -> Rendered:
    """Render a batch of pairs of size x size pixels.

    Input: cutouts (C, 4, A, A) linear RGB and alpha, needed for billboards only; brightness: by scene, the
        mean linear level of the exposed background in (0, 1).
    """
    packed = pack(scenes, bank, cutouts, device)
    background = _shoot(scenes, packed, bank, size, image=False)
    image = _shoot(scenes, packed, bank, size, image=True)
    target = torch.as_tensor(brightness, dtype=torch.float32, device=packed.table.device)[:, None, None]
    gain = target / background.colour.clamp_max(4.0).mean((1, 2), keepdim=True).clamp_min(1e-4)
    grid = (len(scenes), -1, size, size)
    return Rendered(
        background=_develop(background.colour, gain).view(grid),
        image=_develop(image.colour, gain).view(grid),
        mask=image.mask.view(len(scenes), size, size),
        depth=image.depth.view(len(scenes), size, size),
    )
