"""How the light changed between the two photos: one gain per channel, whatever stands in the image.

The gain is the most frequent one: the ratios of what is not covered lie close together in all three channels
at once, those of the foreground are spread. Where the structures agree a place counts more, where they do not
it hardly counts. What is too dark or saturated in one of the photos tells nothing.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from mdeas.pairing.tiles import Tiles

DISPLAY = 2.2
"""Light is the level to this power: close enough to sRGB, and a power commutes with every gain."""
_CELL = 8  # pixels of a View that one ratio is taken from
_DARKEST, _BRIGHTEST = 10, 243  # levels between which a ratio means light
_LARGEST = 2.2  # natural logarithm of the largest gain of light looked for: 9 times
_BIN = 0.1
_STAY = 1.3  # times the votes that another gain needs over no change
_AGREES = 3.0  # weight of tiles that agree
_DIFFERS = 0.2  # weight of tiles with structure that do not
_NEAR = 0.3  # ratios this far from the most frequent one take part in the fit
_FEWEST = 30
_ROUNDS = 5


@dataclass(frozen=True, kw_only=True)
class Light:
    """Gain of the light from the background to the image."""

    gain: np.ndarray
    """float64 (3,): times the background's light, RGB."""
    support: float
    """Share of the cells that can tell that have this gain, 0 to 1."""
    known: float
    """Share of the cells that can tell, 0 to 1."""


def fit_light(background: np.ndarray, image: np.ndarray, valid: np.ndarray, tiles: Tiles) -> Light:
    """Fit the gain of aligned photos.

    Input: uint8 (h, w, 3) RGB; valid: float32 (h, w), 1 where the background has pixels; tiles of both.
    Output: the gain, (1, 1, 1) when too little can tell.
    """
    height, width = valid.shape
    grid = max(1, width // _CELL), max(1, height // _CELL)
    first, second, inside = (
        cv2.resize(array, grid, interpolation=cv2.INTER_AREA).astype(np.float32)
        for array in (background, image, valid)
    )
    dark, bright = np.minimum(first, second).min(2), np.maximum(first, second).max(2)
    telling = (dark > _DARKEST) & (bright < _BRIGHTEST) & (inside > 0.999)
    known = float(telling.mean())
    weight = cv2.resize(_weights(tiles), grid, interpolation=cv2.INTER_NEAREST)[telling]
    ratio = np.float32(DISPLAY) * np.log(second[telling] / first[telling])
    if len(ratio) < _FEWEST:
        return Light(gain=np.ones(3), support=0.0, known=known)
    gain, near = _refined(ratio, weight, _most_frequent(ratio, weight))
    return Light(gain=np.exp(gain), support=float(near.mean()), known=known)


def _weights(tiles: Tiles) -> np.ndarray:
    weight = np.ones(tiles.agreement.shape, np.float32)
    weight[tiles.background | tiles.image] = _DIFFERS
    weight[tiles.seen] = _AGREES
    return weight


def _most_frequent(ratio: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Centre of the fullest 3×3×3 bins of (N, 3) ratios; no change, unless another one is clearly fuller."""
    side = 2 * round(_LARGEST / _BIN) + 1
    bins = np.rint(ratio / _BIN).astype(int) + side // 2
    inside = ((bins > 0) & (bins < side - 1)).all(1)
    index = np.ravel_multi_index(tuple(bins[inside].T), (side,) * 3)
    votes = np.bincount(index, weight[inside], side**3).reshape((side,) * 3)
    for axis in range(3):
        votes = votes + np.roll(votes, 1, axis) + np.roll(votes, -1, axis)
    middle = (side // 2,) * 3
    best = np.unravel_index(int(votes.argmax()), votes.shape)
    return np.zeros(3) if votes[best] <= _STAY * votes[middle] else (np.array(best) - side // 2) * _BIN


def _refined(ratio: np.ndarray, weight: np.ndarray, centre: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weighted mean of the ratios near `centre`, nearer ones more (Tukey); and which ones are near."""
    near = np.zeros(len(ratio), bool)
    for _ in range(_ROUNDS):
        distance = np.abs(ratio - centre).max(1)
        near = distance < _NEAR
        closeness = weight * (1 - (distance / _NEAR) ** 2).clip(0) ** 2
        if closeness.sum() <= 0:
            break
        centre = (closeness[:, None] * ratio).sum(0) / closeness.sum()
    return centre, near
