"""The network contract, and the wrapper that makes any H and W work."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class Output(NamedTuple):
    """What every network returns."""

    mask_logits: Tensor
    """(B, 1, H, W); sigmoid of it is the mask in [0, 1]."""
    depth: Tensor
    """(B, 1, H, W) relative inverse depth, larger = nearer, unitless."""


class PairNetwork(nn.Module):
    """Normalise, pad to a multiple, run `core`, crop.

    Input:
        core: module with forward(background, image) -> (mask_logits, depth); both inputs normalised
            (B, 3, h, w) with h and w multiples of `multiple`, both outputs (B, 1, h, w).
        multiple: the core's total stride.
        mean, std: per-channel RGB normalisation in [0, 1] units.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        core: nn.Module,
        *,
        multiple: int,
        mean: tuple[float, float, float] = IMAGENET_MEAN,
        std: tuple[float, float, float] = IMAGENET_STD,
    ):
        super().__init__()
        self.core = core
        self.multiple = multiple
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1))

    def forward(self, background: Tensor, image: Tensor) -> Output:
        """background, image: (B, 3, H, W) RGB in [0, 1], any H, W >= 1. Output: (B, 1, H, W) each."""
        height, width = image.shape[-2:]
        mask_logits, depth = self.core(self._prepare(background), self._prepare(image))
        return Output(mask_logits[..., :height, :width], depth[..., :height, :width])

    def _prepare(self, photo: Tensor) -> Tensor:
        right, bottom = -photo.shape[-1] % self.multiple, -photo.shape[-2] % self.multiple
        # Replicated, not reflected: reflection needs a picture larger than the padding.
        return F.pad((photo - self.mean) / self.std, (0, right, 0, bottom), mode="replicate")
