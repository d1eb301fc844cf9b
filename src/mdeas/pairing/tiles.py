"""Where two photos show the same structure, tile by tile: whatever the light and the foreground."""

from dataclasses import dataclass

import cv2
import numpy as np

TILE = 32
"""Side of a tile, pixels of a View."""
_SEEN = 0.6  # correlation from which a tile shows the same in both photos
_TEXTURE = 0.02  # standard deviation of the structure from which a tile has some
_WHOLE = 0.999


@dataclass(frozen=True, kw_only=True)
class Tiles:
    """Two structures compared; all arrays are (rows, columns) of tiles."""

    agreement: np.ndarray
    """float32 in [-1, 1]: correlation of the structures."""
    background: np.ndarray
    """bool: the background has structure there."""
    image: np.ndarray
    """bool: the image has structure there."""

    @property
    def both(self) -> np.ndarray:
        """bool: there is something to compare."""
        return self.background & self.image

    @property
    def seen(self) -> np.ndarray:
        """bool: both photos show the same."""
        return self.both & (self.agreement > _SEEN)

    @property
    def mean(self) -> float:
        """Mean agreement where there is something to compare, else 0."""
        return float(self.agreement[self.both].mean()) if self.both.any() else 0.0


def compare(background: np.ndarray, image: np.ndarray, valid: np.ndarray) -> Tiles:
    """Compare two structures, float32 (h, w); valid: float32 (h, w), 1 where the background has pixels."""
    height, width = image.shape
    grid = max(1, round(width / TILE)), max(1, round(height / TILE))

    def mean(array: np.ndarray) -> np.ndarray:
        return cv2.resize(array, grid, interpolation=cv2.INTER_AREA)

    centre = mean(background), mean(image)
    spread = [np.maximum(mean(a * a) - m * m, 0) for a, m in zip((background, image), centre, strict=True)]
    common = mean(background * image) - centre[0] * centre[1]
    inside = mean(valid) > _WHOLE
    return Tiles(
        agreement=common / np.sqrt(spread[0] * spread[1] + np.float32(1e-12)),
        background=(spread[0] > _TEXTURE**2) & inside,
        image=(spread[1] > _TEXTURE**2) & inside,
    )
