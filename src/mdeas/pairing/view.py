"""The small copy of a photo on which everything about a pair is measured."""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from mdeas.images.resize import resize

SIDE = 640
"""Long side of that copy at most, pixels."""
_DARK = 8.0  # levels below which a photo holds more noise than structure
_FINE_PX, _COARSE_PX = 1.2, 31  # the band that structure is taken from


@dataclass(frozen=True, kw_only=True)
class View:
    """A photo at working size."""

    rgb: np.ndarray
    """uint8 (h, w, 3) RGB."""
    log: np.ndarray
    """float32 (h, w): logarithm of the grey level."""
    structure: np.ndarray
    """float32 (h, w): `log` without what is coarse, about -1 to 1. A gain of the light leaves it."""
    full: tuple[int, int]
    """(height, width) of the photo."""

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the view."""
        return self.rgb.shape[0], self.rgb.shape[1]

    @property
    def scale(self) -> float:
        """Pixels of the photo to one of the view."""
        return max(self.full) / max(self.size)

    @property
    def bytes(self) -> np.ndarray:
        """uint8 (h, w): the structure for OpenCV's trackers, -0.5 to 0.5 over the whole range."""
        return cv2.convertScaleAbs(self.structure.clip(-0.5, 0.5) + np.float32(0.5), alpha=255)


def view_size(height: int, width: int) -> tuple[int, int]:
    """(height, width) of the View of a photo of that size."""
    scale = min(1.0, SIDE / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def view(photo: np.ndarray, full: tuple[int, int], size: tuple[int, int]) -> View:
    """Input: photo: uint8 (H, W, 3) RGB or a smaller copy; full: its (height, width); size: the view's."""
    rgb = resize(photo, *size, enlarge=cv2.INTER_LINEAR)
    log = cv2.LUT(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), _log_table())
    fine = cv2.GaussianBlur(log, (0, 0), _FINE_PX)
    return View(rgb=rgb, log=log, structure=fine - cv2.blur(log, (_COARSE_PX, _COARSE_PX)), full=full)


@cache
def _log_table() -> np.ndarray:
    return np.log(np.arange(256, dtype=np.float32) + np.float32(_DARK))
