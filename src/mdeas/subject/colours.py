"""The subject's own colours F, and the backdrop behind it: image = alpha F + (1 - alpha) backdrop."""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from mdeas.images.resize import resize
from mdeas.subject.fill import filled, part, prior, shrunk_by_whole, sized, square, strips

# Alpha in levels of 255 up to which a pixel shows the backdrop alone and says nothing of the subject; and how
# far around it that must hold where light is compared, as a share of the long side: masks of a network fade
# out over some of its working pixels.
_EMPTY = 5
_MARGIN = 0.01
_MUCH = 40  # levels of 255
# Long sides at most, whatever the picture's: what is carried over long ways is smooth, light even more so.
_SUBJECT_SIZE, _DRIFT_SIZE = 640, 320


@dataclass(frozen=True)
class Colours:
    """Smooth fields over the picture; four channels, the last one 0: OpenCV is twice as slow with three."""

    drift: np.ndarray
    """float32 (h, w, 4): image minus background photo where nothing stands, carried under the subject:
    another exposure, and the subject's shadow."""
    subject: np.ndarray
    """uint8 (h, w, 4): the subject's colours, carried outwards."""


def decontaminate(cutout: np.ndarray, background: np.ndarray) -> None:
    """Replace, in place, the colours of a cut-out that show the old backdrop by the subject's own.

    The background is known, so that one unknown is left where alpha is not 0: F minimises
    |image - alpha F - (1 - alpha) backdrop|² + a prior that falls from alpha 0 to 1. The prior is the same
    fit of a neighbourhood, and its prior that of a larger one (the idea of Germer et al., Fast Multi-Level
    Foreground Estimation, 2020, with the backdrop given). Where alpha is 0 the colours continue those of the
    subject, so that the cut-out can be scaled and filtered. One with nothing in it is left as it is.

    Input:
        cutout: uint8 (H, W, 4), the image's colours with alpha.
        background: uint8 (h, w, 3), the same view without the subject, at this size or smaller.
    """
    used = np.flatnonzero(cutout[..., 3].max(axis=1) > _EMPTY)
    if not len(used):
        return
    colours = estimate(cutout, background)
    top, bottom = max(0, int(used[0]) - 1), min(len(cutout), int(used[-1]) + 2)
    for rows in strips(bottom - top):
        rows = slice(top + rows.start, top + rows.stop)
        cutout[rows] = in_own_colours(cutout, background, colours, rows)
    # Rows that repeat are made, and compressed, at once.
    cutout[:top, :, :3] = cutout[top, :, :3]
    cutout[bottom:, :, :3] = cutout[bottom - 1, :, :3]


def estimate(cutout: np.ndarray, background: np.ndarray) -> Colours:
    """The fields of a picture, found on small copies of it; input as `decontaminate`."""
    image = shrunk_by_whole(cutout, _SUBJECT_SIZE)
    size = image.shape[:2]
    empty = resize(background, *size, enlarge=cv2.INTER_LINEAR)
    drift = _drift(image, empty)
    alpha = image[..., 3] * np.float32(1 / 255)
    sums = _planes(image) - (1 - alpha) * (_planes(empty) + sized(drift, size)).clip(0, 255)
    sums *= alpha
    subject = np.rint(filled(sums, alpha**2).clip(0, 255)).astype(np.uint8)
    return Colours(_four(drift), _four(subject))


