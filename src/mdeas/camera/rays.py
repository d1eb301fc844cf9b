"""From the focal length or the angle of view to the ray of each pixel."""

import math
from dataclasses import dataclass

import numpy as np

from mdeas.errors import UsageError

ASSUMED_FOV_DEG = 60.0
"""Across the longer side: between a phone's main camera (67) and a webcam (55 to 65)."""
_FULL_FRAME_DIAGONAL_MM = math.hypot(36, 24)


@dataclass(frozen=True, kw_only=True)
class Pinhole:
    """A pinhole camera whose optical axis goes through the middle of the photo."""

    focal_px: float
    """In pixels of a photo of `width`."""
    width: int
    height: int
    source: str
    """Where the focal length is from: "fov" (given), "exif" or "assumed"."""

    @property
    def fov_deg(self) -> float:
        """Angle of view across the width."""
        return math.degrees(2 * math.atan(self.width / 2 / self.focal_px))

    def resized(self, height: int, width: int) -> "Pinhole":
        """The same camera for a copy of the photo at another size."""
        return Pinhole(
            focal_px=self.focal_px * width / self.width, width=width, height=height, source=self.source
        )

    def points(self, depth: np.ndarray) -> np.ndarray:
        """The place of each pixel's centre in space.

        Input: depth: float32 (height, width), distance along the optical axis, in any unit.
        Output: float32 (height, width, 3) in that unit, in glTF's axes: +X right, +Y up, the camera at 0
            looks towards -Z.
        """
        x = (np.arange(self.width, dtype=np.float32) + 0.5 - self.width / 2) / self.focal_px
        y = (np.arange(self.height, dtype=np.float32) + 0.5 - self.height / 2) / self.focal_px
        points = np.empty((*depth.shape, 3), np.float32)
        points[..., 0], points[..., 1], points[..., 2] = x * depth, -y[:, None] * depth, -depth
        return points


def pinhole_of(height: int, width: int, *, fov_deg: float | None, focal_35mm: int) -> Pinhole:
    """The camera of an upright photo of height × width pixels.

    Input:
        fov_deg: angle of view across the width, degrees; None = from focal_35mm.
        focal_35mm: Exif's focal length in millimetres, for a 36 × 24 mm camera with the same diagonal angle
            of view. 0 = unknown: ASSUMED_FOV_DEG across the longer side.
    Errors: UsageError E-FOV unless 0 < fov_deg < 180.

    Example:
        >>> round(pinhole_of(480, 640, fov_deg=90, focal_35mm=0).focal_px)
        320
    """
    if fov_deg is not None:
        check_fov(fov_deg)
        return Pinhole(focal_px=_focal_px(width, fov_deg), width=width, height=height, source="fov")
    if focal_35mm > 0:
        focal_px = focal_35mm * math.hypot(width, height) / _FULL_FRAME_DIAGONAL_MM
        return Pinhole(focal_px=focal_px, width=width, height=height, source="exif")
    focal_px = _focal_px(max(width, height), ASSUMED_FOV_DEG)
    return Pinhole(focal_px=focal_px, width=width, height=height, source="assumed")


def check_fov(fov_deg: float | None) -> None:
    """UsageError E-FOV unless the angle is None or between 0 and 180 degrees."""
    if fov_deg is not None and not 0 < fov_deg < 180:
        raise UsageError("E-FOV", f"--fov {fov_deg:g}: expected an angle between 0 and 180 degrees.")


def _focal_px(length_px: int, fov_deg: float) -> float:
    return length_px / 2 / math.tan(math.radians(fov_deg) / 2)
