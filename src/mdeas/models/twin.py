"""`twin`: what differs between the photos, scored; what the image shows, recognised; a decoder for each task.

Differences draw the mask's edge, so they are looked at from full size down, but in a few channels. What
things are and how a place is laid out is seen at half size by the first five stages of EfficientNet-Lite0,
of which the first two look at both photos.
Shapes in comments are for a 224x224 pair and `twin-s`.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mdeas.models.base import PairNetwork
from mdeas.models.blocks import ConvUnit, Quadruple, SeparableUnit, double, halve
from mdeas.models.depth_decoder import DepthDecoder
from mdeas.models.differences import MOST_MOVED, MOST_PLAIN, lit, margin, match, mean, relit, score, usual
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
    """Two photos, whole, at half and at a quarter -> features at 1/2, 1/4, 1/8 of unusual differences."""

    def __init__(self, half: int, quarter: int, eighth: int):
        super().__init__()
        self.plain = nn.Sequential(nn.Conv2d(3, half, 2, 2, bias=False), nn.BatchNorm2d(half))
        self.still = nn.Conv2d(3, half, 3, 1, 1, bias=False)
        self.calm = nn.Conv2d(3, quarter, 3, 1, 1, bias=False)
        self.at4 = SeparableUnit(half, quarter, stride=2)
        self.at8 = SeparableUnit(quarter, eighth, stride=2)

    def forward(self, whole: Pair, halves: Pair, quarters: Pair) -> tuple[Tensor, Tensor, Tensor]:
        # What is usual is asked at half size: as good an answer at a quarter of the work.
        plain, coarse = ((image - background).abs() for image, background in (whole, halves))
        plain = score(plain, usual(coarse, MOST_PLAIN))
        margins = margin(*halves), margin(*quarters)  # forgive two pixels and four
        still, calm = (score(one, usual(one, MOST_MOVED)) for one in margins)
        half = F.relu(self.plain(plain)) + F.relu(self.still(still))  # 16 x 112
        quarter = self.at4(half) + self.calm(calm)  # 32 x 56
        return half, quarter, self.at8(quarter)  # 64 x 28


class Residual(nn.Module):
    """x + a separable unit of it."""

    def __init__(self, width: int):
        super().__init__()
        self.unit = SeparableUnit(width, width)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.unit(x)


class Fuse(nn.Module):
    """Features of both photos at one level -> what changed and what is there."""

    def __init__(self, width: int, out: int):
        super().__init__()
        self.mix = ConvUnit(3 * width, out, kernel=1)

    def forward(self, image: Tensor, background: Tensor) -> Tensor:
        return self.mix(torch.cat([image, background, F.relu(margin(image, background))], 1))


class Trunk(nn.Module):
    """Fused features at 1/8 and the image's at 1/16 and 1/32 -> features at 1/8 of the whole picture."""

    def __init__(self, eighth: int, sixteenth: int, deepest: int):
        super().__init__()
        third, fourth = LiteEncoder.widths[2:]
        self.down4 = SeparableUnit(eighth, sixteenth, stride=2)
        self.seen4 = ConvUnit(third, sixteenth, kernel=1)
        self.mix4 = Residual(sixteenth)
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
        self.head = nn.ConvTranspose2d(half, 1, 2, 2)

    def forward(self, eighth: Tensor, quarter: Tensor, half: Tensor) -> Tensor:
        x = self.at4(quarter + double(self.at8(eighth)))  # 32 x 56
        x = self.at2(half + double(self.narrow(x)))  # 16 x 112
        return self.head(x)  # 1 x 224


class TwinCore(nn.Module):
    """(B, 3, h, w) twice -> mask logits and depth (B, 1, h, w); h and w multiples of 32.

    Input: widths: of the features at 1/2, 1/4, 1/8, 1/16 and 1/32.
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
        num = image.shape[0]  # not len(): that fixes the batch of an exported graph
        image2, background2 = halve(image), halve(background)
        image4 = halve(image2)
        light = match(halve(halve(background2)), halve(image4))
        background2 = lit(background2, image2, *light)
        whole, halves = (image, relit(background, *light)), (image2, background2)
        half, quarter, eighth = self.scores(whole, halves, (image4, halve(background2)))
        # One pass over both photos: twice the batch, half the calls.
        first, second = self.encoder.shallow(torch.cat([image2, background2], 0))  # 16 x 56, 24 x 28
        third, fourth = self.encoder.deep(second[:num])  # 40 x 14, 112 x 7
        quarter = quarter + self.fuse4(first[:num], first[num:])
        eighth = self.trunk(eighth + self.fuse8(second[:num], second[num:]), third, fourth)
        # Depth is told what is new and does not bend what the mask is drawn from.
        fine = torch.cat([first[:num], quarter.detach()], 1), torch.cat([second[:num], eighth.detach()], 1)
        depth = self.depth_decoder(*fine, third, fourth)
        return self.mask_decoder(eighth, quarter, half), self.quadruple(depth)
