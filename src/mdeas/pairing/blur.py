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
    if max(first, second) < _ALIKE * min(first, second):
        return 0.0
    sharper, goal, sign = (background, second, 1.0) if first > second else (image, first, -1.0)
    softer = (px for px in _TRIED_PX if _fineness(cv2.GaussianBlur(sharper, (0, 0), px), same) <= goal)
    return sign * next(softer, _TRIED_PX[-1])


def _fineness(log: np.ndarray, same: np.ndarray) -> float:
    """Mean square of the Laplacian in those tiles."""
    squared = np.square(cv2.Laplacian(log, cv2.CV_32F))
    return float(cv2.resize(squared, same.shape[::-1], interpolation=cv2.INTER_AREA)[same].mean())
