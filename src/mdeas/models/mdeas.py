"""`mdeas`: depthwise dense blocks, dilated bottleneck, two decoders (the fifth published system, MIT).

The published mask head ends in a sigmoid; this one returns logits, and the loss applies the sigmoid.
Shapes in comments are for a 224×224 pair.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mdeas.models.base import PairNetwork
from mdeas.models.blocks import DenseBlock, DepthwiseUnit, PointwiseUnit, double, init_fan_out
from mdeas.models.registry import register


@register("mdeas", reference="system 5, 'MDEAS' (2020, MIT)", parameters=1_521_026)
def mdeas() -> PairNetwork:
    """The published network: 1,521,026 parameters, 4.3 GFLOP at 224×224."""
    return PairNetwork(MdeasCore(), multiple=16)


class MdeasCore(nn.Module):
    """(B, 3, h, w) twice -> mask logits and depth (B, 1, h, w); h and w multiples of 16."""

    def __init__(self) -> None:
        super().__init__()
        self.background_stem = _stem()
        self.image_stem = _stem()
        self.encoder = nn.ModuleList([DenseBlock(64, 128), DenseBlock(128, 256), DenseBlock(256, 256)])
        self.bottleneck = DilatedBottleneck()
        self.depth_decoder = DenseDepthDecoder()
        self.mask_decoder = DenseMaskDecoder()
        init_fan_out(self)

    def forward(self, background: Tensor, image: Tensor) -> tuple[Tensor, Tensor]:
        image_stem = self.image_stem(image)  # 32 × 112
        stems = torch.cat([self.background_stem(background), image_stem], 1)  # 64 × 112
        level1 = F.max_pool2d(self.encoder[0](stems), 2)  # 128 × 56
        level2 = F.max_pool2d(self.encoder[1](level1), 2)  # 256 × 28
        level3 = F.max_pool2d(self.encoder[2](level2), 2)  # 256 × 14
        for_mask, for_depth = self.bottleneck(level3)
        depth = self.depth_decoder(for_depth, level2, level1, image_stem)
        return self.mask_decoder(for_mask, level1, stems), depth


class DilatedBottleneck(nn.Module):
    """256 channels -> 128 -> four parallel dilations -> 128 for the mask and 256 for the depth."""

    def __init__(self) -> None:
        super().__init__()
        self.reduce = PointwiseUnit(256, 128)
        self.branches = nn.ModuleList(DepthwiseUnit(128, 128, dilation) for dilation in (1, 3, 6, 9))
        self.for_mask = PointwiseUnit(512, 128)
        self.for_depth = PointwiseUnit(512, 256)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.reduce(x)
        x = torch.cat([branch(x) for branch in self.branches], 1)  # 512 × 14
        return self.for_mask(x), self.for_depth(x)


class DenseDepthDecoder(nn.Module):
    """256 channels at 1/16 -> depth at full size, without activation."""

    def __init__(self) -> None:
        super().__init__()
        widths = [(256, 256), (256, 128), (128, 128), (32, 64)]
        self.blocks = nn.ModuleList(DenseBlock(*width) for width in widths)
        self.head = nn.Conv2d(16, 1, 1)

    def forward(self, x: Tensor, level2: Tensor, level1: Tensor, image_stem: Tensor) -> Tensor:
        x = double(self.blocks[0](x)) + level2  # 256 × 28
        x = double(self.blocks[1](x)) + level1  # 128 × 56
        x = F.pixel_shuffle(self.blocks[2](x), 2) + image_stem  # 32 × 112
        x = F.pixel_shuffle(self.blocks[3](x), 2)  # 16 × 224
        return self.head(x)


class DenseMaskDecoder(nn.Module):
    """128 channels at 1/16 -> mask logits at full size."""

    def __init__(self) -> None:
        super().__init__()
        widths = [(128, 128), (128, 128), (128, 64), (64, 64)]
        self.blocks = nn.ModuleList(DenseBlock(*width) for width in widths)
        self.head = nn.Conv2d(16, 1, 1)

    def forward(self, x: Tensor, level1: Tensor, stems: Tensor) -> Tensor:
        x = double(self.blocks[0](x))  # 128 × 28
        x = double(self.blocks[1](x)) + level1  # 128 × 56
        x = double(self.blocks[2](x)) + stems  # 64 × 112
        x = F.pixel_shuffle(self.blocks[3](x), 2)  # 16 × 224
        return self.head(x)


def _stem() -> nn.Sequential:
    """3 × 224 -> 32 × 112."""
    return nn.Sequential(
        nn.Conv2d(3, 32, 3, padding=1, bias=False),
        nn.BatchNorm2d(32),
        nn.ReLU(inplace=True),
        nn.Conv2d(32, 32, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(32),
        nn.ReLU(inplace=True),
    )
