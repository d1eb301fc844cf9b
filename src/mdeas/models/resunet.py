"""`resunet`: residual U-Net whose depth features feed the mask (published system 2).

Pre-activation residual blocks (Zhang et al., arXiv 1711.10684) with pixel-shuffle decoders.
"""

import itertools

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mdeas.models.base import PairNetwork
from mdeas.models.registry import register

_ENCODER = (32, 64, 128, 256, 512)
_DEPTH = (512, 256, 128, 64, 16)
_MASK = (512, 64, 64, 32, 16)


@register("resunet", reference="system 2 (2020)", parameters=15_855_712)
def resunet() -> PairNetwork:
    """Mask and depth from both photos."""
    return PairNetwork(ResUNet(), multiple=16)


class PreActivation(nn.Sequential):
    """Batch norm, ReLU, 3×3 convolution, twice."""

    def __init__(self, num_in: int, num_out: int):
        super().__init__(
            nn.BatchNorm2d(num_in),
            nn.ReLU(),  # not in place: the shortcut needs the input unchanged
            nn.Conv2d(num_in, num_out, 3, padding=1, bias=False),
            nn.BatchNorm2d(num_out),
            nn.ReLU(inplace=True),
            nn.Conv2d(num_out, num_out, 3, padding=1, bias=False),
        )


class Residual(nn.Module):
    """Residual block: two pre-activation convolutions; its shortcut is a 1×1 convolution with batch norm."""

    def __init__(self, num_in: int, num_out: int):
        super().__init__()
        self.body = PreActivation(num_in, num_out)
        self.shortcut = nn.Sequential(nn.Conv2d(num_in, num_out, 1, bias=False), nn.BatchNorm2d(num_out))

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x) + self.shortcut(x)


class Up(nn.Module):
    """Pixel-shuffle ×2, plus the skip, plus the other branch's features (`dense`); then a residual block."""

    def __init__(self, num_in: int, num_out: int, num_skip: int, num_dense: int = 0):
        super().__init__()
        self.enlarge = nn.Conv2d(num_in, 4 * num_in, 1, bias=False)
        self.skip = nn.Conv2d(num_skip, num_in, 1, bias=False)
        self.dense = nn.Conv2d(num_dense, num_in, 1, bias=False) if num_dense else None
        self.mix = Residual(num_in, num_out)

    def forward(self, x: Tensor, skip: Tensor, dense: Tensor | None = None) -> Tensor:
        x = F.pixel_shuffle(self.enlarge(x), 2) + self.skip(skip)
        if self.dense is not None:
            x = x + self.dense(dense)
        return self.mix(x)


class ResUNet(nn.Module):
    """(B, 3, h, w) twice -> mask logits and depth (B, 1, h, w); h and w multiples of 16."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(6, 32, 5, padding=2, bias=False)
        self.encoder = nn.ModuleList(Residual(*pair) for pair in itertools.pairwise(_ENCODER))
        self.bridge = PreActivation(512, 512)
        skips = _ENCODER[:0:-1]  # 512, 256, 128, 64
        self.depth_ups = nn.ModuleList(map(Up, _DEPTH[:-1], _DEPTH[1:], skips))
        self.mask_ups = nn.ModuleList(map(Up, _MASK[:-1], _MASK[1:], skips, _DEPTH[1:]))
        self.depth_head, self.mask_head = nn.Conv2d(16, 1, 1, bias=False), nn.Conv2d(16, 1, 1, bias=False)

    def forward(self, background: Tensor, image: Tensor) -> tuple[Tensor, Tensor]:
        x, skips = self.stem(torch.cat([background, image], 1)), []
        for block in self.encoder:
            skips.append(block(x))
            x = F.max_pool2d(skips[-1], 2)
        depth = mask = self.bridge(x)
        for depth_up, mask_up in zip(self.depth_ups, self.mask_ups, strict=True):
            skip = skips.pop()
            depth = depth_up(depth, skip)
            mask = mask_up(mask, skip, depth)
        return self.mask_head(mask), self.depth_head(depth)
