"""Random changes of a whole batch on its device; each sample draws its own amounts.

Geometry is the same for background, image, mask and depth. photometry.py changes only the two photos, in two
calls: with amounts that both photos share, then with amounts of their own. If all changes were shared, the
photos would differ by exactly zero on the backdrop, and the network would learn a subtraction.
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
    """Largest changes of a batch; 0 = no change."""

    mirror: float = 0.5
    """Probability of a left-right mirror."""
    crop: float = 0.3
    """Crops keep between 1 - crop and 1 of each side and are resized to the picture's size; at most .99."""
    rotation_deg: float = 0.0
    """Largest angle in either direction; depth is unknown in the corners that a rotation uncovers."""
    fade: float = 0.0
    """In a tenth of the pictures the foreground loses up to this share of its contrast to the background."""
    shared: Photometry = field(default_factory=lambda: Photometry(gain=0.15))
    """Photometric changes that both photos share."""
    own: Photometry = field(default_factory=lambda: Photometry(gain=0.05, noise=0.02))
    """Photometric changes that each photo draws by itself, after the shared ones."""

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
    """The random generator of one step; its numbers differ between kinds of devices.

    Input: rank, ranks: the number of this rank, and of all ranks that share the step's batch equally.
    """
    state = np.random.SeedSequence([seed, epoch, step]).generate_state(1, np.uint64)[0]
    draws = Draws(device)
    draws.manual_seed(int(state >> 1))
    draws.rank, draws.ranks = rank, ranks
    return draws


def augment(batch: Batch, config: AugmentConfig, rng: Draws) -> Batch:
    """The batch after fading, geometry, shared photometry, and each photo's own photometry."""
    batch = geometry(fade(batch, config, rng), config, rng)
    both = torch.cat([batch.background, batch.image], 1)
    both = photometry(both, config.shared, rng, groups=1)
    both = photometry(both, config.own, rng, groups=2).clamp_(0, 1)
    return replace(batch, background=both[:, :3], image=both[:, 3:])


def fade(batch: Batch, config: AugmentConfig, rng: Draws) -> Batch:
    """Blend the image with the background where the mask is above 0: objects in the backdrop's colours."""
    if not config.fade:
        return batch
    lost = config.fade * (10 * rng.uniform(len(batch.image)) - 9).clamp_min(0)
    lost = lost.view(-1, 1, 1, 1) * (batch.mask > 0)
    return replace(batch, image=torch.lerp(batch.image, batch.background, lost))


def geometry(batch: Batch, config: AugmentConfig, rng: Draws) -> Batch:
    """Mirror, crop and rotate by one affine map for each sample, the same for all of its pictures."""
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
