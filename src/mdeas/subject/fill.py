"""Fill unknown pixels from known ones (pull-push); process large pictures in strips."""

from collections.abc import Iterable, Iterator

import cv2
import numpy as np

from mdeas.images.resize import enlarged_part, resize

_PRIOR = 0.1  # weight of the surroundings at a pixel about which nothing is known
_LEAST = 1e-6  # keeps a division by no weight at all finite
_STRIP_ROWS = 64


def filled(sums: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Weighted means, continued into pixels without weight from the nearest pixels that have some.

    Pull-push (Gortler et al., The Lumigraph, 1996): each level of a pyramid uses its own sums as far as they
    have weight, and the next smaller level for the rest. Germer et al. (Fast Multi-Level Foreground
    Estimation, 2020) do the same with the sums of a least-squares fit.

    Input: sums: float32 (C, H, W), weight * value; weight: float32 (H, W), >= 0, 1 = known for sure. Channels
        come first because numpy takes three times as long with channels last.
    Output: float32 (C, H, W); 0 everywhere if no pixel has weight.
    """
    height, width = weight.shape
    if height == width == 1:
        return sums / max(float(weight[0, 0]), _LEAST)
    half = (height + 1) // 2, (width + 1) // 2
    share = np.float32(height * width / (half[0] * half[1]))
    found = sized(filled(share * sized(sums, half), share * sized([weight], half)[0]), weight.shape)
    around = prior(weight)
    found *= around
    found += sums
    found /= weight + around
    return found


def prior(weight: np.ndarray) -> np.ndarray:
    """Weight of the surroundings beside a pixel of `weight`: float32, of the same shape."""
    return np.float32(_PRIOR) * (1 - np.minimum(weight, 1))


def filled_plane(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """`filled` for one plane of plain values.

    Input: values, weight: float32 (H, W). Output: float32 (H, W).
    """
    return filled((values * weight)[None], weight)[0]


def sized(planes: Iterable[np.ndarray], size: tuple[int, int]) -> np.ndarray:
    """Resize planes (C, H, W): area means where they shrink, bilinear where they grow."""
    return np.stack([resize(plane, *size, enlarge=cv2.INTER_LINEAR) for plane in planes])


def shrunk_by_whole(picture: np.ndarray, longest: int) -> np.ndarray:
    """Shrink (H, W, C) by area means until the long side has at most `longest` pixels.

    The factor is a whole number, with which OpenCV is ten times as fast.
    """
    height, width = picture.shape[:2]
    factor = -(-max(height, width) // longest)
    size = max(1, round(height / factor)), max(1, round(width / factor))
    return resize(picture, *size, enlarge=cv2.INTER_LINEAR)


def strips(height: int) -> Iterator[slice]:
    """The rows of a picture of that height, at most _STRIP_ROWS at a time."""
    for top in range(0, height, _STRIP_ROWS):
        yield slice(top, min(top + _STRIP_ROWS, height))


def part(array: np.ndarray, size: tuple[int, int], rows: slice, columns: slice = slice(None)) -> np.ndarray:
    """Enlarge `array` to `size`, but compute these rows and columns only.

    Input: array: (h, w) or (h, w, C), uint8 or float32, not larger than size = (H, W).
    Output: (rows, columns) or (rows, columns, C) of the same dtype, bilinear.
    """
    if array.shape[:2] == size:
        return array[rows, columns]
    whole = (slice(*part.indices(length)) for part, length in zip((rows, columns), size, strict=True))
    return enlarged_part(array, (array.shape[0] / size[0], array.shape[1] / size[1]), *whole)


def square(radius: float) -> np.ndarray:
    """A square window for OpenCV's morphology, which is many times faster with squares than with discs.

    Output: uint8 (2 r + 1, 2 r + 1), r = the radius rounded to whole pixels, at least 1.
    """
    side = 2 * max(1, round(radius)) + 1
    return np.ones((side, side), np.uint8)
