"""The rules by which the five published systems made a mask from a cut-out's alpha."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

_SURE = 150  # of 255; the threshold of system 2
_DISC_PX = 5  # diameter of the parts that opening removes and of the holes that closing fills


def alpha(coverage: np.ndarray) -> np.ndarray:
    """Keep the alpha (system 1)."""
    return coverage


def sure(coverage: np.ndarray) -> np.ndarray:
    """Set 150 and more to 255, keep less (system 2; its published deviation shows soft edges)."""
    return np.where(coverage >= _SURE, np.uint8(255), coverage)


def nonzero(coverage: np.ndarray) -> np.ndarray:
    """Set everything above 0 to 255 (systems 3 and 5)."""
    return np.where(coverage > 0, np.uint8(255), np.uint8(0))


def morphological(coverage: np.ndarray) -> np.ndarray:
    """Open, which removes thin parts, then close, which fills small holes (system 4)."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_DISC_PX, _DISC_PX))
    # The border makes opening erode the outline at the edge of the cut-out, too.
    padded = cv2.copyMakeBorder(coverage, *(_DISC_PX,) * 4, cv2.BORDER_CONSTANT)
    closed = cv2.morphologyEx(cv2.morphologyEx(padded, cv2.MORPH_OPEN, disc), cv2.MORPH_CLOSE, disc)
    return closed[_DISC_PX:-_DISC_PX, _DISC_PX:-_DISC_PX]


MASK_RULES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    rule.__name__: rule for rule in (alpha, sure, nonzero, morphological)
}
"""Name -> function from alpha, uint8 (h, w), to mask, uint8 (h, w)."""
