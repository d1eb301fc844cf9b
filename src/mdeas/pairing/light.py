"""Find how the light changed between two photos, one gain per channel, and give the background that light.

The gain is the most frequent one. Where both photos show the empty scene, the ratios of their light lie close
together in all three channels; the ratios of a foreground are spread. Tiles whose structures agree count more
and tiles whose structures differ count less. Dark and saturated pixels are left out.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from mdeas.images.levels import DISPLAY_GAMMA
from mdeas.pairing.structure import TileAgreement

_CELL_PX = 8  # side of the square of a small photo that gives one ratio
_DARKEST, _BRIGHTEST = 10, 243  # levels between which a ratio of levels is a ratio of light
_MIN_CELLS = 30
_MAX_LOG_GAIN = 2.2  # largest gain that is looked for: 9 times
_BIN = 0.1  # side of a bin of log gains
_NO_CHANGE_FACTOR = 1.3  # another gain needs so many times the votes of "no change"
_WEIGHT_SAME, _WEIGHT_DIFFERENT = 3.0, 0.2  # of tiles with structure; of others 1
_NEAR = 0.3  # log ratios within this distance of the most frequent one take part in the fit
_ROUNDS = 5
_SATURATED = 250  # level


@dataclass(frozen=True, kw_only=True)
class LightChange:
    """Gain of the light from the background to the image."""

    gain: np.ndarray
    """float64 (3,): how many times the background's light, RGB."""
    support: float
    """Share of the usable cells that have this gain, 0 to 1."""
    usable: float
    """Share of the cells that are neither dark nor saturated, 0 to 1."""


def fit_light(
    background: np.ndarray, image: np.ndarray, valid: np.ndarray, tiles: TileAgreement
) -> LightChange:
    """Fit the gain between aligned photos.

    Input: uint8 (h, w, 3) RGB; valid: float32 (h, w), 1 where the background has pixels; tiles of both.
    Output: the gain; (1, 1, 1) where fewer than 30 cells are usable.
    """
    height, width = valid.shape
    grid = max(1, width // _CELL_PX), max(1, height // _CELL_PX)
    first, second, inside = (
        cv2.resize(array, grid, interpolation=cv2.INTER_AREA).astype(np.float32)
        for array in (background, image, valid)
    )
    dark, bright = np.minimum(first, second).min(2), np.maximum(first, second).max(2)
    usable = (dark > _DARKEST) & (bright < _BRIGHTEST) & (inside > 0.999)
    share = float(usable.mean())
    weight = np.ones(tiles.agreement.shape, np.float32)
    weight[tiles.background | tiles.image] = _WEIGHT_DIFFERENT
    weight[tiles.same] = _WEIGHT_SAME
    weight = cv2.resize(weight, grid, interpolation=cv2.INTER_NEAREST)[usable]
    ratio = np.float32(DISPLAY_GAMMA) * np.log(second[usable] / first[usable])
    if len(ratio) < _MIN_CELLS:
        return LightChange(gain=np.ones(3), support=0.0, usable=share)
    gain, near = _refine(ratio, weight, _most_frequent(ratio, weight))
    return LightChange(gain=np.exp(gain), support=float(near.mean()), usable=share)


def _most_frequent(ratio: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Centre of the fullest 3×3×3 bins of (N, 3) log ratios; 0 unless other bins have clearly more votes."""
    side = 2 * round(_MAX_LOG_GAIN / _BIN) + 1
    bins = np.rint(ratio / _BIN).astype(int) + side // 2
    inside = ((bins > 0) & (bins < side - 1)).all(1)
    index = np.ravel_multi_index(tuple(bins[inside].T), (side,) * 3)
    votes = np.bincount(index, weight[inside], side**3).reshape((side,) * 3)
    for axis in range(3):
        votes = votes + np.roll(votes, 1, axis) + np.roll(votes, -1, axis)
    no_change = (side // 2,) * 3
    best = np.unravel_index(int(votes.argmax()), votes.shape)
    if votes[best] <= _NO_CHANGE_FACTOR * votes[no_change]:
        return np.zeros(3)
    return (np.array(best) - side // 2) * _BIN


def _refine(ratio: np.ndarray, weight: np.ndarray, centre: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean of the (N, 3) log ratios near `centre` with Tukey weights; and bool (N,), which ones are near."""
    near = np.zeros(len(ratio), bool)
    for _ in range(_ROUNDS):
        distance = np.abs(ratio - centre).max(1)
        near = distance < _NEAR
        closeness = weight * (1 - (distance / _NEAR) ** 2).clip(0) ** 2
        if closeness.sum() <= 0:
            break
        centre = (closeness[:, None] * ratio).sum(0) / closeness.sum()
    return centre, near


def relight(background: np.ndarray, image: np.ndarray, gain: np.ndarray) -> np.ndarray:
    """Give the background the image's light.

    A saturated pixel of the background may have been brighter than its level says. Where the light gets
    darker, such a pixel takes the image's level if that is brighter.

    Input: uint8 (H, W, 3) RGB, aligned; gain: (3,) of the light.
    Output: uint8 (H, W, 3).
    """
    levels = np.arange(256)[:, None] * gain ** (1 / DISPLAY_GAMMA)
    lit = cv2.LUT(background, np.rint(levels).clip(0, 255).astype(np.uint8)[:, None])
    for channel in np.flatnonzero(gain < 1):
        saturated = background[..., channel] >= _SATURATED
        np.maximum(lit[..., channel], image[..., channel], out=lit[..., channel], where=saturated)
    return lit
