"""Bring mask and depth from the working size to the photo's size, with edges that follow the photo's edges.

A network that works at 224 pixels finds what is new, but not exactly where it ends. The photos show where:
near the edge, a pixel either looks like the background photo, up to the usual difference around it, or has
the colours of the object beside it. Both hypotheses are Gaussians, measured around each working pixel from
pixels of which the network is sure. Their log likelihood ratio at every pixel of the photo moves the
network's odds (Bayesian matting, Chuang 2001, with a known background and without its search for colours).
Where both explain a pixel equally well, or no sure pixel is near, the ratio is 0 and the mask is
merely enlarged. Refining adds no object that the network did not find: far outside nothing changes, and
inside alpha only rises.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from mdeas.images.resize import enlarged_part, resize
from mdeas.runtime.predictor import Prediction
from mdeas.runtime.spec import restore

# All tuned with benchmarks/refine.py and the default model; a better network may need smaller corrections.
_SURE_INSIDE, _SURE_OUTSIDE = 0.5, 0.2  # alpha above which a working pixel is object, below which background
_WINDOW_INSIDE, _WINDOW_OUTSIDE = 1 / 17, 1 / 2  # side of the windows around a pixel, share of the long side
_BAND = 5  # width in working pixels in which the network's edge may move
_MIN_DEVIATION = 8.0  # levels of 255: least standard deviation of either Gaussian
_WEIGHT = 0.07  # of the log likelihood ratio: neighbouring pixels are alike, not independent evidence
# Limits of the change of the log odds; the fall is smaller: an object may look like the background by chance.
_MAX_RISE, _MAX_FALL = 4.0, -3.0
_SMOOTH = 0.55  # side in working pixels of the window over which evidence is averaged
_STRIP_PIXELS = 1 << 16  # pixels that are processed at a time
_PRIOR = 1e-3  # weight of the whole picture's statistics in a window, share of a window
# A sigmoid never reaches 0 or 1. Without these limits an empty picture has an alpha of 1 to 5 of 255, which
# nobody sees and every bounding box includes. Symmetric about .5, so that a cut there stays in place.
_CLEAR, _SOLID = 0.02, 0.98
_TINY = 1e-4


def restored(mask: np.ndarray, depth: np.ndarray, background: np.ndarray, image: np.ndarray) -> Prediction:
    """Bring a prediction to the photos' size; refine it where that is larger than the working size.

    Input:
        mask: float32 (h, w) in [0, 1]; depth: float32 (h, w); both at the working size.
        background, image: uint8 (H, W, 3) RGB.
    Output: mask and depth, float32 (H, W); alpha below .02 becomes 0, above .98 it becomes 1; depth stays
        within its range.
    """
    height, width = image.shape[:2]
    full = restore(mask, height, width)
    if min(height / mask.shape[0], width / mask.shape[1]) <= 1:
        return Prediction(_clean(full.copy()), restore(depth, height, width))
    evidence = _evidence(mask, background, image)
    for rows, columns in _strips(evidence.where, height, width):
        full[rows, columns] = _refined(full, evidence, background, image, rows, columns)
    full = _clean(full)
    return Prediction(full, _layered(depth, mask, full))


def _clean(mask: np.ndarray) -> np.ndarray:
    """Stretch _CLEAR to _SOLID over 0 to 1, in place: float32 (H, W) in [0, 1]."""
    mask -= np.float32(_CLEAR)
    mask *= np.float32(1 / (_SOLID - _CLEAR))
    return mask.clip(0, 1, out=mask)


@dataclass(frozen=True)
class _Evidence:
    """Both Gaussians around each working pixel, and how far they may move the mask; float32 (h, w, 4)."""

    outside: np.ndarray
    """Mean of image - background (3 channels), weight / variance."""
    inside: np.ndarray
    """Mean of the image (3 channels), weight / variance."""
    limits: np.ndarray
    """Weight * log of the ratio of variances; how far evidence may raise the mask; how far it may lower it;
    and that once more, because OpenCV enlarges four channels in half of the time of three."""

    @property
    def where(self) -> np.ndarray:
        """bool (h, w): where the mask may change."""
        return self.limits[..., 1] > 0


def _evidence(mask: np.ndarray, background: np.ndarray, image: np.ndarray) -> _Evidence:
    # Sampled, not averaged: an average has less noise than the pixels that are judged by it.
    size = mask.shape[1], mask.shape[0]
    ground, photo = (
        cv2.resize(a, size, interpolation=cv2.INTER_NEAREST).astype(np.float32) for a in (background, image)
    )
    sure_in = np.square((mask - _SURE_INSIDE).clip(0) / (1 - _SURE_INSIDE))
    sure_out = np.square((_SURE_OUTSIDE - mask).clip(0) / _SURE_OUTSIDE)
    mean_out, variance_out, known_out = _moments(photo - ground, sure_out, _WINDOW_OUTSIDE)
    mean_in, variance_in, known_in = _moments(photo, sure_in, _WINDOW_INSIDE)
    weight = _WEIGHT / 2 * (np.minimum(known_out, known_in) * 50).clip(0, 1)
    band, inside = _band(mask)
    return _Evidence(
        cv2.merge([mean_out, weight / variance_out]),
        cv2.merge([mean_in, weight / variance_in]),
        cv2.merge([3 * weight * np.log(variance_out / variance_in), np.maximum(band, inside), band, band]),
    )


def _moments(
    values: np.ndarray, weight: np.ndarray, share: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean (h, w, 3), variance (h, w) and mean weight (h, w) of float32 (h, w, 3) in a window.

    Input: weight: float32 (h, w); share: side of the window, share of the long side.
    """
    side = 2 * round(share * max(weight.shape) / 2) + 1
    weighted = cv2.merge([values * weight[..., None], _squared(values.copy()) * weight])
    # Where a window has next to no weight, the statistics of the whole picture take over smoothly.
    overall = np.array(cv2.mean(weighted), np.float32) / max(float(weight.mean()), _TINY)
    sums = _window(weighted, side) + _PRIOR * overall
    known = _window(weight, side)
    means = sums / (known + _PRIOR)[..., None]
    variance = (means[..., 3] - _squared(means[..., :3].copy())).clip(0) / 3 + _MIN_DEVIATION**2
    return means[..., :3], variance, known


