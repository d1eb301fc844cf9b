"""How much softer one photo is than the other, where both show the same."""

import cv2
import numpy as np

from mdeas.pairing.tiles import Tiles

_TRIED_PX = (0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0)
_ALIKE = 1.3  # times the fine structure, below which both are as sharp
_FEWEST = 6  # tiles


def blur_px(background: np.ndarray, image: np.ndarray, tiles: Tiles) -> float | None:
    """Deviation of the Gaussian blur that makes the sharper photo as soft as the other.

    Input: float32 (h, w) logarithms of aligned photos, see View.log; their tiles.
    Output: pixels of the view, above 0 where the image is softer, below 0 where the background is; None when
        too little of the background is seen in the image to compare.
    """
    same = tiles.seen
    if np.count_nonzero(same) < _FEWEST:
        return None
    first, second = _fineness(background, same), _fineness(image, same)
    more = _ratio(first, second)
    if 1 / _ALIKE < more < _ALIKE:
        return 0.0
    sharper, goal, sign = (background, second, 1.0) if more > 1 else (image, first, -1.0)
    softer = (px for px in _TRIED_PX if _ratio(_blurred(sharper, px, same), goal) <= 1)
    return sign * next(softer, _TRIED_PX[-1])


def _blurred(log: np.ndarray, px: float, same: np.ndarray) -> np.ndarray:
    return _fineness(cv2.GaussianBlur(log, (0, 0), px), same)


def _fineness(log: np.ndarray, same: np.ndarray) -> np.ndarray:
    """(N,): mean square of the Laplacian in each of those tiles."""
    squared = np.square(cv2.Laplacian(log, cv2.CV_32F))
    return cv2.resize(squared, same.shape[::-1], interpolation=cv2.INTER_AREA)[same]


def _ratio(first: np.ndarray, second: np.ndarray) -> float:
    """Median over the tiles: those at the rim of the foreground do not count."""
    return float(np.median((first + np.float32(1e-9)) / (second + np.float32(1e-9))))
