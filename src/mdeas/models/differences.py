"""How two photos differ: their light made one, what moved forgiven, and all in units of what is usual.

Sums, products and pools of 3x3 alone, so that every runtime takes them.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

_TWO_LEVELS = 2 / 255  # floor of what is usual: one makes rounding stand out in pairs without noise
MOST_PLAIN, MOST_MOVED = 0.07, 0.035  # what a difference counts at most towards what is usual in its pair
_USUAL_SCORE, _MOST_SCORE = 0.2, 4.0  # of what is as large as usual, and at most: 20 times the usual
_FLAT = 0.001  # variance below which a channel says nothing about its gain
_FAR, _NEAR = 0.11, 0.0045  # largest difference that counts as usual when gains are sought, and its floor
_ROUNDS = 3
_BURNT, _RAMP = 0.96, 0.03  # level from which on a photo is taken to be saturated, and surely so this far on


def mean(x: Tensor) -> Tensor:
    """Over each channel's picture: (B, C, h, w) -> (B, C, 1, 1).

    Axis by axis: ONNX Runtime adds up all of a picture in float32 one by one, which costs two digits.
    """
    return x.mean(3, keepdim=True).mean(2, keepdim=True)


def match(background: Tensor, image: Tensor) -> tuple[Tensor, Tensor]:
    """Gain and offset, per channel, that bring the background closest to the image.

    With them, exposure and white balance that drifted between the photos are gone before anything else looks.
    What was added must not count: least squares, reweighted _ROUNDS times by how far each place is off
    (Cauchy's weights, in units of what is usual in the pair). A channel that is flat in the background keeps
    its gain.

    Input: two (B, 3, h, w) in [0, 1]; small ones do. Output: two (B, 3, 1, 1).
    """
    both = torch.cat([background, image], 1)
    level = mean(both)
    about = both - level  # moments about the mean, else digits are lost
    known, seen = about.split(3, 1)
    moments = torch.cat([about, known * known + _FLAT, known * seen + _FLAT], 1)
    gain, offset = 1.0, 0.0
    for _ in range(_ROUNDS):
        off = (seen - gain * known - offset).abs().mean(1, keepdim=True)
        usual = off.clamp(max=_FAR).mean((2, 3), keepdim=True) + _NEAR
        off = off / usual
        weight = 1 / (off * off + 0.25)  # Cauchy's; their scale goes with their mean
        means = (moments * weight).mean((2, 3), keepdim=True) / weight.mean((2, 3), keepdim=True)
        first, second, square, product = means.chunk(4, 1)
        gain = ((product - first * second) / (square - first * first)).clamp(0.4, 2.5)
        offset = second - gain * first
    middle, target = level.split(3, 1)
    return gain, offset + target - gain * middle


def relit(background: Tensor, gain: Tensor, offset: Tensor) -> Tensor:
    """The background in the image's light: what is above the range in that light is white.

    Input: background: (B, 3, h, w) in [0, 1]; gain and offset as from `match`. Output: like background.
    """
    return (gain * background + offset).clamp(0, 1)


def lit(background: Tensor, image: Tensor, gain: Tensor, offset: Tensor) -> Tensor:
    """The background in the image's light, as far as both cameras could show it.

    Where the background is burnt out its light is known from below only: what the image shows there, if
    brighter, may be it.

    Input: photos (B, 3, h, w) in [0, 1]; gain and offset as from `match`. Output: (B, 3, h, w) in [0, 1].
    """
    matched = relit(background, gain, offset)
    burnt = ((background - _BURNT) / _RAMP).clamp(0, 1)
    return matched + burnt * F.relu(image - matched)


def margin(image: Tensor, background: Tensor) -> Tensor:
    """How far each place of the image lies outside the range of the 3x3 cells of the background around it.

    Zero or less wherever the backdrop moved by up to a cell, which a plain difference is not.
    Input: two (B, C, h, w). Output: (B, C, h, w).
    """
    above = image - F.max_pool2d(background, 3, 1, 1)
    below = -(image + F.max_pool2d(-background, 3, 1, 1))
    return torch.maximum(above, below)


def usual(difference: Tensor, most: float) -> Tensor:
    """What is usual in each picture of differences.

    Input: difference: (B, C, h, w), below 0 like 0; most: what counts at most, so that large things do not
        hide themselves. Both in units of the photos' range.
    Output: (B, 1, 1, 1) >= 0.
    """
    return difference.clamp(0.0, most).mean(3, keepdim=True).mean((1, 2), keepdim=True)


def score(difference: Tensor, unit: Tensor) -> Tensor:
    """A difference in units of what is usual in its picture: in a clean pair a small one stands out.

    Input: difference: (B, C, h, w), below 0 like 0; unit: (B, 1, 1, 1), as from `usual`.
    Output: (B, C, h, w) in [0, 4].
    """
    return (difference * (_USUAL_SCORE / (unit + _TWO_LEVELS))).clamp(0.0, _MOST_SCORE)
