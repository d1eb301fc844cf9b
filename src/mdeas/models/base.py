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


ABSENT_LOGIT = -20.0  # mask of a network without a mask head: nothing anywhere
ABSENT_DEPTH = 0.0


class PairNetwork(nn.Module):
    """Normalise, pad to a multiple, run `core`, crop; give the head that a one-task core lacks a constant.

    Input:
        core: module that is called with the photos named in `photos`, normalised (B, 3, h, w) with h and w
            multiples of `multiple`, and returns (B, 1, h, w) for each of `heads`: a tuple, or a bare tensor.
        multiple: the core's total stride.
        mean, std: per-channel RGB normalisation in [0, 1] units; None: the core takes photos as they are.
        heads: what the core predicts; without "mask" the mask is empty, without "depth" the depth is 0.
        photos: what the core looks at.
        sigmoid_depth: bring the core's depth into [0, 1], as binary cross-entropy wants it.
    """

    mean: Tensor | None
    std: Tensor

    def __init__(
        self,
        core: nn.Module,
        *,
        multiple: int,
        mean: tuple[float, float, float] | None = IMAGENET_MEAN,
        std: tuple[float, float, float] = IMAGENET_STD,
        heads: tuple[str, ...] = ("mask", "depth"),
        photos: tuple[str, ...] = ("background", "image"),
        sigmoid_depth: bool = False,
    ):
        super().__init__()
        self.core = core
        self.multiple = multiple
        self.heads, self.photos, self.sigmoid_depth = heads, photos, sigmoid_depth
        self.register_buffer("mean", None if mean is None else torch.tensor(mean).view(1, 3, 1, 1))
        if mean is not None:
            self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1))

    def forward(self, background: Tensor, image: Tensor) -> Output:
        """background, image: (B, 3, H, W) RGB in [0, 1], any H, W >= 1. Output: (B, 1, H, W) each."""
        right, bottom = -image.shape[-1] % self.multiple, -image.shape[-2] % self.multiple
        photos = {"background": background, "image": image}
        found = self.core(*(self._prepare(photos[name], right, bottom) for name in self.photos))
        maps = dict(zip(self.heads, (found,) if isinstance(found, Tensor) else found, strict=True))
        blank = torch.zeros_like(image[:, :1])
        depth = maps.get("depth", blank + ABSENT_DEPTH)
        if self.sigmoid_depth:
            depth = depth.sigmoid()
        mask_logits = maps.get("mask", blank + ABSENT_LOGIT)
        height, width = image.shape[-2:]
        return Output(mask_logits[..., :height, :width], depth[..., :height, :width])

    def _prepare(self, photo: Tensor, right: int, bottom: int) -> Tensor:
        # Replicated, not reflected: reflection needs a picture larger than the padding.
        normalised = photo if self.mean is None else (photo - self.mean) / self.std
        return F.pad(normalised, (0, right, 0, bottom), mode="replicate")
