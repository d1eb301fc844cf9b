"""A second look at what was found: closer and mirrored, by the same network. What counts is the mean of both.

What fills a tenth of the view is drawn with a tenth of the network's pixels; with only its surroundings in
view it gets several times as many, and in a mirror a network errs in other places. The first look alone
decides what there is: away from it the second adds nothing, and where nothing was found there is none.
"""

import cv2
import numpy as np

from mdeas.depth_fit import fit_line

_FOUND = 0.5  # alpha from which on the first look's things are looked at again
_AROUND = 0.6  # of their long side, on every side: what the photos usually differ by is measured there
_WHOLE = 0.81  # share of the photo from which on the second look is at all of it
_LEAST = 0.1  # of the photo's sides: what is closer has no more to show
_FAINT = 0.1  # alpha of the first look around which the second counts, and how far, share of the long side
_REACH = 0.013
_FADE = 0.15  # of the sides of what the second look sees: where its depth counts less and less

Part = tuple[slice, slice]
"""Rows and columns of a photo."""


def around(mask: np.ndarray) -> Part | None:
    """Where to look closer, None where nothing was found; mask: float32 (H, W) in [0, 1]."""
    left, top, width, height = cv2.boundingRect((mask > _FOUND).view(np.uint8))
    if not width:
        return None
    margin = _AROUND * max(width, height)
    rows = _widened(top, top + height, margin, mask.shape[0])
    columns = _widened(left, left + width, margin, mask.shape[1])
    area = (rows.stop - rows.start) * (columns.stop - columns.start)
    return (rows, columns) if area < _WHOLE * mask.size else (slice(None), slice(None))


def _widened(start: int, stop: int, margin: float, length: int) -> slice:
    """`margin` more on both sides, as far as there is room, and at least _LEAST of `length`."""
    margin = max(margin, (_LEAST * length - (stop - start)) / 2)
    return slice(max(0, int(start - margin)), min(length, int(np.ceil(stop + margin))))


def merged_mask(mask: np.ndarray, part: Part, second: np.ndarray) -> np.ndarray:
    """float32 (H, W): the mean of both looks near what the first found.

    Input: mask: float32 (H, W), the first look's; second: float32 (h, w), of `part`; both in [0, 1].
    """
    first = mask[part]
    side = 2 * round(_REACH * max(mask.shape)) + 1
    near = cv2.dilate((first > _FAINT).astype(np.uint8), np.ones((side, side), np.uint8)) > 0
    merged = mask.copy()
    merged[part] = np.where(near, (first + second) / 2, first)
    return merged


def merged_depth(depth: np.ndarray, part: Part, second: np.ndarray) -> np.ndarray:
    """float32 (H, W): the mean of both looks, of the first alone towards the border of `part`.

    Input: depth: float32 (H, W), the first look's; second: float32 (h, w), of `part`, in a unit of its own,
        which least squares bring to the first's.
    """
    first = depth[part]
    scale, _ = fit_line(second, first)
    fitted = first.mean() + max(0.0, float(scale)) * (second - second.mean())
    weight = 0.5 * (1 if first.shape == depth.shape else _faded(first.shape))
    merged = depth.copy()
    merged[part] += weight * (fitted - first)
    return merged


def _faded(shape: tuple[int, ...]) -> np.ndarray:
    """float32 (h, w): 1, and towards the border down to 0."""
    ends = [np.minimum(place, place[::-1]) for place in (np.arange(1, side + 1) for side in shape)]
    rows, columns = (end / (_FADE * side) for end, side in zip(ends, shape, strict=True))
    return np.minimum(rows[:, None], columns).clip(0, 1).astype(np.float32)
