"""Bring mask and depth from the working size to the photo's own size, with edges that follow the photo's.

A network that works at 224 pixels knows what is new, not where exactly it ends. The photos know: near the
edge, a pixel either is what the background photo shows there, up to what usually differs around it, or has
the colours of the object beside it. Both are Gaussians measured around each working pixel, where the network
is sure; their log likelihood ratio at every pixel of the photo moves the network's odds (Bayesian matting,
Chuang 2001, with a known background and without its search for colours). Where both explain a pixel equally
well, or nothing sure is near, the ratio is 0 and the mask stays what plain enlarging gives. Nothing is found
that the network did not: far outside nothing changes, and inside the mask can only grow surer.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from mdeas.images.resize import resize
from mdeas.runtime.predictor import Prediction
from mdeas.runtime.spec import restore

# All measured with benchmarks/refine.py and the default model: a better network may be moved less.
_SURE_INSIDE, _SURE_OUTSIDE = 0.5, 0.2  # alpha from which on a working pixel counts as object, as background
_NEAR_INSIDE, _NEAR_OUTSIDE = 1 / 17, 1 / 2  # side of the windows around a pixel, share of the long side
_BAND = 5  # working pixels; where the network's edge may move
_NOISE = 8.0  # of 255: least standard deviation that either side is believed to have
_WEIGHT = 0.07  # of the log likelihood ratio: neighbours are alike, so they do not witness independently
_MOST, _LEAST = 4.0, -3.0  # of what is added to the log odds; likeness to the background may be chance
_SMOOTH = 0.55  # side of the window over which evidence is averaged, working pixels
_STRIP = 1 << 16  # pixels that are worked on at a time
_TRACE = 1e-3  # share of a window
# A sigmoid never says 0 or 1: without this much of an empty picture has an alpha of 1 to 5 of 255, which
# nobody sees and every bounding box does. Even about .5, so that a cut there stays what it was.
_CLEAR, _SOLID = 0.02, 0.98
_TINY = 1e-4


def restored(mask: np.ndarray, depth: np.ndarray, background: np.ndarray, image: np.ndarray) -> Prediction:
    """The prediction at the photos' size, refined where they are larger than the working size.

    Input:
        mask: float32 (h, w) in [0, 1]; depth: float32 (h, w); both at the working size.
        background, image: uint8 (H, W, 3) RGB.
    Output: float32 (H, W) each; the mask exactly 0 and 1 where the network is next to sure; depth within the
        range that it had.
    """
    height, width = image.shape[:2]
    full = restore(mask, height, width)
    if min(height / mask.shape[0], width / mask.shape[1]) <= 1:
        return Prediction(_clean(full.copy()), restore(depth, height, width))
    maps = _evidence_maps(mask, background, image)
    for rows, columns in _strips(maps.where, height, width):
        full[rows, columns] = _refined(full, maps, background, image, rows, columns)
    full = _clean(full)
    return Prediction(full, _layered(depth, mask, full))


def _clean(mask: np.ndarray) -> np.ndarray:
    """float32 (H, W) in [0, 1], changed in place: up to _CLEAR it becomes 0, from _SOLID on 1."""
    mask -= np.float32(_CLEAR)
    mask *= np.float32(1 / (_SOLID - _CLEAR))
    return mask.clip(0, 1, out=mask)


@dataclass(frozen=True)
class _Maps:
    """What is believed of both sides around each working pixel; float32 (h, w, channels)."""

    outside: np.ndarray
    """Mean of image - background (3), then weight / variance."""
    inside: np.ndarray
    """Mean of the image (3), then weight / variance."""
    rest: np.ndarray
    """Weight * log of the ratio of variances, how far evidence may raise the mask, how far lower it; and that
    once more, because OpenCV enlarges four channels in half of the time that three take."""

    @property
    def where(self) -> np.ndarray:
        """bool (h, w): where anything may change."""
        return self.rest[..., 1] > 0


def _evidence_maps(mask: np.ndarray, background: np.ndarray, image: np.ndarray) -> _Maps:
    # Sampled, not averaged: an average has less noise than the pixels that are judged.
    size = mask.shape[1], mask.shape[0]
    ground, photo = (
        cv2.resize(a, size, interpolation=cv2.INTER_NEAREST).astype(np.float32) for a in (background, image)
    )
    sure_in = np.square((mask - _SURE_INSIDE).clip(0) / (1 - _SURE_INSIDE))
    sure_out = np.square((_SURE_OUTSIDE - mask).clip(0) / _SURE_OUTSIDE)
    mean_out, variance_out, known_out = _moments(photo - ground, sure_out, _NEAR_OUTSIDE)
    mean_in, variance_in, known_in = _moments(photo, sure_in, _NEAR_INSIDE)
    weight = _WEIGHT / 2 * (np.minimum(known_out, known_in) * 50).clip(0, 1)
    band, inside = _band(mask)
    return _Maps(
        cv2.merge([mean_out, weight / variance_out]),
        cv2.merge([mean_in, weight / variance_in]),
        cv2.merge([3 * weight * np.log(variance_out / variance_in), np.maximum(band, inside), band, band]),
    )


def _moments(
    values: np.ndarray, weight: np.ndarray, share: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean (h, w, 3), variance (h, w) and total weight (h, w) of float32 (h, w, 3) in a window."""
    side = 2 * round(share * max(weight.shape) / 2) + 1
    weighted = cv2.merge([values * weight[..., None], _squared(values.copy()) * weight])
    # Where a window has seen next to nothing, what all of the picture says takes over smoothly.
    overall = np.array(cv2.mean(weighted), np.float32) / max(float(weight.mean()), _TINY)
    sums = _window(weighted, side) + _TRACE * overall
    known = _window(weight, side)
    means = sums / (known + _TRACE)[..., None]
    variance = (means[..., 3] - _squared(means[..., :3].copy())).clip(0) / 3 + _NOISE**2
    return means[..., :3], variance, known


