"""`twin`: one encoder for both photos, differences that forgive a pixel of shift, two decoders.

The larger one also sees, at full size, how unusual each difference is in its pair. Shapes in comments are for
a 224x224 pair and `twin-s`.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mdeas.models import register
from mdeas.models.base import PairNetwork
from mdeas.models.blocks import ConvUnit, enlarge

_QUARTER_LEVEL = 0.004  # of 255, in units of the normalised photos: below is rounding
_MOST_USUAL = 20


@register("twin-s", reference="this project", parameters=1_165_768)
def twin_s() -> PairNetwork:
    """The small one: about a million parameters, under 1 GFLOP at 224x224."""
    return PairNetwork(TwinCore(widths=(16, 32, 56, 96, 128)), multiple=32)


@register("twin-m", reference="this project", parameters=2_032_296)
def twin_m() -> PairNetwork:
    """The larger one, with scores of the differences: under 2.5 GFLOP at 224x224."""
    return PairNetwork(TwinCore(widths=(24, 48, 80, 128, 160), scored=True), multiple=32)


class Residual(nn.Module):
    """x + conv units; `depth` convolutions, the last without activation of its own."""

    def __init__(self, width: int, depth: int = 2):
        super().__init__()
        self.units = nn.Sequential(*(ConvUnit(width, width) for _ in range(depth - 1)))
        self.last = nn.Sequential(nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width))

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.last(self.units(x)))


def margin(image: Tensor, background: Tensor) -> Tensor:
    """How far each image feature lies outside the range of the 3x3 background features around it.

    Zero wherever the backdrop moved by up to one cell, which a plain difference is not.
    Input: two (B, C, h, w). Output: (B, C, h, w) >= 0.
    """
    above = F.relu(image - F.max_pool2d(background, 3, 1, 1))
    below = F.relu(-F.max_pool2d(-background, 3, 1, 1) - image)
    return above + below


class Fuse(nn.Module):
    """Features of both photos at one level -> what changed and what is there."""

    def __init__(self, num_in: int, num_out: int):
        super().__init__()
        self.mix = ConvUnit(3 * num_in, num_out, kernel=1)

    def forward(self, image: Tensor, background: Tensor) -> Tensor:
        return self.mix(torch.cat([image, background, margin(image, background)], 1))


class Encoder(nn.Module):
    """One photo (B, 3, h, w) -> features at 1/2, 1/4 and 1/8; both photos go through the same weights."""

    def __init__(self, widths: tuple[int, ...]):
        super().__init__()
        half, quarter, eighth = widths[:3]
        self.at2 = ConvUnit(12, half)
        self.at4 = nn.Sequential(ConvUnit(half, quarter, stride=2), Residual(quarter, 1))
        self.at8 = nn.Sequential(ConvUnit(quarter, eighth, stride=2), Residual(eighth, 1))

    def forward(self, photo: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        half = self.at2(F.pixel_unshuffle(photo, 2))  # 16 x 112
        quarter = self.at4(half)  # 32 x 56
        return half, quarter, self.at8(quarter)  # 56 x 28


def score(difference: Tensor, most: float) -> Tensor:
    """A difference in units of what is usual in its picture: in a clean pair a small one stands out.

    Input: difference: (B, 1, h, w) >= 0; most: what counts at most towards the usual, so that large things do
        not hide themselves. Both in units of the normalised photos (`base.IMAGENET_STD` of the range).
    Output: (B, 1, h, w) in [0, 4].
    """
    usual = difference.clamp(max=most).mean((2, 3), keepdim=True)
    return (difference / (usual + _QUARTER_LEVEL)).clamp(max=_MOST_USUAL) / 5


class Scores(nn.Module):
    """Two photos (B, 3, h, w) -> features at 1/2, 1/4 and 1/8 of where their differences are unusual."""

    def __init__(self, widths: tuple[int, ...]):
        super().__init__()
        half, quarter, eighth = widths[:3]
        self.at2 = nn.Sequential(ConvUnit(8, half), ConvUnit(half, half))
        self.at4 = ConvUnit(half, quarter, stride=2)
        self.at8 = ConvUnit(quarter, eighth, stride=2)

    def forward(self, image: Tensor, background: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        plain = (image - background).abs().mean(1, keepdim=True)
        still = margin(image, background).mean(1, keepdim=True)  # forgives a pixel of shift
        scores = torch.cat([score(plain, 0.3), score(still, 0.15)], 1)
        half = self.at2(F.pixel_unshuffle(scores, 2))
        quarter = self.at4(half)
        return half, quarter, self.at8(quarter)


class Trunk(nn.Module):
    """Fused features at 1/8 -> features at 1/8 that know the whole picture."""

    def __init__(self, widths: tuple[int, ...]):
        super().__init__()
        eighth, sixteenth, deepest = widths[2:]
        self.down4 = nn.Sequential(ConvUnit(eighth, sixteenth, stride=2), Residual(sixteenth))
        self.down5 = nn.Sequential(
            ConvUnit(sixteenth, deepest, stride=2), Residual(deepest), Residual(deepest)
        )
        self.whole = nn.Conv2d(deepest, deepest, 1)
        self.up5 = ConvUnit(deepest, sixteenth, kernel=1)
        self.join4 = ConvUnit(sixteenth, sixteenth)
        self.up4 = ConvUnit(sixteenth, eighth, kernel=1)

    def forward(self, eighth: Tensor) -> Tensor:
        sixteenth = self.down4(eighth)  # 96 x 14
        deepest = self.down5(sixteenth)  # 128 x 7
        deepest = deepest + self.whole(deepest.mean((2, 3), keepdim=True))
        sixteenth = self.join4(sixteenth + enlarge(self.up5(deepest), sixteenth.shape[-2:]))
        return eighth + enlarge(self.up4(sixteenth), eighth.shape[-2:])


class Decoder(nn.Module):
    """Features at 1/8 with skips at 1/4 and 1/2 -> one channel at full size."""

    def __init__(self, widths: tuple[int, ...]):
        super().__init__()
        half, quarter, eighth = widths[:3]
        self.at8 = ConvUnit(eighth, quarter)
        self.at4 = ConvUnit(quarter, quarter)
        self.narrow = ConvUnit(quarter, half, kernel=1)
        self.at2 = ConvUnit(half, half)
        self.head = nn.Conv2d(half, 4, 3, 1, 1)

    def forward(self, eighth: Tensor, quarter: Tensor, half: Tensor) -> Tensor:
        x = self.at4(quarter + enlarge(self.at8(eighth), quarter.shape[-2:]))  # 32 x 56
        x = self.at2(half + enlarge(self.narrow(x), half.shape[-2:]))  # 16 x 112
        return F.pixel_shuffle(self.head(x), 2)  # 1 x 224


class TwinCore(nn.Module):
    """(B, 3, h, w) twice -> mask logits and depth (B, 1, h, w); h and w multiples of 32.

    Input:
        widths: of the features at 1/2, 1/4, 1/8, 1/16 and 1/32.
        scored: whether `Scores` adds to the features of the photos.
    """

    def __init__(self, widths: tuple[int, int, int, int, int], *, scored: bool = False):
        super().__init__()
        self.scores = Scores(widths) if scored else None
        self.encoder = Encoder(widths)
        self.fuse = nn.ModuleList(Fuse(width, width) for width in widths[:3])
        self.trunk = Trunk(widths)
        self.mask_decoder = Decoder(widths)
        self.depth_decoder = Decoder(widths)

    def forward(self, background: Tensor, image: Tensor) -> tuple[Tensor, Tensor]:
        # One pass over both photos: twice the batch, half the calls.
        both = self.encoder(torch.cat([image, background], 0))
        num = image.shape[0]  # not len(): that fixes the batch of an exported graph
        halves = [(level[:num], level[num:]) for level in both]  # `chunk` does not export
        levels = [fuse(*pair) for fuse, pair in zip(self.fuse, halves, strict=True)]
        if self.scores is not None:
            levels = [
                level + seen for level, seen in zip(levels, self.scores(image, background), strict=True)
            ]
        half, quarter, eighth = levels
        eighth = self.trunk(eighth)
        return self.mask_decoder(eighth, quarter, half), self.depth_decoder(eighth, quarter, half)
