"""`twin-s`: the network of the default model, from this project.

Scores of the differences between the photos give the mask's outline: they are computed from full size down,
in few channels. The first five stages of EfficientNet-Lite0, on photos of half size, recognise objects and
the layout of the scene; the first two of them see both photos. Mask and depth have a decoder each.
Shapes in comments are for a 224×224 pair.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mdeas.models.base import PairNetwork
from mdeas.models.blocks import ConvUnit, Quadruple, SeparableUnit, double, halve
from mdeas.models.depth_decoder import DepthDecoder
from mdeas.models.differences import (
    MOST_MOVED,
    MOST_PLAIN,
    margin,
    match,
    mean_per_channel,
    relit,
    relit_with_saturation,
    score,
    typical_difference,
)
from mdeas.models.lite import LiteEncoder
from mdeas.models.registry import register

Pair = tuple[Tensor, Tensor]  # image, background


@register("twin-s", reference="this project; encoder: EfficientNet-Lite0", parameters=749_650)
def twin_s(pretrained: bool = False) -> PairNetwork:
    """.3 GFLOP at 224×224. pretrained: the encoder's published weights, see pretrained.lite0_state."""
    core = TwinCore((16, 32, 64, 96, 128))
    if pretrained:
        core.encoder.load_published()
    return PairNetwork(core, multiple=32, mean=None)


class Scores(nn.Module):
    """Both photos at full, half and quarter size -> features of their differences at 1/2, 1/4 and 1/8."""

    def __init__(self, half: int, quarter: int, eighth: int):
        super().__init__()
        self.plain = nn.Sequential(nn.Conv2d(3, half, 2, 2, bias=False), nn.BatchNorm2d(half))
        self.still = nn.Conv2d(3, half, 3, 1, 1, bias=False)
        self.calm = nn.Conv2d(3, quarter, 3, 1, 1, bias=False)
        self.at4 = SeparableUnit(half, quarter, stride=2)
        self.at8 = SeparableUnit(quarter, eighth, stride=2)

    def forward(self, whole: Pair, halves: Pair, quarters: Pair) -> tuple[Tensor, Tensor, Tensor]:
        # The typical difference is measured at half size: as good, at a quarter of the cost.
        plain, coarse = ((image - background).abs() for image, background in (whole, halves))
        plain = score(plain, typical_difference(coarse, MOST_PLAIN))
        margins = margin(*halves), margin(*quarters)  # tolerate shifts of two and four pixels
        still, calm = (score(one, typical_difference(one, MOST_MOVED)) for one in margins)
        half = F.relu(self.plain(plain)) + F.relu(self.still(still))  # 16 x 112
        quarter = self.at4(half) + self.calm(calm)  # 32 x 56
        return half, quarter, self.at8(quarter)  # 64 x 28


class ResidualSeparableUnit(nn.Module):
    """x plus a separable unit of x."""

    def __init__(self, width: int):
        super().__init__()
        self.unit = SeparableUnit(width, width)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.unit(x)


class Fuse(nn.Module):
    """Features of both photos and of their difference at one level -> fused features."""

    def __init__(self, width: int, out: int):
        super().__init__()
        self.mix = ConvUnit(3 * width, out, kernel=1)

    def forward(self, image: Tensor, background: Tensor) -> Tensor:
        return self.mix(torch.cat([image, background, F.relu(margin(image, background))], 1))


