"""`hu-resnet50`: ResNet-50 encoder, up-projections, multi-scale fusion (published system 3).

Hu et al., "Revisiting Single Image Depth Estimation" (WACV 2019) and "Visualization of Convolutional Neural
Networks for Monocular Depth Estimation" (ICCV 2019). Shapes in comments are for a 224×224 image.
"""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mdeas.models.base import PairNetwork
from mdeas.models.blocks import ConvUnit, enlarge
from mdeas.models.pretrained import pretrained_state
from mdeas.models.registry import register
from mdeas.models.up_projection import UpDecoder, UpProjection


@register("hu-resnet50", reference="system 3 (2020); Hu et al., ICCV 2019", parameters=67_569_473)
def hu_resnet50(task: Literal["mask", "depth"] = "depth", pretrained: bool = False) -> PairNetwork:
    """One head, from the image alone. pretrained: ImageNet weights of the encoder, downloaded by timm."""
    core = HuResNet50()
    if pretrained:
        core.encoder.load_state_dict(pretrained_state("resnet50"), strict=True)
    return PairNetwork(core, multiple=1, heads=(task,), photos=("image",))


class Bottleneck(nn.Module):
    """Residual block of 1×1, 3×3 with the stride, and 1×1 to four times the width (He et al. 2016)."""

    def __init__(self, num_in: int, width: int, stride: int):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(num_in, width, 1, bias=False), nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3, self.bn3 = nn.Conv2d(width, 4 * width, 1, bias=False), nn.BatchNorm2d(4 * width)
        self.downsample: nn.Module = nn.Identity()
        if num_in != 4 * width:
            project = nn.Conv2d(num_in, 4 * width, 1, stride, bias=False)
            self.downsample = nn.Sequential(project, nn.BatchNorm2d(4 * width))

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        return F.relu(self.bn3(self.conv3(y)) + self.downsample(x))


def _level(num_in: int, width: int, count: int, stride: int) -> nn.Sequential:
    rest = (Bottleneck(4 * width, width, 1) for _ in range(count - 1))
    return nn.Sequential(Bottleneck(num_in, width, stride), *rest)


class ResNet50(nn.Module):
    """(B, 3, h, w) -> features at 1/4, 1/8, 1/16 and 1/32 with 256, 512, 1024 and 2048 channels.

    Layers have the names of torchvision and timm, so that ImageNet weights load strictly.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64)
        self.layer1 = _level(64, 64, 3, stride=1)
        self.layer2 = _level(256, 128, 4, stride=2)
        self.layer3 = _level(512, 256, 6, stride=2)
        self.layer4 = _level(1024, 512, 3, stride=2)

    def forward(self, image: Tensor) -> list[Tensor]:
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(image))), 3, 2, 1)
        levels = []
        for layer in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = layer(x)
            levels.append(x)
        return levels


class HuResNet50(nn.Module):
    """Normalised image (B, 3, h, w) -> (B, 1, h, w); the published half-size output, resized to full size."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = ResNet50()
        self.reduce = ConvUnit(2048, 1024, 1)
        self.decoder = UpDecoder(1024, 512, 256, 128, 64)
        self.fusion = nn.ModuleList(UpProjection(256 * 2**level, 16) for level in range(4))
        self.mix = ConvUnit(64, 64, 5)
        last = nn.Conv2d(128, 1, 5, padding=2)
        self.refine = nn.Sequential(ConvUnit(128, 128, 5), ConvUnit(128, 128, 5), last)

    def forward(self, image: Tensor) -> Tensor:
        levels = self.encoder(image)  # 256 × 56, 512 × 28, 1024 × 14, 2048 × 7
        quarter, eighth, sixteenth = (tuple(level.shape[-2:]) for level in levels[:3])
        half = (2 * quarter[0], 2 * quarter[1])
        decoded = self.decoder(self.reduce(levels[-1]), (sixteenth, eighth, quarter, half))  # 64 × 112
        fused = [up(level, half) for up, level in zip(self.fusion, levels, strict=True)]
        both = torch.cat([decoded, self.mix(torch.cat(fused, 1))], 1)  # 128 × 112
        return enlarge(self.refine(both), image.shape[-2:])