def _window(values: np.ndarray, side: int) -> np.ndarray:
    """Weighted mean in a window whose weights fall towards its border: two box filters."""
    half = (side // 2 | 1,) * 2
    once = cv2.blur(values, half, borderType=cv2.BORDER_REPLICATE)
    return cv2.blur(once, half, borderType=cv2.BORDER_REPLICATE)


def _band(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two float32 (h, w) of 0 and 1: along the edge of the mask; well inside it."""
    square = np.ones((_BAND, _BAND), np.uint8)
    band = (cv2.dilate(mask, square) > 0.5) & (cv2.erode(mask, square) < 0.5)
    inside = cv2.erode(mask, np.ones((3, 3), np.uint8)) > 0.3
    return band.astype(np.float32), inside.astype(np.float32)


def _strips(where: np.ndarray, height: int, width: int) -> Iterator[tuple[slice, slice]]:
    """Yield rows and columns of the photo that together cover `where`, about _STRIP_PIXELS at a time."""
    zoom_y, zoom_x = height / where.shape[0], width / where.shape[1]
    columns = _span(where.max(axis=0), zoom_x, width)
    rows = _span(where.max(axis=1), zoom_y, height)
    step = max(16, _STRIP_PIXELS // max(1, columns.stop - columns.start))
    for top in range(rows.start, rows.stop, step):
        bottom = min(top + step, rows.stop)
        near = where[max(0, int(top / zoom_y) - 1) : int(bottom / zoom_y) + 2]
        span = _span(near.max(axis=0), zoom_x, width)
        if span.stop:
            yield slice(top, bottom), span


def _span(used: np.ndarray, zoom: float, length: int) -> slice:
    """The part of `length` where the enlarged `used`, bool (n,), can be true; slice(0, 0) if nowhere."""
    places = np.flatnonzero(used)
    if not len(places):
        return slice(0, 0)
    return slice(max(0, int((places[0] - 0.5) * zoom)), min(length, int((places[-1] + 1.5) * zoom) + 1))


def _refined(
    full: np.ndarray,
    evidence: _Evidence,
    background: np.ndarray,
    image: np.ndarray,
    rows: slice,
    columns: slice,
) -> np.ndarray:
    """The refined mask of one strip, float32. Input: full: the enlarged mask, float32 (H, W)."""
    zoom = np.divide(image.shape[:2], evidence.limits.shape[:2])
    step_y, step_x = (1 / zoom).tolist()
    sides = [int(_SMOOTH * factor) | 1 for factor in zoom]
    (outer_rows, inner_rows), (outer_columns, inner_columns) = (
        _widened(part, side // 2, length)
        for part, side, length in zip((rows, columns), sides, image.shape[:2], strict=True)
    )
    outside, inside, limits = (
        enlarged_part(part, (step_y, step_x), outer_rows, outer_columns)
        for part in (evidence.outside, evidence.inside, evidence.limits)
    )
    photo = image[outer_rows, outer_columns].astype(np.float32)
    ratio = limits[..., 0] - _distance(photo, inside)
    photo -= background[outer_rows, outer_columns]
    ratio += _distance(photo, outside)
    ratio = cv2.blur(ratio.clip(3 * _MAX_FALL, 3 * _MAX_RISE), sides[::-1])[inner_rows, inner_columns]
    ratio = ratio.clip(_MAX_FALL, _MAX_RISE)
    allowed = np.where(ratio > 0, *np.moveaxis(limits[inner_rows, inner_columns, 1:3], 2, 0))
    odds = np.exp(ratio * allowed)
    prior = full[rows, columns]
    return prior * odds / (prior * odds + (1 - prior))


def _distance(values: np.ndarray, gaussian: np.ndarray) -> np.ndarray:
    """Weighted squared distance of (n, m, 3) to the mean of a Gaussian, (n, m, 4) as in _Evidence: (n, m)."""
    mean = cv2.cvtColor(gaussian, cv2.COLOR_RGBA2RGB)  # numpy is slow with three of four channels
    return _squared(values - mean) * cv2.extractChannel(gaussian, 3)


def _squared(values: np.ndarray) -> np.ndarray:
    """Sum of squares over the channels: (n, m, 3) -> (n, m). Overwrites `values`."""
    return cv2.transform(np.square(values, out=values), np.ones((1, 3), np.float32))


def _widened(part: slice, margin: int, length: int) -> tuple[slice, slice]:
    """`part` with a margin, cut to 0 to `length`; and the place of `part` in the result."""
    start, stop = max(0, part.start - margin), min(length, part.stop + margin)
    return slice(start, stop), slice(part.start - start, part.stop - start)


def _layered(depth: np.ndarray, mask: np.ndarray, full: np.ndarray) -> np.ndarray:
    """Enlarge the depth of the object and of what is behind it separately, and blend them by the full mask.

    Near the edge each layer is filled from its own side, so that depth steps exactly where the mask does.
    Input: depth, mask: float32 (h, w) at the working size; full: float32 (H, W). Output: float32 (H, W).
    """
    front, behind = _filled(depth, mask > 0.9), _filled(depth, mask < 0.1)
    result = resize(front - behind, *full.shape, enlarge=cv2.INTER_LINEAR)
    result *= full
    result += resize(behind, *full.shape, enlarge=cv2.INTER_LINEAR)
    return result


def _filled(depth: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Replace unknown depth by the mean of known depth near by; keep it where none is near."""
    weight = known.astype(np.float32)
    near = _window(cv2.merge([depth * weight, weight]), 2 * _BAND + 1)
    mean = (near[..., 0] + _TINY * depth) / (near[..., 1] + _TINY)
    return np.where(known, depth, mean)
