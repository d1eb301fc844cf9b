"""Small copies of both photos, their structure, and where the structures agree, tile by tile.

Structure is the logarithm of the grey level without its coarse part: another light leaves it as it is.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from mdeas.images.resize import resize

SIDE_PX = 640
"""Largest long side of a small copy."""
TILE_PX = 32
"""Side of a tile in a small copy."""
_DARK_LEVEL = 8.0  # added to the level: below it a photo holds more noise than structure
# Structure is coarser than the first and finer than the second.
_FINE_SIGMA_PX, _COARSE_SIDE_PX = 1.2, 31
_SAME_CORRELATION = 0.6  # from which a tile shows the same in both photos
_STRUCTURE_DEVIATION = 0.02  # standard deviation from which a tile has structure
_WHOLE = 0.999  # share of a tile's pixels that must be valid, less rounding


@dataclass(frozen=True, kw_only=True)
class SmallPhoto:
    """A photo at the size at which pairs are measured."""

    rgb: np.ndarray
    """uint8 (h, w, 3) RGB."""
    log: np.ndarray
    """float32 (h, w): logarithm of the grey level."""
    structure: np.ndarray
    """float32 (h, w), about -1 to 1: `log` without its coarse part."""
    full_size: tuple[int, int]
    """(height, width) of the photo."""

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the small copy."""
        return self.rgb.shape[0], self.rgb.shape[1]

    @property
    def scale(self) -> float:
        """Pixels of the photo per pixel of the small copy."""
        return max(self.full_size) / max(self.size)

    def structure_levels(self) -> np.ndarray:
        """uint8 (h, w): the structure from -0.5 to 0.5 as levels 0 to 255, for OpenCV's trackers."""
        return cv2.convertScaleAbs(self.structure.clip(-0.5, 0.5) + np.float32(0.5), alpha=255)


def small_size(height: int, width: int) -> tuple[int, int]:
    """(height, width) of the small copy of a photo of that size."""
    scale = min(1.0, SIDE_PX / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def small_photo(photo: np.ndarray, full_size: tuple[int, int], size: tuple[int, int]) -> SmallPhoto:
    """Make the small copy of a photo.

    Input:
        photo: uint8 (H, W, 3) RGB, the photo or a smaller copy of it.
        full_size: (height, width) of the photo; size: (height, width) of the small copy.
    """
    rgb = resize(photo, *size, enlarge=cv2.INTER_LINEAR)
    log_of_level = np.log(np.arange(256, dtype=np.float32) + np.float32(_DARK_LEVEL))
    log = cv2.LUT(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), log_of_level)
    fine = cv2.GaussianBlur(log, (0, 0), _FINE_SIGMA_PX)
    structure = fine - cv2.blur(log, (_COARSE_SIDE_PX, _COARSE_SIDE_PX))
    return SmallPhoto(rgb=rgb, log=log, structure=structure, full_size=full_size)


@dataclass(frozen=True, kw_only=True)
class TileAgreement:
    """Two structures compared tile by tile; every array is (rows, columns) of tiles."""

    agreement: np.ndarray
    """float32 in [-1, 1]: correlation of the structures."""
    background: np.ndarray
    """bool: the background has structure in the tile."""
    image: np.ndarray
    """bool: the image has structure in the tile."""

    @property
    def both(self) -> np.ndarray:
        """bool: both photos have structure in the tile."""
        return self.background & self.image

    @property
    def same(self) -> np.ndarray:
        """bool: both photos have the same structure in the tile."""
        return self.both & (self.agreement > _SAME_CORRELATION)

    @property
    def mean(self) -> float:
        """Mean agreement of the tiles with structure in both photos; 0 without such tiles."""
        return float(self.agreement[self.both].mean()) if self.both.any() else 0.0


def compare_tiles(background: np.ndarray, image: np.ndarray, valid: np.ndarray) -> TileAgreement:
    """Compare two structures.

    Input: float32 (h, w), see SmallPhoto.structure; valid: float32 (h, w), 1 where the background has pixels.
    """
    height, width = image.shape
    grid = max(1, round(width / TILE_PX)), max(1, round(height / TILE_PX))

    def mean(array: np.ndarray) -> np.ndarray:
        return cv2.resize(array, grid, interpolation=cv2.INTER_AREA)

    means = mean(background), mean(image)
    variances = [np.maximum(mean(a * a) - m * m, 0) for a, m in zip((background, image), means, strict=True)]
    covariance = mean(background * image) - means[0] * means[1]
    inside = mean(valid) > _WHOLE
    return TileAgreement(
        agreement=covariance / np.sqrt(variances[0] * variances[1] + np.float32(1e-12)),
        background=(variances[0] > _STRUCTURE_DEVIATION**2) & inside,
        image=(variances[1] > _STRUCTURE_DEVIATION**2) & inside,
    )
