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
from mdeas.models.blocks import ConvUnit, enlarge
from mdeas.models.pretrained import build_timm, lite0_state

_ONE_LEVEL = 1 / 255
_MOST_PLAIN, _MOST_MOVED = 0.07, 0.035  # what a difference counts at most towards what is usual in its pair
_MOST_USUAL = 20.0
_FLAT = 0.001  # variance below which a channel says nothing about its gain
_FAR, _NEAR = 0.11, 0.0045  # largest difference that counts as usual when gains are sought, and its floor
_ROUNDS = 3
_BURNT, _RAMP = 0.96, 0.03  # level from which on a photo is taken to be saturated, and surely so this far on


@register("twin-s", reference="this project; encoder: EfficientNet-Lite0", parameters=1_471_173)
def twin_s(pretrained: bool = False) -> PairNetwork:
    """The small one: .6 GFLOP at 224x224. pretrained: the encoder's weights, see pretrained.lite0_state."""
    return _twin((16, 32, 64, 96, 128), pretrained)


@register("twin-m", reference="this project; encoder: EfficientNet-Lite0", parameters=3_257_797)
def twin_m(pretrained: bool = False) -> PairNetwork:
    """The larger one: twice as wide behind the same encoder. pretrained: as for twin_s."""
    return _twin((32, 64, 96, 160, 256), pretrained)


def _twin(widths: tuple[int, int, int, int, int], pretrained: bool) -> PairNetwork:
    core = TwinCore(widths)
    if pretrained:
        core.encoder.load_published()
    return PairNetwork(core, multiple=32, mean=None)


def mean(x: Tensor) -> Tensor:
    """Over each channel's picture: (B, C, h, w) -> (B, C, 1, 1).

    Axis by axis: ONNX Runtime adds up all of a picture in float32 one by one, which costs two digits.
    """
    return x.mean(3, keepdim=True).mean(2, keepdim=True)


def halve(x: Tensor) -> Tensor:
    """Mean of 2x2 cells, h and w even; as a resize, which takes ONNX Runtime a third of a pool's time."""
    return F.interpolate(x, scale_factor=0.5, mode="bilinear", align_corners=False)


def double(x: Tensor, times: int = 2) -> Tensor:
    """Bilinear enlarging of a map whose sides divide evenly.

    By a factor, not to another map's size: ONNX Runtime's fast layout takes factors that it knows beforehand.
    """
    return F.interpolate(x, scale_factor=float(times), mode="bilinear", align_corners=False)


def match(background: Tensor, image: Tensor) -> tuple[Tensor, Tensor]:
    """Gain and offset, per channel, that bring the background closest to the image.

    With them, exposure and white balance that drifted between the photos are gone before anything else looks.
    What was added must not count: least squares, reweighted _ROUNDS times by how far each place is off
    (Cauchy's weights, in units of what is usual in the pair). A channel that is flat in the background keeps
    its gain.

    Input: two (B, 3, h, w) in [0, 1]; small ones do. Output: two (B, 3, 1, 1).
    """
    gain, offset = torch.ones_like(mean(background)), torch.zeros_like(mean(background))
    for _ in range(_ROUNDS):
        off = (image - gain * background - offset).abs().mean(1, keepdim=True)
        weight = 1 / (1 + (2 * off / (mean(off.clamp(max=_FAR)) + _NEAR)) ** 2)
        weight = weight / mean(weight)
        centre, target = mean(weight * background), mean(weight * image)
        spread, common = background - centre, weight * (background - centre)
        gain = (mean(common * (image - target)) + _FLAT) / (mean(common * spread) + _FLAT)
        gain = gain.clamp(0.4, 2.5)
        offset = target - gain * centre
    return gain, offset


def lit(background: Tensor, image: Tensor, gain: Tensor, offset: Tensor) -> Tensor:
    """The background in the image's light, as far as both cameras could show it.

    What is above the range in that light is white. Where the background is burnt out its light is known from
    below only: what the image shows there, if brighter, may be it.

    Input: photos (B, 3, h, w) in [0, 1]; gain and offset as from `match`. Output: (B, 3, h, w) in [0, 1].
    """
    matched = (gain * background + offset).clamp(0, 1)
    burnt = ((background - _BURNT) / _RAMP).clamp(0, 1)
    return matched + burnt * F.relu(image - matched)


def margin(image: Tensor, background: Tensor) -> Tensor:
    """How far each place of the image lies outside the range of the 3x3 cells of the background around it.

    Zero wherever the backdrop moved by up to a cell, which a plain difference is not.
    Input: two (B, C, h, w). Output: (B, C, h, w) >= 0.
    """
    above = F.relu(image - F.max_pool2d(background, 3, 1, 1))
    below = F.relu(-F.max_pool2d(-background, 3, 1, 1) - image)
    return above + below


