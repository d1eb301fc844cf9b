"""Solve image = alpha F + (1 - alpha) backdrop for the subject's own colours F, with the backdrop known."""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from mdeas.images.resize import resize
from mdeas.subject.fill import filled, part, prior, shrunk_by_whole, sized, square, strips

_EMPTY = 5  # alpha in levels of 255 up to which a pixel shows the backdrop alone
# Where light is compared, alpha must be at most _EMPTY all around, this far as a share of the long side:
# masks of a network fade out over some of its working pixels.
_MARGIN = 0.01
_MUCH = 40  # levels of 255; a change by more is rather a missed piece of the subject than light
# Long sides in pixels of the copies on which the fields are found: both are smooth, light even more so.
_SUBJECT_SIZE, _DRIFT_SIZE = 640, 320


@dataclass(frozen=True)
class Colours:
    """Smooth fields over the picture. Four channels, the last one 0: OpenCV is twice as slow with three."""

    drift: np.ndarray
    """float32 (h, w, 4): image minus background photo where nothing stands, continued under the subject.
    It holds a change of exposure and the subject's shadow."""
    subject: np.ndarray
    """uint8 (h, w, 4): the subject's colours, continued outwards."""


def decontaminate(cutout: np.ndarray, background: np.ndarray) -> None:
    """Replace, in place, colours of a cut-out that are mixed with the old backdrop by the subject's own.

    The background is known, so F is the only unknown where alpha is not 0. It minimises
    |image - alpha F - (1 - alpha) backdrop|² + a prior that falls from alpha 0 to 1. The prior is the same
    fit over a neighbourhood, whose prior is the fit over a larger one (Germer et al., Fast Multi-Level
    Foreground Estimation, 2020; here the backdrop is given). Where alpha is 0 the subject's colours are
    continued, so the cut-out can be scaled and filtered. An empty cut-out stays as it is.

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
    # The remaining rows repeat the nearest one: that is quick to make and to compress.
    cutout[:top, :, :3] = cutout[top, :, :3]
    cutout[bottom:, :, :3] = cutout[bottom - 1, :, :3]


def estimate(cutout: np.ndarray, background: np.ndarray) -> Colours:
    """Find the fields of a picture on small copies of it; input as `decontaminate`."""
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

    Only pixels with alpha between empty and solid are solved; most of a picture is one of both.
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
    """Weights of (image - around) and (backdrop - around) in F: two float32 (256,), indexed by alpha."""
    alpha = np.arange(256, dtype=np.float32) / 255
    of_image = alpha / (alpha**2 + prior(alpha**2))
    return of_image, of_image * (1 - alpha)


def _pixels(picture: np.ndarray) -> np.ndarray:
    """uint8 (h, w, 4) as uint32 (N,), a view if possible: indexing whole pixels is many times as fast."""
    return np.ascontiguousarray(picture).view(np.uint32).reshape(-1)


def _levels(pixels: np.ndarray) -> np.ndarray:
    """Colours of the output of `_pixels`: uint32 (N,) -> float32 (3, N, 1)."""
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
    """The scene behind the subject in the image's light: float32 (rows, columns, 3) in [0, 255].

    It is the background photo plus `drift`, see Colours.
    """
    size = cutout.shape[:2]
    plain = part(background, size, rows, columns).astype(np.float32)
    return (plain + part(drift, size, rows, columns)[..., :3]).clip(0, 255)


def _drift(image: np.ndarray, empty: np.ndarray) -> np.ndarray:
    """Colours.drift as planes, from a small cut-out uint8 (h, w, 4) and background uint8 (h, w, 3)."""
    image, empty = shrunk_by_whole(image, _DRIFT_SIZE), shrunk_by_whole(empty, _DRIFT_SIZE)
    outside = (image[..., 3] <= _EMPTY).astype(np.float32)
    keep = cv2.erode(outside, square(max(outside.shape) * _MARGIN))
    change = _planes(image) - _planes(empty)
    weight = keep / (1 + (np.abs(change).max(axis=0) / _MUCH) ** 2)
    return filled(change * weight, weight)
