"""Differences between two photos, robust to exposure, small shifts and noise.

The background's exposure is matched to the image, shifts of a pixel are tolerated, and a difference counts
relative to the typical difference of its pair. Only sums, products and 3×3 pools are used, so that every
runtime supports them.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

_TWO_LEVELS = 2 / 255  # smallest typical difference; with 1 / 255 rounding would score high in clean pairs
MOST_PLAIN, MOST_MOVED = 0.07, 0.035  # larger differences count as this in the typical difference of a pair
_TYPICAL_SCORE, _MOST_SCORE = 0.2, 4.0  # score of a typical difference, and largest score (20 × typical)
_FLAT = 0.001  # variance below which a channel does not determine its gain
_FAR, _NEAR = 0.11, 0.0045  # in `match`: larger residuals count as _FAR; smallest scale of the residuals
_ROUNDS = 3  # of reweighting in `match`
_BURNT, _RAMP = 0.96, 0.03  # a photo is partly saturated from _BURNT, and fully from _BURNT + _RAMP


def mean_per_channel(x: Tensor) -> Tensor:
    """Mean over height and width: (B, C, h, w) -> (B, C, 1, 1).

    One axis after the other: ONNX Runtime sums a whole picture in one float32, which loses two digits.
    """
    return x.mean(3, keepdim=True).mean(2, keepdim=True)


def match(background: Tensor, image: Tensor) -> tuple[Tensor, Tensor]:
    """Gain and offset, per channel, that bring the background closest to the image.

    They remove the drift of exposure and white balance between the photos. The foreground must not influence
    them, so this is least squares with Cauchy weights, reweighted _ROUNDS times by each pixel's residual in
    units of the pair's typical residual. A channel that is flat in the background keeps gain 1.

    Input: two (B, 3, h, w) in [0, 1]; small ones suffice. Output: two (B, 3, 1, 1).
    """
    both = torch.cat([background, image], 1)
    level = mean_per_channel(both)
    centred = both - level  # moments about the mean keep more digits
    known, seen = centred.split(3, 1)
    moments = torch.cat([centred, known * known + _FLAT, known * seen + _FLAT], 1)
    gain: Tensor | float = 1.0
    offset: Tensor | float = 0.0
    for _ in range(_ROUNDS):
        residual = (seen - gain * known - offset).abs().mean(1, keepdim=True)
        typical = residual.clamp(max=_FAR).mean((2, 3), keepdim=True) + _NEAR
        residual = residual / typical
        weight = 1 / (residual * residual + 0.25)  # Cauchy's; a common factor of the weights cancels below
        means = (moments * weight).mean((2, 3), keepdim=True) / weight.mean((2, 3), keepdim=True)
        first, second, square, product = means.chunk(4, 1)
        gain = ((product - first * second) / (square - first * first)).clamp(0.4, 2.5)
        offset = second - gain * first
    assert isinstance(gain, Tensor)
    middle, target = level.split(3, 1)
    return gain, offset + target - gain * middle


def relit(background: Tensor, gain: Tensor, offset: Tensor) -> Tensor:
    """The background with the image's exposure, clipped to [0, 1].

    Input: background: (B, 3, h, w) in [0, 1]; gain and offset as from `match`. Output: like background.
    """
    return (gain * background + offset).clamp(0, 1)


def relit_with_saturation(background: Tensor, image: Tensor, gain: Tensor, offset: Tensor) -> Tensor:
    """The background with the image's exposure; where it is saturated, the image's value if that is brighter.

    A saturated pixel only gives a lower bound of the light there, so a brighter image is no difference.

    Input: photos (B, 3, h, w) in [0, 1]; gain and offset as from `match`. Output: (B, 3, h, w) in [0, 1].
    """
    matched = relit(background, gain, offset)
    burnt = ((background - _BURNT) / _RAMP).clamp(0, 1)
    return matched + burnt * F.relu(image - matched)


def margin(image: Tensor, background: Tensor) -> Tensor:
    """How far each pixel of the image lies outside the range of the background's 3×3 pixels around it.

    Zero or less where the backdrop moved by at most a pixel; a plain difference would not be.
    Input: two (B, C, h, w). Output: (B, C, h, w).
    """
    above = image - F.max_pool2d(background, 3, 1, 1)
    below = -(image + F.max_pool2d(-background, 3, 1, 1))
    return torch.maximum(above, below)


def typical_difference(difference: Tensor, most: float) -> Tensor:
    """The typical difference of each pair: the mean of its differences, each clipped to [0, most].

    Input: difference: (B, C, h, w) in the photos' unit; most: upper limit, so that a large foreground does
        not raise the mean and thereby lower its own score.
    Output: (B, 1, 1, 1) >= 0.
    """
    return difference.clamp(0.0, most).mean(3, keepdim=True).mean((1, 2), keepdim=True)


def score(difference: Tensor, typical: Tensor) -> Tensor:
    """A difference relative to the typical difference of its pair: small ones score high in clean pairs.

    Input: difference: (B, C, h, w), negative values count as 0; typical: (B, 1, 1, 1), see
        `typical_difference`.
    Output: (B, C, h, w) in [0, 4].
    """
    return (difference * (_TYPICAL_SCORE / (typical + _TWO_LEVELS))).clamp(0.0, _MOST_SCORE)
