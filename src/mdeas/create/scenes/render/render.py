"""From packed scenes to the two photos, the mask and the depth."""

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
SKY = -1
_DARK = Light(position=np.array([0.0, 5.0, 0.0]), colour=np.zeros(3), size_m=0.1, reference_m=1.0)


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """A batch of rendered pairs on the device."""

    background: Tensor
    """(B, 3, S, S) display-referred RGB in [0, 1], without nuisances."""
    image: Tensor
    """(B, 3, S, S) the same."""
    mask: Tensor
    """(B, S, S) alpha in [0, 1]: visible share of what was added."""
    depth: Tensor
    """(B, S, S) metres along the optical axis at pixel centres; FAR_M for what is farther, sky included."""


@dataclass(frozen=True, kw_only=True)
class _Shot:
    """One photo before exposure."""

    colour: Tensor
    """(B, 3, P) linear."""
    depth: Tensor
    """(B, P) metres."""
    mask: Tensor
    """(B, P) alpha in [0, 1]."""


def _labels(packed: Pack, index: Tensor, has_sky: Tensor) -> Tensor:
    kind = column(packed.table, "kind")[:, 0].gather(1, index)
    return torch.where((kind == KINDS.index("room")) & has_sky[:, None], SKY, index)


def _sub_labels(
    packed: Pack, groups: list[Shapes], cameras: list[Camera], where: Tensor, size: int, has_sky: Tensor
) -> list[Tensor]:
    labels = []
    for offset in SUBRAYS:
        origin, direction = camera_rays(cameras, size, where.device, offset)
        chosen = direction.gather(2, where[:, None].expand(-1, 3, -1))
        labels.append(_labels(packed, nearest(groups, origin, chosen)[1], has_sky))
    return labels


def _slots(scenes: list[Scene], *, image: bool) -> list[list[Light]]:
    """Lights by slot, one per scene, a dark one where a scene has fewer; `image` applies the drift."""
    count = max(len(s.lights) for s in scenes)
    return [[_light(s, k, image=image) for s in scenes] for k in range(count)]


def _light(scene: Scene, slot: int, *, image: bool) -> Light:
    if slot >= len(scene.lights):
        return _DARK
    light = scene.lights[slot]
    return replace(light, colour=light.colour * scene.image_gain[slot]) if image else light


def _ambient(scenes: list[Scene], device: torch.device | str, *, image: bool) -> Tensor:
    values = [s.ambient * (s.image_gain[-1] if image else 1.0) for s in scenes]
    return torch.as_tensor(np.stack(values), dtype=torch.float32, device=device)


def _lit_colour(
    scenes: list[Scene], groups: list[Shapes], view: SurfacePoints, size: int, *, image: bool
) -> Tensor:
    slots = _slots(scenes, image=image)
    free = openness(groups, view, size)
    # Only the first lamp casts true shadows; ambient occlusion dims the others.
    visible = [shadow(groups, view, slots[0], size)] + [free] * (len(slots) - 1)
    ambient = _ambient(scenes, view.point.device, image=image)
    return shade(view, list(zip(slots, visible, strict=True)), ambient, free)


def _shoot(scenes: list[Scene], packed: Pack, bank: TextureBank, size: int, *, image: bool) -> _Shot:
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
    return torch.where(label == SKY, 0.0, column(packed.table, "added")[:, 0].gather(1, label.clamp_min(0)))


@torch.inference_mode()
def added_share(scene: Scene, bank: TextureBank, cutouts: Tensor | None, size: int = 40) -> float:
    """Share of `image` that shows something added, from a coarse view at a fiftieth of a picture's cost."""
    packed = pack([scene], bank, cutouts, "cpu")
    origin, direction = camera_rays([scene.image_camera], size, "cpu")
    index = nearest(packed.still + packed.added, origin, direction)[1]
    return float(column(packed.table, "added")[:, 0].gather(1, index).mean())


def _develop(linear: Tensor, gain: Tensor) -> Tensor:
    """Exposure and display curve; highlights roll off a little before they clip."""
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
    """Render a batch of pairs.

    Input: size S in pixels; cutouts (C, 4, A, A) linear RGB and alpha, or None;
    brightness: mean linear level that each background is exposed to.
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
