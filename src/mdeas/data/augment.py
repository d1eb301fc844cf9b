"""Random changes of a whole batch on its device; every sample draws its own.

Geometry is shared by background, image, mask and depth. Photometry comes in two calls: a part that
both photos share, and a part of its own for each: with identical changes their difference would stay
exactly zero on the backdrop, and the network would learn a subtraction.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from mdeas.data.batch import Batch
from mdeas.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class AugmentConfig:
    """How much a batch is changed; all amounts 0 = not at all."""

    mirror: float = 0.5
    """Probability of a left-right mirror."""
    crop: float = 0.3
    """A crop keeps between 1 - crop and 1 of each side, then fills the picture again; < 1."""
    rotation_deg: float = 0.0
    """Largest angle either way; depth is unknown where the picture was left."""
    shared: float = 0.15
    """Strength of brightness, contrast and colour changes that both photos share."""
    own: float = 0.05
    """Strength of the same changes drawn for each photo by itself."""
    noise: float = 0.02
    """Largest standard deviation of Gaussian noise, in [0, 1] units; other noise in each photo."""

    def __post_init__(self):
        for name, value in vars(self).items():
            high = 180 if name == "rotation_deg" else 1
            if not 0 <= value <= high or (name == "crop" and value == 1):
                raise UsageError("E-RECIPE", f"data.augment.{name} is {value}; it must lie in 0..{high}.")


def generator(seed: int, epoch: int, step: int, device: torch.device | str = "cpu") -> torch.Generator:
    """The random source of one step; bits differ between devices."""
    state = np.random.SeedSequence([seed, epoch, step]).generate_state(1, np.uint64)[0]
    return torch.Generator(device).manual_seed(int(state >> 1))


def augment(batch: Batch, config: AugmentConfig, rng: torch.Generator) -> Batch:
    """The batch after geometry, then shared photometry, then each photo's own photometry and noise."""
    batch = geometry(batch, config, rng)
    both = torch.cat([batch.background, batch.image], 1)
    both = photometry(both, config.shared, rng, groups=1)
    both = photometry(both, config.own, rng, groups=2)
    both = add_noise(both, config.noise, rng).clamp_(0, 1)
    background, image = both[:, :3], both[:, 3:]
    return replace(batch, background=background, image=image)


def geometry(batch: Batch, config: AugmentConfig, rng: torch.Generator) -> Batch:
    """Mirror, crop and rotation as one affine map a sample, the same for all four pictures."""
    if not (config.mirror or config.crop or config.rotation_deg):
        return batch
    smooth = torch.cat([batch.background, batch.image, batch.mask], 1)
    exact = torch.cat([batch.inverse_depth, batch.depth_known.float()], 1)
    grid = F.affine_grid(_affine(len(smooth), config, rng), list(smooth.shape), align_corners=False)
    smooth = F.grid_sample(smooth, grid, padding_mode="border", align_corners=False)
    exact = F.grid_sample(exact, grid, mode="nearest", padding_mode="zeros", align_corners=False)
    return replace(
        batch,
        background=smooth[:, :3],
        image=smooth[:, 3:6],
        mask=smooth[:, 6:],
        inverse_depth=exact[:, :1],
        depth_known=exact[:, 1:] > 0.5,
    )


def _affine(count: int, config: AugmentConfig, rng: torch.Generator) -> Tensor:
    """float32 (B, 2, 3): output coordinates in [-1, 1] -> input coordinates."""
    keep = 1 - config.crop * _uniform(rng, count)
    shift = (1 - keep[:, None]) * (2 * _uniform(rng, count, 2) - 1)
    angle = math.radians(config.rotation_deg) * (2 * _uniform(rng, count) - 1)
    flip = torch.where(_uniform(rng, count) < config.mirror, -1.0, 1.0)
    cos, sin = keep * angle.cos(), keep * angle.sin()
    rows = torch.stack([flip * cos, -sin, shift[:, 0], flip * sin, cos, shift[:, 1]], 1)
    return rows.view(count, 2, 3)


def photometry(both: Tensor, strength: float, rng: torch.Generator, *, groups: int) -> Tensor:
    """Per-channel gain, brightness and contrast: one multiplication and one addition.

    Input:
        both: (B, 6, H, W), background then image. groups: 1 = both photos share the draw, 2 = each its own.
        strength: gains are exp(±strength), contrast about mid-grey likewise.
    """
    if not strength:
        return both
    count = len(both)
    signed = strength * (2 * _uniform(rng, count, groups, 5) - 1)
    gain = torch.exp(signed[..., :1] + signed[..., 1:4] / 2)  # (B, groups, 3)
    contrast = torch.exp(signed[..., 4:])
    offset = 0.5 * (1 - contrast)
    scale, offset = (gain * contrast).expand(count, groups, 3), offset.expand(count, groups, 3)
    scale, offset = (part.repeat(1, 2 // groups, 1).view(count, 6, 1, 1) for part in (scale, offset))
    return torch.addcmul(offset, both, scale)


def add_noise(both: Tensor, largest: float, rng: torch.Generator) -> Tensor:
    """Gaussian noise whose strength every sample draws for each photo."""
    if not largest:
        return both
    sigma = largest * _uniform(rng, len(both), 2).repeat_interleave(3, 1)[..., None, None]
    return torch.addcmul(both, torch.randn_like(both, generator=rng), sigma)


def _uniform(rng: torch.Generator, *shape: int) -> Tensor:
    return torch.rand(*shape, generator=rng, device=rng.device)