def in_own_colours(
    cutout: np.ndarray, background: np.ndarray, colours: Colours, rows: slice, columns: slice = slice(None)
) -> np.ndarray:
    """A part of the cut-out in the subject's own colours: uint8 (rows, columns, 4).

    Most of a picture is solid or empty, where nothing has to be solved: arithmetic is for the pixels between.
    """
    size = cutout.shape[:2]
    found = cutout[rows, columns].copy()
    alpha = cv2.extractChannel(found, 3)
    pixels, around = _pixels(found), _pixels(part(colours.subject, size, rows, columns))
    np.copyto(pixels, around, where=alpha.ravel() <= _EMPTY)
    soft = np.flatnonzero((alpha > _EMPTY) & (alpha < 255))
    if len(soft):
        empty = _pixels(cv2.cvtColor(part(background, size, rows, columns), cv2.COLOR_RGB2RGBA))
        drift = part(colours.drift, size, rows, columns).reshape(-1, 1, 4).take(soft, axis=0)
        behind = (_levels(empty[soft]) + _planes(drift)).clip(0, 255)
        pixels[soft] = _solved(alpha.ravel()[soft], _levels(pixels[soft]), behind, _levels(around[soft]))
    return cv2.insertChannel(alpha, found, 3)


def _solved(alpha: np.ndarray, image: np.ndarray, behind: np.ndarray, around: np.ndarray) -> np.ndarray:
    """F of pixels: (alpha (image - (1 - alpha) behind) + prior around) / (alpha² + prior).

    Input: alpha: uint8 (N,); the others: float32 (3, N, 1) in [0, 255], overwritten. Output: as `_pixels`.
    """
    of_image, of_behind = (gain[alpha][:, None] for gain in _gains())
    image -= around
    image *= of_image
    behind -= around
    behind *= of_behind
    around += image
    around -= behind
    return _pixels(_four(np.rint(around.clip(0, 255)).astype(np.uint8)))


@cache
def _gains() -> tuple[np.ndarray, np.ndarray]:
    """What image and backdrop add to F, as they differ from what is around: float32 (256,) by alpha each."""
    alpha = np.arange(256, dtype=np.float32) / 255
    of_image = alpha / (alpha**2 + prior(alpha**2))
    return of_image, of_image * (1 - alpha)


def _pixels(picture: np.ndarray) -> np.ndarray:
    """uint8 (h, w, 4) as uint32 (N,), a view where it can be: whole pixels are picked many times as fast."""
    return np.ascontiguousarray(picture).view(np.uint32).reshape(-1)


def _levels(pixels: np.ndarray) -> np.ndarray:
    """Colours of what `_pixels` gives: uint32 (N,) -> float32 (3, N, 1)."""
    return _planes(pixels.view(np.uint8).reshape(-1, 1, 4))


def _planes(picture: np.ndarray) -> np.ndarray:
    """(h, w, 3 or more) -> the first three channels, float32 (3, h, w)."""
    return np.array(cv2.split(picture)[:3], np.float32)


def _four(planes: np.ndarray) -> np.ndarray:
    """(3, h, w) -> (h, w, 4), the last channel 0."""
    return cv2.merge([*planes, np.zeros_like(planes[0])])


def backdrop(
    cutout: np.ndarray, background: np.ndarray, drift: np.ndarray, rows: slice, columns: slice = slice(None)
) -> np.ndarray:
    """What is behind the subject, as the image's own light shows it: float32 (rows, columns, 3) in [0, 255].

    The background photo, plus what the image differs by around the subject.
    """
    size = cutout.shape[:2]
    plain = part(background, size, rows, columns).astype(np.float32)
    return (plain + part(drift, size, rows, columns)[..., :3]).clip(0, 255)


def _drift(image: np.ndarray, empty: np.ndarray) -> np.ndarray:
    """Colours.drift in planes, from a small cut-out uint8 (h, w, 4) and background uint8 (h, w, 3)."""
    image, empty = shrunk_by_whole(image, _DRIFT_SIZE), shrunk_by_whole(empty, _DRIFT_SIZE)
    outside = (image[..., 3] <= _EMPTY).astype(np.float32)
    keep = cv2.erode(outside, square(max(outside.shape) * _MARGIN))
    change = _planes(image) - _planes(empty)
    # What changed much is rather a piece of the subject that the mask misses than light.
    weight = keep / (1 + (np.abs(change).max(axis=0) / _MUCH) ** 2)
    return filled(change * weight, weight)