def score(difference: Tensor, most: float) -> Tensor:
    """A difference in units of what is usual in its picture: in a clean pair a small one stands out.

    Input: difference: (B, C, h, w) >= 0, averaged over C; most: what counts at most towards the usual, so
        that large things do not hide themselves. Both in units of the photos' range.
    Output: (B, 1, h, w) in [0, 4].
    """
    difference = difference.mean(1, keepdim=True)
    usual = mean(difference.clamp(max=most))
    return (difference / (usual + _ONE_LEVEL)).clamp(max=_MOST_USUAL) / 5


class Scores(nn.Module):
    """Two photos, and both at half size -> features at 1/2, 1/4 and 1/8 of where they differ unusually."""

    def __init__(self, half: int, quarter: int, eighth: int):
        super().__init__()
        self.plain = nn.Conv2d(1, half, 4, 2, 1, bias=False)
        self.still = nn.Conv2d(1, half, 3, 1, 1, bias=False)
        self.norm = nn.BatchNorm2d(half)
        self.calm = nn.Conv2d(1, quarter, 3, 1, 1, bias=False)
        self.at4 = ConvUnit(half, quarter, stride=2)
        self.at8 = ConvUnit(quarter, eighth, stride=2)

    def forward(self, image: Tensor, background: Tensor, halves: tuple[Tensor, Tensor]):
        plain = score((image - background).abs(), _MOST_PLAIN)
        still = score(margin(*halves), _MOST_MOVED)  # forgives two pixels
        calm = score(margin(*map(halve, halves)), _MOST_MOVED)  # and this one four
        half = F.relu(self.norm(self.plain(plain) + self.still(still)))  # 16 x 112
        quarter = self.at4(half) + self.calm(calm)  # 32 x 56
        return half, quarter, self.at8(quarter)  # 64 x 28


class Residual(nn.Module):
    """x + conv units; `depth` convolutions, the last without activation of its own."""

    def __init__(self, width: int, depth: int = 2):
        super().__init__()
        self.units = nn.Sequential(*(ConvUnit(width, width) for _ in range(depth - 1)))
        self.last = nn.Sequential(nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width))

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.last(self.units(x)))


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
        self.down4, self.seen4 = ConvUnit(eighth, sixteenth, stride=2), ConvUnit(third, sixteenth, kernel=1)
        self.height = nn.Parameter(torch.zeros(1, sixteenth, 1, 1))
        self.mix4 = Residual(sixteenth, 1)
        self.down5, self.seen5 = ConvUnit(sixteenth, deepest, stride=2), ConvUnit(fourth, deepest, kernel=1)
        self.mix5 = Residual(deepest)
        self.whole = nn.Conv2d(deepest, deepest, 1)
        self.up5 = ConvUnit(deepest, sixteenth, kernel=1)
        self.join4 = ConvUnit(sixteenth, sixteenth)
        self.up4 = ConvUnit(sixteenth, eighth, kernel=1)
        self.join8 = ConvUnit(eighth, eighth)
        self.slope = Slope()

    def forward(self, eighth: Tensor, third: Tensor, fourth: Tensor) -> Tensor:
        sixteenth = self.down4(eighth) + self.seen4(third)
        # What a padded convolution can only guess.
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
        self.at4 = ConvUnit(quarter, quarter)
        self.narrow = ConvUnit(quarter, half, kernel=1)
        self.at2 = ConvUnit(half, half)
        self.head = nn.Conv2d(half, 4, 1)

    def forward(self, eighth: Tensor, quarter: Tensor, half: Tensor) -> Tensor:
        x = self.at4(quarter + double(self.at8(eighth)))  # 32 x 56
        x = self.at2(half + double(self.narrow(x)))  # 16 x 112
        return F.pixel_shuffle(self.head(x), 2)  # 1 x 224


class DepthDecoder(nn.Module):
    """Features at 1/8 with a skip at 1/4 -> one channel at 1/4: what differs from "nearer further down"."""

    def __init__(self, half: int, quarter: int, eighth: int):
        super().__init__()
        self.at8 = ConvUnit(eighth, quarter, kernel=1)
        self.at4 = ConvUnit(quarter, half)
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
        image2 = halve(image)
        small = halve(halve(torch.cat([image2, halve(background)], 0)))
        num = image.shape[0]  # not len(): that fixes the batch of an exported graph
        background = lit(background, image, *match(small[num:], small[:num]))
        background2 = halve(background)
        half, quarter, eighth = self.scores(image, background, (image2, background2))
        # One pass over both photos: twice the batch, half the calls.
        first, second = self.encoder.shallow(torch.cat([image2, background2], 0))  # 16 x 56, 24 x 28
        third, fourth = self.encoder.deep(second[:num])  # 40 x 14, 112 x 7
        quarter = quarter + self.fuse4(first[:num], first[num:])
        eighth = self.trunk(eighth + self.fuse8(second[:num], second[num:]), third, fourth)
        depth = self.depth_decoder(eighth, quarter)
        return self.mask_decoder(eighth, quarter, half), double(depth, 4)
