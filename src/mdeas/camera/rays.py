"""What a pixel sees: from the focal length, or the angle of view, to rays."""

import math
from dataclasses import dataclass

import numpy as np

from mdeas.errors import UsageError

# Between a phone's main camera (67) and a webcam (55 to 65), across the longer side.
ASSUMED_FOV_DEG = 60.0
_FULL_FRAME_DIAGONAL_MM = math.hypot(36, 24)


@dataclass(frozen=True, kw_only=True)
class Camera:
    """A pinhole that looks through the middle of the photo."""

    focal_px: float
    """In pixels of a photo of `width`."""
    width: int
    height: int
    source: str
    """"fov" (given), "exif" or "assumed"."""

    @property
    def fov_deg(self) -> float:
        """Angle of view across the width."""
        return math.degrees(2 * math.atan(self.width / 2 / self.focal_px))

    def resized(self, height: int, width: int) -> "Camera":
        """The same camera for a copy of the photo at another size."""
        return Camera(
            focal_px=self.focal_px * width / self.width, width=width, height=height, source=self.source
        )

    def points(self, depth: np.ndarray) -> np.ndarray:
        """Where each pixel's centre is in space.

        Input: depth: float32 (height, width), distance along the viewing direction, in any unit.
        Output: float32 (height, width, 3) in that unit, the axes of glTF: +X right, +Y up, the camera at 0
            looking towards -Z.
        """
        x = (np.arange(self.width, dtype=np.float32) + 0.5 - self.width / 2) / self.focal_px
        y = (np.arange(self.height, dtype=np.float32) + 0.5 - self.height / 2) / self.focal_px
        points = np.empty((*depth.shape, 3), np.float32)
        points[..., 0], points[..., 1], points[..., 2] = x * depth, -y[:, None] * depth, -depth
        return points


def camera_of(height: int, width: int, *, fov_deg: float | None, focal_35mm: int) -> Camera:
    """The camera of an upright photo of height × width pixels.

    Input:
        fov_deg: angle of view across the width, degrees; None = from focal_35mm.
        focal_35mm: millimetres, as Exif says: that of a 36 × 24 mm camera with the same angle across the
            diagonal; 0 = not known: ASSUMED_FOV_DEG across the longer side.
    Errors: UsageError E-FOV unless 0 < fov_deg < 180.
    """
    if fov_deg is not None:
        return Camera(focal_px=_focal(width, fov_deg), width=width, height=height, source="fov")
    if focal_35mm > 0:
        focal_px = focal_35mm * math.hypot(width, height) / _FULL_FRAME_DIAGONAL_MM
        return Camera(focal_px=focal_px, width=width, height=height, source="exif")
    focal_px = _focal(max(width, height), ASSUMED_FOV_DEG)
    return Camera(focal_px=focal_px, width=width, height=height, source="assumed")


def check_fov(fov_deg: float | None) -> None:
    """UsageError E-FOV for an angle that no pinhole has."""
    if fov_deg is not None and not 0 < fov_deg < 180:
        raise UsageError("E-FOV", f"--fov {fov_deg:g}: not between 0 and 180 degrees.")


def _focal(length_px: int, fov_deg: float) -> float:
    return length_px / 2 / math.tan(math.radians(fov_deg) / 2)