class Trunk(nn.Module):
    """Fused features at 1/8 and the image's at 1/16 and 1/32 -> features at 1/8 with context of the image."""

    def __init__(self, eighth: int, sixteenth: int, deepest: int):
        super().__init__()
        third, fourth = LiteEncoder.widths[2:]
        self.down4 = SeparableUnit(eighth, sixteenth, stride=2)
        self.seen4 = ConvUnit(third, sixteenth, kernel=1)
        self.mix4 = ResidualSeparableUnit(sixteenth)
        self.down5 = SeparableUnit(sixteenth, deepest, stride=2)
        self.seen5 = ConvUnit(fourth, deepest, kernel=1)
        self.whole = nn.Conv2d(deepest, deepest, 1)
        self.up5 = ConvUnit(deepest, sixteenth, kernel=1)
        self.join4 = SeparableUnit(sixteenth, sixteenth)
        self.up4 = ConvUnit(sixteenth, eighth, kernel=1)
        self.join8 = SeparableUnit(eighth, eighth)

    def forward(self, eighth: Tensor, third: Tensor, fourth: Tensor) -> Tensor:
        sixteenth = self.mix4(self.down4(eighth) + self.seen4(third))  # 96 x 14
        deepest = self.down5(sixteenth) + self.seen5(fourth)  # 128 x 7
        deepest = deepest + self.whole(mean_per_channel(deepest))
        sixteenth = self.join4(sixteenth + double(self.up5(deepest)))
        return self.join8(eighth + double(self.up4(sixteenth)))  # 64 x 28


class MaskDecoder(nn.Module):
    """Features at 1/8 with skips at 1/4 and 1/2 -> mask logits at full size."""

    def __init__(self, half: int, quarter: int, eighth: int):
        super().__init__()
        self.at8 = ConvUnit(eighth, quarter, kernel=1)
        self.at4 = SeparableUnit(quarter, quarter)
        self.narrow = ConvUnit(quarter, half, kernel=1)
        self.at2 = SeparableUnit(half, half)
        self.head = nn.ConvTranspose2d(half, 1, 2, 2)

    def forward(self, eighth: Tensor, quarter: Tensor, half: Tensor) -> Tensor:
        x = self.at4(quarter + double(self.at8(eighth)))  # 32 x 56
        x = self.at2(half + double(self.narrow(x)))  # 16 x 112
        return self.head(x)  # 1 x 224


class TwinCore(nn.Module):
    """(B, 3, h, w) twice -> mask logits and depth (B, 1, h, w); h and w multiples of 32.

    Input: widths: channels of the features at 1/2, 1/4, 1/8, 1/16 and 1/32.
    """

    def __init__(self, widths: tuple[int, int, int, int, int]):
        super().__init__()
        half, quarter, eighth = widths[:3]
        self.scores = Scores(half, quarter, eighth)
        self.encoder = LiteEncoder()
        first, second, third, fourth = LiteEncoder.widths
        self.fuse4, self.fuse8 = Fuse(first, quarter), Fuse(second, eighth)
        self.trunk = Trunk(*widths[2:])
        self.mask_decoder = MaskDecoder(half, quarter, eighth)
        self.depth_decoder = DepthDecoder((first + quarter, second + eighth, third, fourth), widths[1:])
        self.quadruple = Quadruple()

    def forward(self, background: Tensor, image: Tensor) -> tuple[Tensor, Tensor]:
        num = image.shape[0]  # not len(): that would fix the batch size of an exported graph
        image2, background2 = halve(image), halve(background)
        image4 = halve(image2)
        light = match(halve(halve(background2)), halve(image4))
        background2 = relit_with_saturation(background2, image2, *light)
        whole, halves = (image, relit(background, *light)), (image2, background2)
        half, quarter, eighth = self.scores(whole, halves, (image4, halve(background2)))
        # Both photos in one pass: twice the batch, half the calls.
        first, second = self.encoder.shallow(torch.cat([image2, background2], 0))  # 16 x 56, 24 x 28
        third, fourth = self.encoder.deep(second[:num])  # 40 x 14, 112 x 7
        quarter = quarter + self.fuse4(first[:num], first[num:])
        eighth = self.trunk(eighth + self.fuse8(second[:num], second[num:]), third, fourth)
        # Depth takes the mask's features, detached: its loss does not train them.
        fine = torch.cat([first[:num], quarter.detach()], 1), torch.cat([second[:num], eighth.detach()], 1)
        depth = self.depth_decoder(*fine, third, fourth)
        return self.mask_decoder(eighth, quarter, half), self.quadruple(depth)
