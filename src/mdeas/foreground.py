"""The subject's own colours F, and the backdrop behind it: image = alpha F + (1 - alpha) backdrop."""

from dataclasses import dataclass

import cv2
import numpy as np

from mdeas.fields import blended, filled, part, shrunk, square, strips

# Alpha in levels of 255 up to which a pixel shows the backdrop alone, and how far around it that must hold,
# as a share of the long side: masks of a network fade out over some of its working pixels.
_EMPTY = 5
_MARGIN = 0.01
_MUCH = 40  # levels of 255


@dataclass(frozen=True)
class Colours:
    """Smooth fields over the picture, long side at most about five hundred pixels."""

    drift: np.ndarray
    """float32 (h, w, 3): image minus background photo where nothing stands, carried under the subject:
    another exposure, and the subject's shadow."""
    subject: np.ndarray
    """float32 (h, w, 3) in levels of 255: the subject's colours, carried outwards."""


def decontaminate(cutout: np.ndarray, background: np.ndarray) -> None:
    """Replace, in place, the colours of a cut-out that show the old backdrop by the subject's own.

    The background is known, so that one unknown is left where alpha is not 0: F minimises
    |image - alpha F - (1 - alpha) backdrop|² + a prior that falls from alpha 0 to 1. The prior is the same
    fit of a neighbourhood, and its prior that of a larger one (the idea of Germer et al., Fast Multi-Level
    Foreground Estimation, 2020, with the backdrop given). Where alpha is 0 the colours continue those of the
    subject, so that the cut-out can be scaled and filtered. One with alpha 0 everywhere is left as it is.

    Input:
        cutout: uint8 (H, W, 4), the image's colours with alpha.
        background: uint8 (h, w, 3), the same view without the subject, at this size or smaller.
    """
    if not cutout[..., 3].any():
        return
    colours = estimate(cutout, background)
    for rows in strips(len(cutout)):
        cutout[rows, :, :3] = np.rint(subject_colours(cutout, background, colours, rows))


def estimate(cutout: np.ndarray, background: np.ndarray) -> Colours:
    """The fields of a picture; input as `decontaminate`. Memory: strips, whatever the size."""
    drift = _drift(cutout, background)
    sums = shrunk(cutout.shape[:2], lambda rows: np.dstack(_fit(cutout, background, drift, rows)))
    return Colours(drift, filled(sums[..., :3], sums[..., 3]))


def subject_colours(
    cutout: np.ndarray, background: np.ndarray, colours: Colours, rows: slice, columns: slice = slice(None)
) -> np.ndarray:
    """The subject's colours in a part of the picture: float32 (rows, columns, 3) in [0, 255]."""
    sums, weight = _fit(cutout, background, colours.drift, rows, columns)
    around = part(colours.subject, cutout.shape[:2], rows, columns)
    return blended(sums, weight, around).clip(0, 255)


def backdrop(
    cutout: np.ndarray, background: np.ndarray, drift: np.ndarray, rows: slice, columns: slice = slice(None)
) -> np.ndarray:
    """What is behind the subject, as the image's own light shows it: float32 (rows, columns, 3) in [0, 255].

    The background photo, plus what the image differs by around the subject.
    """
    size = cutout.shape[:2]
    plain = part(background, size, rows, columns).astype(np.float32)
    return (plain + part(drift, size, rows, columns)).clip(0, 255)


def _fit(
    cutout: np.ndarray, background: np.ndarray, drift: np.ndarray, rows: slice, columns: slice = slice(None)
) -> tuple[np.ndarray, np.ndarray]:
    """The normal equation of F in each pixel, weight * F = sums: float32 (h, w, 3) and (h, w)."""
    region = cutout[rows, columns]
    alpha = region[..., 3:] / np.float32(255)
    seen = region[..., :3] - (1 - alpha) * backdrop(cutout, background, drift, rows, columns)
    return alpha * seen, alpha[..., 0] ** 2


def _drift(cutout: np.ndarray, background: np.ndarray) -> np.ndarray:
    size = cutout.shape[:2]

    def outside(rows: slice) -> np.ndarray:
        return (cutout[rows, :, 3:] <= _EMPTY).astype(np.float32)

    def changes(rows: slice) -> np.ndarray:
        change = cutout[rows, :, :3] - part(background, size, rows).astype(np.float32)
        # What changed much is rather a piece of the subject that the mask misses than light.
        red, green, blue = np.moveaxis(np.abs(change), 2, 0)  # numpy's max over an axis of three is slow
        most = np.maximum(np.maximum(red, green), blue)[..., None]
        weight = outside(rows) / (1 + (most / _MUCH) ** 2)
        return np.dstack([change * weight, weight])

    empty = (shrunk(size, outside)[..., 0] > 0.99).astype(np.float32)
    keep = cv2.erode(empty, square(max(empty.shape) * _MARGIN))
    means = shrunk(size, changes) * keep[..., None]
    return filled(means[..., :3], means[..., 3])
