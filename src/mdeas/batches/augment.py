"""Random changes of a whole batch on its device; every sample draws its own.

Geometry is shared by background, image, mask and depth; photometry.py changes the two photos only, in two
calls: a part that both share, and a part of its own for each. With identical changes their difference would
stay exactly zero on the backdrop, and the network would learn a subtraction. Resizing is data.size.
"""

import math
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from mdeas.batches.batch import Batch
from mdeas.batches.draws import Draws
from mdeas.batches.photometry import Photometry, photometry, require_within


@dataclass(frozen=True, kw_only=True)
class AugmentConfig:
    """How much a batch is changed; all amounts 0 = not at all. `data.size` resizes."""

    mirror: float = 0.5
    """Probability of a left-right mirror."""
    crop: float = 0.3
    """A crop keeps between 1 - crop and 1 of each side, then fills the picture again; at most .99."""
    rotation_deg: float = 0.0
    """Largest angle either way; depth is unknown where the picture was left."""
    fade: float = 0.0
    """In a tenth of the pictures what is new loses up to this share of its difference from what is behind."""
    shared: Photometry = field(default_factory=lambda: Photometry(gain=0.15))
    """Changes of values that are the same in both photos."""
    own: Photometry = field(default_factory=lambda: Photometry(gain=0.05, noise=0.02))
    """Changes of values that each photo draws by itself, after the shared ones."""

    def __post_init__(self) -> None:
        require_within("data.augment.mirror", self.mirror, 1)
        require_within("data.augment.crop", self.crop, 0.99)
        require_within("data.augment.rotation_deg", self.rotation_deg, 180)
        require_within("data.augment.fade", self.fade, 1)
        self.shared.check("data.augment.shared")
        self.own.check("data.augment.own")


def generator(
    seed: int, epoch: int, step: int, device: torch.device | str = "cpu", *, rank: int = 0, ranks: int = 1
) -> Draws:
    """The random source of one step; bits differ between devices.

    Input: rank, ranks: which slice of the step's batch, and of how many equal ones, the draws are for.
    """
    state = np.random.SeedSequence([seed, epoch, step]).generate_state(1, np.uint64)[0]
    draws = Draws(device)
    draws.manual_seed(int(state >> 1))
    draws.rank, draws.ranks = rank, ranks
    return draws


def augment(batch: Batch, config: AugmentConfig, rng: Draws) -> Batch:
    """The batch after fading and geometry, then shared photometry, then each photo's own."""
    batch = geometry(fade(batch, config, rng), config, rng)
    both = torch.cat([batch.background, batch.image], 1)
    both = photometry(both, config.shared, rng, groups=1)
    both = photometry(both, config.own, rng, groups=2).clamp_(0, 1)
    return replace(batch, background=both[:, :3], image=both[:, 3:])


def fade(batch: Batch, config: AugmentConfig, rng: Draws) -> Batch:
    """Draw the image towards the background where the mask is above 0: things in the backdrop's colour."""
    if not config.fade:
        return batch
    lost = config.fade * (10 * rng.uniform(len(batch.image)) - 9).clamp_min(0)
    lost = lost.view(-1, 1, 1, 1) * (batch.mask > 0)
    return replace(batch, image=torch.lerp(batch.image, batch.background, lost))


def geometry(batch: Batch, config: AugmentConfig, rng: Draws) -> Batch:
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


def _affine(count: int, config: AugmentConfig, rng: Draws) -> Tensor:
    """float32 (B, 2, 3): output coordinates in [-1, 1] -> input coordinates."""
    keep = 1 - config.crop * rng.uniform(count)
    shift = (1 - keep[:, None]) * (2 * rng.uniform(count, 2) - 1)
    angle = math.radians(config.rotation_deg) * (2 * rng.uniform(count) - 1)
    flip = torch.where(rng.uniform(count) < config.mirror, -1.0, 1.0)
    cos, sin = keep * angle.cos(), keep * angle.sin()
    rows = torch.stack([flip * cos, -sin, shift[:, 0], flip * sin, cos, shift[:, 1]], 1)
    return rows.view(count, 2, 3)