def _window(values: np.ndarray, side: int) -> np.ndarray:
    """Mean in a window that falls off towards its border: two boxes."""
    half = (side // 2 | 1,) * 2
    once = cv2.blur(values, half, borderType=cv2.BORDER_REPLICATE)
    return cv2.blur(once, half, borderType=cv2.BORDER_REPLICATE)


def _band(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two float32 (h, w) of 0 and 1: along the mask's edge; well inside it."""
    square = np.ones((_BAND, _BAND), np.uint8)
    band = (cv2.dilate(mask, square) > 0.5) & (cv2.erode(mask, square) < 0.5)
    inside = cv2.erode(mask, np.ones((3, 3), np.uint8)) > 0.3
    return band.astype(np.float32), inside.astype(np.float32)


def _strips(where: np.ndarray, height: int, width: int) -> Iterator[tuple[slice, slice]]:
    """Rows and columns, at the photo's size, that cover all of `where`, about _STRIP pixels at a time."""
    zoom_y, zoom_x = height / where.shape[0], width / where.shape[1]
    columns = _span(where.max(axis=0), zoom_x, width)
    rows = _span(where.max(axis=1), zoom_y, height)
    step = max(16, _STRIP // max(1, columns.stop - columns.start))
    for top in range(rows.start, rows.stop, step):
        bottom = min(top + step, rows.stop)
        near = where[max(0, int(top / zoom_y) - 1) : int(bottom / zoom_y) + 2]
        span = _span(near.max(axis=0), zoom_x, width)
        if span.stop:
            yield slice(top, bottom), span


def _span(used: np.ndarray, zoom: float, length: int) -> slice:
    """Where `used`, enlarged, can be above 0; slice(0, 0) when it is nowhere."""
    places = np.flatnonzero(used)
    if not len(places):
        return slice(0, 0)
    return slice(max(0, int((places[0] - 0.5) * zoom)), min(length, int((places[-1] + 1.5) * zoom) + 1))


def _refined(
    full: np.ndarray, maps: _Maps, background: np.ndarray, image: np.ndarray, rows: slice, columns: slice
) -> np.ndarray:
    """float32 mask of one strip."""
    zoom = np.divide(image.shape[:2], maps.rest.shape[:2])
    sides = [int(_SMOOTH * factor) | 1 for factor in zoom]
    (outer_rows, inner_rows), (outer_columns, inner_columns) = (
        _widened(part, side // 2, length)
        for part, side, length in zip((rows, columns), sides, image.shape[:2], strict=True)
    )
    outside, inside, rest = (
        _enlarged(part, zoom, outer_rows, outer_columns) for part in (maps.outside, maps.inside, maps.rest)
    )
    photo = image[outer_rows, outer_columns].astype(np.float32)
    ratio = rest[..., 0] - _distance(photo, inside)
    photo -= background[outer_rows, outer_columns]
    ratio += _distance(photo, outside)
    ratio = cv2.blur(ratio.clip(3 * _LEAST, 3 * _MOST), sides[::-1])[inner_rows, inner_columns]
    ratio = ratio.clip(_LEAST, _MOST)
    allowed = np.where(ratio > 0, *np.moveaxis(rest[inner_rows, inner_columns, 1:3], 2, 0))
    odds = np.exp(ratio * allowed)
    prior = full[rows, columns]
    return prior * odds / (prior * odds + (1 - prior))


def _distance(values: np.ndarray, believed: np.ndarray) -> np.ndarray:
    """Squared distance of (n, m, 3) to a mean, times a weight, both (n, m, 4): (n, m)."""
    mean = cv2.cvtColor(believed, cv2.COLOR_RGBA2RGB)  # numpy is slow with three channels of four
    return _squared(values - mean) * cv2.extractChannel(believed, 3)


def _squared(values: np.ndarray) -> np.ndarray:
    """Sum of squares over the channels: (n, m, 3) -> (n, m)."""
    return cv2.transform(np.square(values, out=values), np.ones((1, 3), np.float32))


def _widened(part: slice, margin: int, length: int) -> tuple[slice, slice]:
    """`part` with a margin as far as there is room, and where it lies inside of that."""
    start, stop = max(0, part.start - margin), min(length, part.stop + margin)
    return slice(start, stop), slice(part.start - start, part.stop - start)


def _enlarged(small: np.ndarray, zoom: np.ndarray, rows: slice, columns: slice) -> np.ndarray:
    """`rows` and `columns` of the bilinear enlargement of float32 (h, w, C <= 4)."""
    step_y, step_x = 1 / zoom
    place = np.array(
        [
            [step_x, 0, (columns.start + 0.5) * step_x - 0.5],
            [0, step_y, (rows.start + 0.5) * step_y - 0.5],
        ]
    )
    size = columns.stop - columns.start, rows.stop - rows.start
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(small, place, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)


def _layered(depth: np.ndarray, mask: np.ndarray, full: np.ndarray) -> np.ndarray:
    """Depth of the object over depth of what is behind it, each enlarged alone, mixed by the mask `full`.

    Near the edge a layer has the depth of its own side, so that the step between both is where the mask's is.
    Input: depth, mask: float32 (h, w) at the working size. Output: float32 (H, W).
    """
    front, behind = _filled(depth, mask > 0.9), _filled(depth, mask < 0.1)
    result = resize(front - behind, *full.shape, enlarge=cv2.INTER_LINEAR)
    result *= full
    result += resize(behind, *full.shape, enlarge=cv2.INTER_LINEAR)
    return result


def _filled(depth: np.ndarray, known: np.ndarray) -> np.ndarray:
    """`depth` where it is known; elsewhere the mean of what is known near by, or `depth` where nothing is."""
    weight = known.astype(np.float32)
    near = _window(cv2.merge([depth * weight, weight]), 2 * _BAND + 1)
    mean = (near[..., 0] + _TINY * depth) / (near[..., 1] + _TINY)
    return np.where(known, depth, mean)
