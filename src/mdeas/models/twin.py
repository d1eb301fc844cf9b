"""`twin`: one encoder for both photos, scores of their differences, and a decoder for each task.

What large maps cost is kept to a few channels: photos are looked at from a quarter of their size down, and
only the scores of their differences, which draw the mask's edge, at a half. Shapes in comments are for a
224x224 pair and `twin-s`.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mdeas.models import register
from mdeas.models.base import PairNetwork
from mdeas.models.blocks import ConvUnit, enlarge

# In units of the normalised photos, in which one of 255 levels is about .017.
_ONE_LEVEL = 0.017
_MOST_USUAL = 20.0
_FLAT = 0.02  # variance below which a channel says nothing about its gain
_ROUNDS = 3


@register("twin-s", reference="this project", parameters=1_628_900)
def twin_s() -> PairNetwork:
    """The small one: 1.6 million parameters, 1.1 GFLOP at 224x224."""
    return PairNetwork(TwinCore(widths=(16, 32, 64, 96, 160)), multiple=32)


@register("twin-m", reference="this project", parameters=3_651_788)
def twin_m() -> PairNetwork:
    """The larger one: half as wide again, 3.7 million parameters."""
    return PairNetwork(TwinCore(widths=(24, 48, 96, 144, 240)), multiple=32)


def mean(x: Tensor) -> Tensor:
    """Over each channel's picture: (B, C, h, w) -> (B, C, 1, 1).

    Axis by axis: ONNX Runtime adds up all of a picture in float32 one by one, which costs two digits.
    """
    return x.mean(3, keepdim=True).mean(2, keepdim=True)


def match(background: Tensor, image: Tensor) -> Tensor:
    """The background with the gain and offset, per channel, that bring it closest to the image.

    Exposure and white balance that drifted between the photos are gone before anything else looks. What was
    added must not count: least squares, reweighted _ROUNDS times by how far each place is off (Cauchy's
    weights, in units of what is usual in the pair). A channel that is flat in the background keeps its gain.

    Input: two (B, 3, h, w), normalised, h and w multiples of 4. Output: (B, 3, h, w).
    """
    small, seen = F.avg_pool2d(background, 4), F.avg_pool2d(image, 4)
    gain, offset = torch.ones_like(mean(small)), torch.zeros_like(mean(small))
    for _ in range(_ROUNDS):
        off = (seen - gain * small - offset).abs().mean(1, keepdim=True)
        weight = 1 / (1 + (2 * off / (mean(off.clamp(max=0.5)) + 0.02)) ** 2)
        weight = weight / mean(weight)
        centre, target = mean(weight * small), mean(weight * seen)
        spread, common = small - centre, weight * (small - centre)
        gain = (mean(common * (seen - target)) + _FLAT) / (mean(common * spread) + _FLAT)
        gain = gain.clamp(0.4, 2.5)
        offset = target - gain * centre
    return gain * background + offset


def margin(image: Tensor, background: Tensor, window: int = 3) -> Tensor:
    """How far each place of the image lies outside the range of the background's `window` around it.

    Zero wherever the backdrop moved by up to window // 2 cells, which a plain difference is not.
    Input: two (B, C, h, w). Output: (B, C, h, w) >= 0.
    """
    around = window // 2
    above = F.relu(image - F.max_pool2d(background, window, 1, around))
    below = F.relu(-F.max_pool2d(-background, window, 1, around) - image)
    return above + below


def score(difference: Tensor, most: float) -> Tensor:
    """A difference in units of what is usual in its picture: in a clean pair a small one stands out.

    Input: difference: (B, C, h, w) >= 0, averaged over C; most: what counts at most towards the usual, so
        that large things do not hide themselves. Both in units of the normalised photos.
    Output: (B, 1, h, w) in [0, 4].
    """
    difference = difference.mean(1, keepdim=True)
    usual = mean(difference.clamp(max=most))
    return (difference / (usual + _ONE_LEVEL)).clamp(max=_MOST_USUAL) / 5


class Scores(nn.Module):
    """Two photos (B, 3, h, w) -> features at 1/2, 1/4 and 1/8 of where their differences are unusual."""

    def __init__(self, widths: tuple[int, ...]):
        super().__init__()
        half, quarter, eighth = widths[:3]
        self.at2 = nn.Sequential(ConvUnit(9, half), ConvUnit(half, half))
        self.at4 = ConvUnit(half, quarter, stride=2)
        self.at8 = ConvUnit(quarter, eighth, stride=2)

    def forward(self, image: Tensor, background: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        plain = score((image - background).abs(), 0.3)
        still = score(margin(image, background), 0.15)
        # Forgives four pixels; at half size a window of 5 costs what one of 9 would not.
        calm = score(margin(F.avg_pool2d(image, 2), F.avg_pool2d(background, 2), 5), 0.15)
        half = self.at2(torch.cat([F.pixel_unshuffle(torch.cat([plain, still], 1), 2), calm], 1))  # 16 x 112
        quarter = self.at4(half)  # 32 x 56
        return half, quarter, self.at8(quarter)  # 64 x 28


class Residual(nn.Module):
    """x + conv units; `depth` convolutions, the last without activation of its own."""

    def __init__(self, width: int, depth: int = 2):
        super().__init__()
        self.units = nn.Sequential(*(ConvUnit(width, width) for _ in range(depth - 1)))
        self.last = nn.Sequential(nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width))

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.last(self.units(x)))


class Encoder(nn.Module):
    """One photo (B, 3, h, w) -> features at 1/4 and 1/8; both photos go through the same weights."""

    def __init__(self, quarter: int, eighth: int):
        super().__init__()
        patches = nn.Conv2d(3, quarter, 8, 4, 2, bias=False)
        self.at4 = nn.Sequential(
            patches, nn.BatchNorm2d(quarter), nn.ReLU(inplace=True), Residual(quarter, 1)
        )
        self.at8 = nn.Sequential(ConvUnit(quarter, eighth, stride=2), Residual(eighth, 1))

    def forward(self, photo: Tensor) -> tuple[Tensor, Tensor]:
        quarter = self.at4(photo)  # 32 x 56
        return quarter, self.at8(quarter)  # 64 x 28


class Fuse(nn.Module):
    """Features of both photos at one level -> what changed and what is there."""

    def __init__(self, width: int):
        super().__init__()
        self.mix = ConvUnit(3 * width, width, kernel=1)

    def forward(self, image: Tensor, background: Tensor) -> Tensor:
        return self.mix(torch.cat([image, background, margin(image, background)], 1))


class Trunk(nn.Module):
    """Fused features at 1/8 -> features at 1/8 that know the whole picture and how far down they are."""

    slope: Tensor

    def __init__(self, eighth: int, sixteenth: int, deepest: int):
        super().__init__()
        self.down4 = nn.Sequential(ConvUnit(eighth + 1, sixteenth, stride=2), Residual(sixteenth))
        self.down5 = nn.Sequential(
            ConvUnit(sixteenth, deepest, stride=2), Residual(deepest), Residual(deepest)
        )
        self.whole = nn.Conv2d(deepest, deepest, 1)
        self.up5 = ConvUnit(deepest, sixteenth, kernel=1)
        self.join4 = ConvUnit(sixteenth, sixteenth)
        self.up4 = ConvUnit(sixteenth, eighth, kernel=1)
        self.register_buffer("slope", torch.tensor([-1.0, 1.0]).view(1, 1, 2, 1), persistent=False)

    def forward(self, eighth: Tensor) -> Tensor:
        height = enlarge(self.slope, eighth.shape[-2:]).expand(eighth.shape[0], -1, -1, -1)
        sixteenth = self.down4(torch.cat([eighth, height], 1))  # 96 x 14
        deepest = self.down5(sixteenth)  # 160 x 7
        deepest = deepest + self.whole(mean(deepest))
        sixteenth = self.join4(sixteenth + enlarge(self.up5(deepest), sixteenth.shape[-2:]))
        return eighth + enlarge(self.up4(sixteenth), eighth.shape[-2:])


class MaskDecoder(nn.Module):
    """Features at 1/8 with skips at 1/4 and 1/2 -> one channel at full size."""

    def __init__(self, half: int, quarter: int, eighth: int):
        super().__init__()
        self.at8 = ConvUnit(eighth, quarter)
        self.at4 = ConvUnit(quarter, quarter)
        self.narrow = ConvUnit(quarter, half, kernel=1)
        self.at2 = ConvUnit(half, half)
        self.head = nn.Conv2d(half, 4, 3, 1, 1)

    def forward(self, eighth: Tensor, quarter: Tensor, half: Tensor) -> Tensor:
        x = self.at4(quarter + enlarge(self.at8(eighth), quarter.shape[-2:]))  # 32 x 56
        x = self.at2(half + enlarge(self.narrow(x), half.shape[-2:]))  # 16 x 112
        return F.pixel_shuffle(self.head(x), 2)  # 1 x 224


class DepthDecoder(nn.Module):
    """Features at 1/8 with a skip at 1/4 -> one channel at full size."""

    def __init__(self, quarter: int, eighth: int):
        super().__init__()
        self.at8 = nn.Sequential(ConvUnit(eighth, eighth), ConvUnit(eighth, quarter))
        self.at4 = ConvUnit(quarter, quarter)
        self.head = nn.Conv2d(quarter, 16, 3, 1, 1)

    def forward(self, eighth: Tensor, quarter: Tensor) -> Tensor:
        x = self.at4(quarter + enlarge(self.at8(eighth), quarter.shape[-2:]))  # 32 x 56
        return F.pixel_shuffle(self.head(x), 4)  # 1 x 224


class TwinCore(nn.Module):
    """(B, 3, h, w) twice -> mask logits and depth (B, 1, h, w); h and w multiples of 32.

    Input: widths: of the features at 1/2, 1/4, 1/8, 1/16 and 1/32.
    """

    def __init__(self, widths: tuple[int, int, int, int, int]):
        super().__init__()
        half, quarter, eighth = widths[:3]
        self.scores = Scores(widths)
        self.encoder = Encoder(quarter, eighth)
        self.fuse = nn.ModuleList((Fuse(quarter), Fuse(eighth)))
        self.trunk = Trunk(*widths[2:])
        self.mask_decoder = MaskDecoder(half, quarter, eighth)
        self.depth_decoder = DepthDecoder(quarter, eighth)

    def forward(self, background: Tensor, image: Tensor) -> tuple[Tensor, Tensor]:
        background = match(background, image)
        # One pass over both photos: twice the batch, half the calls.
        both = self.encoder(torch.cat([image, background], 0))
        num = image.shape[0]  # not len(): that fixes the batch of an exported graph
        fused = [fuse(level[:num], level[num:]) for fuse, level in zip(self.fuse, both, strict=True)]
        half, *seen = self.scores(image, background)
        quarter, eighth = (level + unusual for level, unusual in zip(fused, seen, strict=True))
        eighth = self.trunk(eighth)
        return self.mask_decoder(eighth, quarter, half), self.depth_decoder(eighth, quarter)
