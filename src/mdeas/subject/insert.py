"""Scale a cut-out and place it in a photo."""

from dataclasses import dataclass

import cv2
import numpy as np

from mdeas.errors import InputError, UsageError
from mdeas.images.resize import resize

_MAX_PIXELS = 50_000_000  # of an enlarged insert: 800 MB
_SOLID = 128  # alpha from which a pixel counts for the height and the foot of a cut-out


@dataclass(frozen=True, kw_only=True)
class Insert:
    """A cut-out at its final size and place."""

    pixels: np.ndarray
    """float32 (h, w, 4): colours times alpha in [0, 255], and alpha in [0, 1]."""
    top: int
    """Row of the photo at which it begins; may lie outside the photo."""
    left: int
    """The same for its first column."""

    def window(self, size: tuple[int, int]) -> tuple[slice, slice]:
        """The rows and columns of a photo of `size` = (H, W) that it covers."""
        height, width = self.pixels.shape[:2]
        return _clipped(self.top, height, size[0]), _clipped(self.left, width, size[1])

    def seen(self, rows: slice, columns: slice) -> np.ndarray:
        """Its pixels in that window of the photo: float32 (rows, columns, 4)."""
        across = slice(columns.start - self.left, columns.stop - self.left)
        return self.pixels[rows.start - self.top : rows.stop - self.top, across]


def place_insert(
    cutout: np.ndarray, name: str, at: tuple[float, float], height_px: int | None, size: tuple[int, int]
) -> Insert:
    """Scale a cut-out and place the middle of its foot at a point of a photo.

    Input:
        cutout: uint8 (h, w, 4); its transparent margin is cut away. name: for messages, quoted.
        at: (x, y) in pixels of the photo.
        height_px: height of its solid part; None = as it is. Haze and shadows, which mattes leave far around
            a thing, are inserted but not measured.
        size: (H, W) of the photo.
    Errors: InputError E-INSERT-EMPTY, E-INSERT-SIZE; UsageError E-INSERT-OUTSIDE.
    """
    if not cutout[..., 3].any():
        raise InputError("E-INSERT-EMPTY", f"{name}: transparent everywhere. Give a picture of something.")
    cutout = cutout[_extent(cutout[..., 3] > 0)]
    rows, columns = _extent(cutout[..., 3] >= min(_SOLID, int(cutout[..., 3].max())))
    factor = height_px / (rows.stop - rows.start) if height_px else 1.0
    foot, middle = factor * rows.stop, factor * (columns.start + columns.stop) / 2
    pixels = _scaled(cutout, factor, name)
    insert = Insert(pixels=pixels, top=round(at[1] - foot), left=round(at[0] - middle))
    if not insert.seen(*insert.window(size))[..., 3].any():
        where = f"--at {at[0]:g},{at[1]:g} puts it outside the photo of {size[1]}×{size[0]} pixels"
        raise UsageError("E-INSERT-OUTSIDE", f"{name}: {where}. Give a point in the photo.")
    return insert


def _extent(inside: np.ndarray) -> tuple[slice, slice]:
    """Rows and columns of the box around the True pixels of a bool (h, w) that has some."""
    rows, columns = (np.flatnonzero(inside.any(axis=axis)) for axis in (1, 0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def _scaled(cutout: np.ndarray, factor: float, name: str) -> np.ndarray:
    """Insert.pixels: scaled as colours times alpha, so no transparent colour bleeds into the edge."""
    height, width = (max(1, round(side * factor)) for side in cutout.shape[:2])
    if height * width > _MAX_PIXELS:
        large = f"{width}×{height} pixels are more than {_MAX_PIXELS:,}"
        raise InputError("E-INSERT-SIZE", f"{name}: {large}. Pass a smaller --height.")
    alpha = cutout[..., 3:] / np.float32(255)
    return resize(np.dstack([cutout[..., :3] * alpha, alpha]), height, width, enlarge=cv2.INTER_LINEAR)


def _clipped(start: int, length: int, end: int) -> slice:
    """The part of start ... start + length that lies in 0 ... end."""
    return slice(min(max(0, start), end), min(max(0, start + length), end))
