"""Values known in parts of a picture, carried to all of it; and large pictures worked on strip by strip."""

from collections.abc import Iterable, Iterator

import cv2
import numpy as np

from mdeas.images.resize import resize

# Weight of what the surroundings say of a pixel about which nothing is known.
_PRIOR = 0.1
_LEAST = 1e-6
_STRIP_ROWS = 64


def filled(sums: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Weighted means that reach into the places without weight, from the nearest that have some.

    Each level of a pyramid trusts its own sums as far as they weigh and the next smaller level for the rest,
    as in the pull-push method (Gortler et al., The Lumigraph, 1996) and, for sums of a least-squares fit, in
    multi-level estimation of foregrounds (Germer et al., 2020).

    Input: sums: float32 (C, H, W), weight * value; weight: float32 (H, W), >= 0; 1 = known for sure. A plane
        a channel: with channels last numpy takes three times as long.
    Output: float32 (C, H, W); 0 where no pixel has weight.
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
    """How much the surroundings weigh beside a pixel of `weight`: float32, of the same shape."""
    return np.float32(_PRIOR) * (1 - np.minimum(weight, 1))


def spread(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """`filled` for values float32 (H, W) themselves. Output: float32 (H, W)."""
    return filled((values * weight)[None], weight)[0]


def sized(planes: Iterable[np.ndarray], size: tuple[int, int]) -> np.ndarray:
    """Planes (C, H, W) at another size: area means where they shrink, bilinear where they grow."""
    return np.stack([resize(plane, *size, enlarge=cv2.INTER_LINEAR) for plane in planes])


def shrunk_by_whole(picture: np.ndarray, longest: int) -> np.ndarray:
    """Area means of (H, W, C): by the whole factor, which OpenCV does ten times as fast, that brings the long
    side to `longest` pixels or less.
    """
    height, width = picture.shape[:2]
    factor = -(-max(height, width) // longest)
    size = max(1, round(height / factor)), max(1, round(width / factor))
    return resize(picture, *size, enlarge=cv2.INTER_LINEAR)


def strips(height: int) -> Iterator[slice]:
    """The rows of a picture, at most _STRIP_ROWS at a time."""
    for top in range(0, height, _STRIP_ROWS):
        yield slice(top, min(top + _STRIP_ROWS, height))


def part(array: np.ndarray, size: tuple[int, int], rows: slice, columns: slice = slice(None)) -> np.ndarray:
    """Rows and columns of `array` as it would be at `size`, without the rest of it.

    Input: array: (h, w) or (h, w, C), uint8 or float32, not larger than size = (H, W).
    Output: the same type, bilinear.
    """
    if array.shape[:2] == size:
        return array[rows, columns]
    (top, bottom, _), (left, right, _) = rows.indices(size[0]), columns.indices(size[1])
    y, x = (small / large for small, large in zip(array.shape, size, strict=False))
    place = np.array([[x, 0, (left + 0.5) * x - 0.5], [0, y, (top + 0.5) * y - 0.5]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(
        array, place, (right - left, bottom - top), flags=flags, borderMode=cv2.BORDER_REPLICATE
    )


def square(radius: float) -> np.ndarray:
    """A window for OpenCV's morphology, which is many times faster with squares than with discs.

    Output: uint8 (2 r + 1, 2 r + 1), r = the radius in whole pixels, at least 1.
    """
    side = 2 * max(1, round(radius)) + 1
    return np.ones((side, side), np.uint8)
