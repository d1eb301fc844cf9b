"""How the five published systems made a mask of a cut-out's alpha."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

_SURE = 150  # of 255; system 2's threshold
_REACH = 5  # pixels across what opening removes and closing fills


def alpha(coverage: np.ndarray) -> np.ndarray:
    """As it is (system 1)."""
    return coverage


def sure(coverage: np.ndarray) -> np.ndarray:
    """150 and more becomes 255, less stays (system 2, whose published deviation shows soft edges)."""
    return np.where(coverage >= _SURE, np.uint8(255), coverage)


def nonzero(coverage: np.ndarray) -> np.ndarray:
    """All that is not 0 becomes 255 (systems 3 and 5)."""
    return np.where(coverage > 0, np.uint8(255), np.uint8(0))


def morphological(coverage: np.ndarray) -> np.ndarray:
    """Opened, so that thin bits go, then closed, so that small holes fill (system 4)."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_REACH, _REACH))
    # With a border the outline is eroded where it touches the cut-out's edge, too.
    padded = cv2.copyMakeBorder(coverage, *(_REACH,) * 4, cv2.BORDER_CONSTANT)
    closed = cv2.morphologyEx(cv2.morphologyEx(padded, cv2.MORPH_OPEN, disc), cv2.MORPH_CLOSE, disc)
    return closed[_REACH:-_REACH, _REACH:-_REACH]


MASK_RULES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    rule.__name__: rule for rule in (alpha, sure, nonzero, morphological)
}
"""Each: alpha uint8 (h, w) -> mask uint8 (h, w)."""
