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


def enlarged_part(array: np.ndarray, step: tuple[float, float], rows: slice, columns: slice) -> np.ndarray:
    """Enlarge an array bilinearly, but compute these rows and columns of the result only.

    Input:
        array: (h, w) or (h, w, C), uint8 or float32, C up to 4.
        step: (y, x), pixels of the array per pixel of the result, at most 1.
        rows, columns: of the result, with start and stop.
    Output: (rows, columns) or (rows, columns, C) of the same dtype.
    """
    y, x = step
    matrix = np.array([[x, 0, (columns.start + 0.5) * x - 0.5], [0, y, (rows.start + 0.5) * y - 0.5]])
    size = columns.stop - columns.start, rows.stop - rows.start
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(array, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)


def _resized(array: np.ndarray, size: tuple[int, int], interpolation: int) -> np.ndarray:
    if size == (array.shape[1], array.shape[0]):
        return array
    return cv2.resize(array, size, interpolation=interpolation)
