"""The network contract, and a wrapper through which a network takes photos of any height and width."""

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


ABSENT_LOGIT = -20.0  # mask logit of a network without a mask head: no foreground anywhere
ABSENT_DEPTH = 0.0


class PairNetwork(nn.Module):
    """Normalise both photos, pad them to a multiple, run `core`, crop the result to the photos' size.

    A core with one head gets a constant map for the other.

    Input:
        core: module that takes the photos named in `photos`, normalised (B, 3, h, w), h and w multiples of
            `multiple`, and returns (B, 1, h, w) for each of `heads`: a tuple, or a tensor for one head.
        multiple: the core's total stride.
        mean, std: per-channel RGB normalisation in [0, 1] units; mean None: photos are not normalised.
        heads: what the core predicts; without "mask" the mask is empty, without "depth" the depth is 0.
        photos: the photos that the core takes, in this order.
        sigmoid_depth: apply a sigmoid to the core's depth, for training with binary cross-entropy.
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
