"""A second look: run the network again on a mirrored crop around the subject, and average both results.

A subject that fills a tenth of the view gets a tenth of the network's pixels. In a crop it gets several times
as many, and in a mirror image a network makes other errors. The first look alone decides what there is: away
from the subject the second look changes nothing, and without a subject there is none.
"""

import cv2
import numpy as np

from mdeas.depth_fit import fit_line

_SUBJECT_ALPHA = 0.5  # of the first look, above which a pixel belongs to the subject
# Of the subject's long side, on every side: there the usual difference of the photos is measured.
_MARGIN = 0.6
_WHOLE = 0.81  # share of the photo from which on the crop is all of it
_MIN_SIDE = 0.1  # of the photo's sides; a smaller crop has no more detail
_FAINT_ALPHA = 0.1  # of the first look, around which the second counts
_REACH = 0.013  # how far around, share of the long side
_FADE = 0.15  # share of the crop's sides over which the weight of its depth falls to 0 at the border

Crop = tuple[slice, slice]
"""Rows and columns of a photo."""


def crop_around(mask: np.ndarray) -> Crop | None:
    """The crop for the second look, None without a subject. Input: float32 (H, W) in [0, 1]."""
    left, top, width, height = cv2.boundingRect((mask > _SUBJECT_ALPHA).view(np.uint8))
    if not width:
        return None
    margin = _MARGIN * max(width, height)
    rows = _widened(top, top + height, margin, mask.shape[0])
    columns = _widened(left, left + width, margin, mask.shape[1])
    area = (rows.stop - rows.start) * (columns.stop - columns.start)
    return (rows, columns) if area < _WHOLE * mask.size else (slice(None), slice(None))


def _widened(start: int, stop: int, margin: float, length: int) -> slice:
    """Add `margin` on both sides, or more until the slice is _MIN_SIDE of `length`; cut it to the photo."""
    margin = max(margin, (_MIN_SIDE * length - (stop - start)) / 2)
    return slice(max(0, int(start - margin)), min(length, int(np.ceil(stop + margin))))


def merged_mask(mask: np.ndarray, crop: Crop, second: np.ndarray) -> np.ndarray:
    """Average both looks near what the first look found.

    Input: mask: float32 (H, W), the first look's; second: float32 (h, w), of the crop; both in [0, 1].
    Output: float32 (H, W).
    """
    first = mask[crop]
    side = 2 * round(_REACH * max(mask.shape)) + 1
    near = cv2.dilate((first > _FAINT_ALPHA).astype(np.uint8), np.ones((side, side), np.uint8)) > 0
    merged = mask.copy()
    merged[crop] = np.where(near, (first + second) / 2, first)
    return merged


def merged_depth(depth: np.ndarray, crop: Crop, second: np.ndarray) -> np.ndarray:
    """Average both looks inside the crop; towards its border the first look counts more and more.

    Input: depth: float32 (H, W), the first look's; second: float32 (h, w), of the crop, in any unit: least
        squares bring it to the first's.
    Output: float32 (H, W).
    """
    first = depth[crop]
    scale, _ = fit_line(second, first)
    fitted = first.mean() + max(0.0, float(scale)) * (second - second.mean())
    weight = 0.5 * (1 if first.shape == depth.shape else _faded(first.shape))
    merged = depth.copy()
    merged[crop] += weight * (fitted - first)
    return merged


def _faded(shape: tuple[int, ...]) -> np.ndarray:
    """float32 (h, w): 1 in the middle, falling to 0 at the border."""
    to_border = [np.minimum(place, place[::-1]) for place in (np.arange(1, side + 1) for side in shape)]
    rows, columns = (pixels / (_FADE * side) for pixels, side in zip(to_border, shape, strict=True))
    return np.minimum(rows[:, None], columns).clip(0, 1).astype(np.float32)
