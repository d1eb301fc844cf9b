"""`twin`: what differs between the photos, scored; what the image shows, recognised; a decoder for each task.

Differences draw the mask's edge, so they are looked at from full size down, but in a few channels. What
things are and how a place is laid out is seen at half size by the first five stages of EfficientNet-Lite0
(Tan and Le, arXiv 1905.11946; Lite variants: Google, 2020), of which the first two look at both photos.
Shapes in comments are for a 224x224 pair and `twin-s`.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mdeas.models import register
from mdeas.models.base import PairNetwork
from mdeas.models.blocks import ConvUnit, SeparableUnit, double, enlarge, halve
from mdeas.models.differences import MOST_MOVED, MOST_PLAIN, lit, margin, match, mean, relit, score
from mdeas.models.pretrained import build_timm, lite0_state


@register("twin-s", reference="this project; encoder: EfficientNet-Lite0", parameters=884_645)
def twin_s(pretrained: bool = False) -> PairNetwork:
    """The small one: .3 GFLOP at 224x224. pretrained: the encoder's weights, see pretrained.lite0_state."""
    return _twin((16, 32, 64, 96, 128), pretrained)


@register("twin-m", reference="this project; encoder: EfficientNet-Lite0", parameters=1_266_437)
def twin_m(pretrained: bool = False) -> PairNetwork:
    """The larger one: twice as wide behind the same encoder. pretrained: as for twin_s."""
    return _twin((32, 64, 96, 160, 256), pretrained)


def _twin(widths: tuple[int, int, int, int, int], pretrained: bool) -> PairNetwork:
    core = TwinCore(widths)
    if pretrained:
        core.encoder.load_published()
    return PairNetwork(core, multiple=32, mean=None)


class Scores(nn.Module):
    """Two photos, and both at half size -> features at 1/2, 1/4 and 1/8 of where they differ unusually."""

    def __init__(self, half: int, quarter: int, eighth: int):
        super().__init__()
        self.plain = nn.Sequential(nn.Conv2d(3, half, 2, 2, bias=False), nn.BatchNorm2d(half))
        self.still = nn.Conv2d(3, half, 3, 1, 1, bias=False)
        self.calm = nn.Conv2d(3, quarter, 3, 1, 1, bias=False)
        self.at4 = SeparableUnit(half, quarter, stride=2)
        self.at8 = SeparableUnit(quarter, eighth, stride=2)

    def forward(self, image: Tensor, background: Tensor, halves: tuple[Tensor, Tensor]):
        plain = score((image - background).abs(), MOST_PLAIN)
        still = score(margin(*halves), MOST_MOVED)  # forgives two pixels
        calm = score(margin(*map(halve, halves)), MOST_MOVED)  # and this one four
        half = F.relu(self.plain(plain) + self.still(still))  # 16 x 112
        quarter = self.at4(half) + self.calm(calm)  # 32 x 56
        return half, quarter, self.at8(quarter)  # 64 x 28


class Residual(nn.Module):
    """x + `depth` separable units of it."""

    def __init__(self, width: int, depth: int):
        super().__init__()
        self.units = nn.Sequential(*(SeparableUnit(width, width) for _ in range(depth)))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.units(x)


class LiteEncoder(nn.Module):
    """The first five stages of EfficientNet-Lite0, with the names that timm gives its layers."""

    widths = (16, 24, 40, 112)
    blocks: nn.Sequential

    def __init__(self):
        super().__init__()
        # The epsilon of the published weights.
        whole: Any = build_timm("efficientnet_lite0", pretrained=False, bn_eps=1e-3)
        self.conv_stem, self.bn1, self.blocks = whole.conv_stem, whole.bn1, whole.blocks[:5]

    def load_published(self) -> None:
        """Take the published weights; errors as pretrained.lite0_state."""
        published = lite0_state()
        self.load_state_dict({name: published[name] for name in self.state_dict()}, strict=True)

    def shallow(self, photo: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, h, w) in [0, 1] -> features at 1/2 and 1/4 of it."""
        first = self.blocks[0](self.bn1(self.conv_stem(2 * photo - 1)))  # trained on [-1, 1]
        return first, self.blocks[1](first)

    def deep(self, second: Tensor) -> tuple[Tensor, Tensor]:
        """Features at 1/4 -> features at 1/8 and 1/16."""
        third = self.blocks[2](second)
        return third, self.blocks[4](self.blocks[3](third))


class Fuse(nn.Module):
    """Features of both photos at one level -> what changed and what is there."""

    def __init__(self, width: int, out: int):
        super().__init__()
        self.mix = ConvUnit(3 * width, out, kernel=1)

    def forward(self, image: Tensor, background: Tensor) -> Tensor:
        return self.mix(torch.cat([image, background, margin(image, background)], 1))


class Slope(nn.Module):
    """How far down each row of a map is, from -1 to 1: (B, C, h, w) -> (1, 1, h, w)."""

    ends: Tensor

    def __init__(self):
        super().__init__()
        self.register_buffer("ends", torch.tensor([-1.0, 1.0]).view(1, 1, 2, 1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return enlarge(self.ends, x.shape[-2:])


class Trunk(nn.Module):
    """Fused features at 1/8 and the image's at 1/16 and 1/32 -> features at 1/8 of the whole picture."""

    def __init__(self, eighth: int, sixteenth: int, deepest: int):
        super().__init__()
        third, fourth = LiteEncoder.widths[2:]
        self.down4 = SeparableUnit(eighth, sixteenth, stride=2)
        self.seen4 = ConvUnit(third, sixteenth, kernel=1)
        self.height = nn.Parameter(torch.zeros(1, sixteenth, 1, 1))
        self.mix4 = Residual(sixteenth, 2)
        self.down5 = SeparableUnit(sixteenth, deepest, stride=2)
        self.seen5 = ConvUnit(fourth, deepest, kernel=1)
        self.mix5 = Residual(deepest, 3)
        self.whole = nn.Conv2d(deepest, deepest, 1)
        self.up5 = ConvUnit(deepest, sixteenth, kernel=1)
        self.join4 = SeparableUnit(sixteenth, sixteenth)
        self.up4 = ConvUnit(sixteenth, eighth, kernel=1)
        self.join8 = SeparableUnit(eighth, eighth)
        self.slope = Slope()

    def forward(self, eighth: Tensor, third: Tensor, fourth: Tensor) -> Tensor:
        sixteenth = self.down4(eighth) + self.seen4(third)
        # How far down each row is, which a padded convolution can only guess.
        sixteenth = self.mix4(sixteenth + self.height * self.slope(sixteenth))  # 96 x 14
        deepest = self.mix5(self.down5(sixteenth) + self.seen5(fourth))  # 128 x 7
        deepest = deepest + self.whole(mean(deepest))
        sixteenth = self.join4(sixteenth + double(self.up5(deepest)))
        return self.join8(eighth + double(self.up4(sixteenth)))  # 64 x 28


