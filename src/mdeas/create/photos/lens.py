"""The camera behind a photo as it is cropped, resized and mirrored: a pinhole in pixels of the picture."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mdeas.create.photos.composite_depth import FOCAL


@dataclass(frozen=True, kw_only=True)
class Lens:
    """Focal lengths and principal point, in pixels with whole numbers at pixel centres."""

    focal_x_px: float
    focal_y_px: float
    centre_x_px: float
    centre_y_px: float

    @classmethod
    def of_photo(cls, height: int, width: int) -> Lens:
        """Of an unknown camera whose whole picture this is."""
        focal_px = FOCAL * max(height, width)
        return cls(
            focal_x_px=focal_px,
            focal_y_px=focal_px,
            centre_x_px=(width - 1) / 2,
            centre_y_px=(height - 1) / 2,
        )

    def cropped(self, rows: slice, columns: slice, height: int, width: int) -> Lens:
        """Of those rows and columns, resized to (height, width)."""
        x, y = width / (columns.stop - columns.start), height / (rows.stop - rows.start)
        return Lens(
            focal_x_px=self.focal_x_px * x,
            focal_y_px=self.focal_y_px * y,
            centre_x_px=(self.centre_x_px + 0.5 - columns.start) * x - 0.5,
            centre_y_px=(self.centre_y_px + 0.5 - rows.start) * y - 0.5,
        )

    def mirrored(self, width: int) -> Lens:
        """Of the picture of that width turned left to right."""
        return replace(self, centre_x_px=width - 1 - self.centre_x_px)
