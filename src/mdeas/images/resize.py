"""Resize pictures: area average down, the caller's choice up."""

import cv2
import numpy as np


def resize(array: np.ndarray, height: int, width: int, *, enlarge: int) -> np.ndarray:
    """Resize (H, W) or (H, W, C) to (height, width): area average where it shrinks, `enlarge` where it grows.

    Shrinking and enlarging are two steps: OpenCV's area mode becomes bilinear when one axis grows.
    """
    smaller = (min(width, array.shape[1]), min(height, array.shape[0]))
    array = _resized(array, smaller, cv2.INTER_AREA)
    return _resized(array, (width, height), enlarge)


def within(array: np.ndarray, longest: int) -> np.ndarray:
    """Shrink (H, W) or (H, W, C) by area average to a long side of at most `longest` pixels."""
    height, width = array.shape[:2]
    scale = min(1.0, longest / max(height, width))
    size = max(1, round(height * scale)), max(1, round(width * scale))
    return resize(array, *size, enlarge=cv2.INTER_LINEAR)


def _resized(array: np.ndarray, size: tuple[int, int], interpolation: int) -> np.ndarray:
    if size == (array.shape[1], array.shape[0]):
        return array
    return cv2.resize(array, size, interpolation=interpolation)
