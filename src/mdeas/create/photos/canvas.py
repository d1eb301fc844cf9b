"""A picture in progress: its pixels, its inverse depth, and the pinhole camera that sees it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

FOCAL = 1.1
"""Focal length of an unknown camera, in long sides of its photo: 49 degrees, as phones have."""


@dataclass(frozen=True, kw_only=True)
class Intrinsics:
    """Focal lengths and principal point of a pinhole camera, in pixels; pixel centres have whole numbers."""

    focal_x_px: float
    focal_y_px: float
    centre_x_px: float
    centre_y_px: float

    @classmethod
    def of_photo(cls, height: int, width: int) -> Intrinsics:
        """Guess the intrinsics of an unknown camera from its uncropped photo of (height, width)."""
        focal_px = FOCAL * max(height, width)
        return cls(
            focal_x_px=focal_px,
            focal_y_px=focal_px,
            centre_x_px=(width - 1) / 2,
            centre_y_px=(height - 1) / 2,
        )

    def cropped(self, rows: slice, columns: slice, height: int, width: int) -> Intrinsics:
        """Return the intrinsics after cropping to `rows` and `columns` and resizing to (height, width)."""
        x, y = width / (columns.stop - columns.start), height / (rows.stop - rows.start)
        return Intrinsics(
            focal_x_px=self.focal_x_px * x,
            focal_y_px=self.focal_y_px * y,
            centre_x_px=(self.centre_x_px + 0.5 - columns.start) * x - 0.5,
            centre_y_px=(self.centre_y_px + 0.5 - rows.start) * y - 0.5,
        )

    def mirrored(self, width: int) -> Intrinsics:
        """Return the intrinsics after mirroring a picture of `width` left to right."""
        return replace(self, centre_x_px=width - 1 - self.centre_x_px)


@dataclass(kw_only=True)
class Canvas:
    """A picture in progress, changed in place."""

    picture: np.ndarray
    """float32 RGB (H, W, 3) in 0 ... 255."""
    inverse_depth: np.ndarray | None
    """float32 (H, W), larger = nearer, 0 = unknown, see composite_depth.py; None = no depth is known."""
    intrinsics: Intrinsics
    """Of the camera that sees the picture, known or guessed."""