class MaskDecoder(nn.Module):
    """Features at 1/8 with skips at 1/4 and 1/2 -> one channel at full size."""

    def __init__(self, half: int, quarter: int, eighth: int):
        super().__init__()
        self.at8 = ConvUnit(eighth, quarter, kernel=1)
        self.at4 = SeparableUnit(quarter, quarter)
        self.narrow = ConvUnit(quarter, half, kernel=1)
        self.at2 = SeparableUnit(half, half)
        self.head = nn.Conv2d(half, 4, 1)

    def forward(self, eighth: Tensor, quarter: Tensor, half: Tensor) -> Tensor:
        x = self.at4(quarter + double(self.at8(eighth)))  # 32 x 56
        x = self.at2(half + double(self.narrow(x)))  # 16 x 112
        return F.pixel_shuffle(self.head(x), 2)  # 1 x 224


class DepthDecoder(nn.Module):
    """Features at 1/8 with a skip at 1/4 -> depth at 1/4: "nearer further down" and what differs from it."""

    def __init__(self, half: int, quarter: int, eighth: int):
        super().__init__()
        self.at8 = ConvUnit(eighth, quarter, kernel=1)
        self.at4 = SeparableUnit(quarter, half)
        self.head = nn.Conv2d(half, 1, 1)
        self.slope = Slope()

    def forward(self, eighth: Tensor, quarter: Tensor) -> Tensor:
        x = self.at4(quarter + double(self.at8(eighth)))  # 16 x 56
        return self.head(x) + self.slope(x)


class TwinCore(nn.Module):
    """(B, 3, h, w) twice -> mask logits and depth (B, 1, h, w); h and w multiples of 32.

    Input: widths: of the features at 1/2, 1/4, 1/8, 1/16 and 1/32.
    """

    def __init__(self, widths: tuple[int, int, int, int, int]):
        super().__init__()
        half, quarter, eighth = widths[:3]
        self.scores = Scores(half, quarter, eighth)
        self.encoder = LiteEncoder()
        first, second = LiteEncoder.widths[:2]
        self.fuse4, self.fuse8 = Fuse(first, quarter), Fuse(second, eighth)
        self.trunk = Trunk(*widths[2:])
        self.mask_decoder = MaskDecoder(half, quarter, eighth)
        self.depth_decoder = DepthDecoder(half, quarter, eighth)

    def forward(self, background: Tensor, image: Tensor) -> tuple[Tensor, Tensor]:
        image2, background2 = halve(image), halve(background)
        small = halve(halve(torch.cat([image2, background2], 0)))
        num = image.shape[0]  # not len(): that fixes the batch of an exported graph
        light = match(small[num:], small[:num])
        background2 = lit(background2, image2, *light)
        half, quarter, eighth = self.scores(image, relit(background, *light), (image2, background2))
        # One pass over both photos: twice the batch, half the calls.
        first, second = self.encoder.shallow(torch.cat([image2, background2], 0))  # 16 x 56, 24 x 28
        third, fourth = self.encoder.deep(second[:num])  # 40 x 14, 112 x 7
        quarter = quarter + self.fuse4(first[:num], first[num:])
        eighth = self.trunk(eighth + self.fuse8(second[:num], second[num:]), third, fourth)
        depth = self.depth_decoder(eighth, quarter)
        return self.mask_decoder(eighth, quarter, half), double(depth, 4)
