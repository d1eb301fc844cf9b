"""Find surfaces in a picture on which something can stand: floors, tables, seats.

The inverse depth of a plane is affine in the pixel position; its coefficients give the plane's normal. For a
camera with focal lengths f, principal point c and inverse depth d = a x + b y + e, the normal points along
(f_x a, f_y b, d(c)), whose length is 1 / distance. So a least-squares plane around every pixel tells whether
the surface is level and seen from above. The scale of d has no influence, so this works for relative depth
too, if its zero is at infinity.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from mdeas.create.photos.canvas import Canvas

_WINDOW = 1 / 8  # side of the window around a pixel, as a share of the picture's side
_LEAST_KNOWN = 0.6  # least share of the window's pixels that have depth
_LEAST_UP = 0.5  # least cosine between normal and image vertical: cameras look down by up to 60 degrees
_MOST_SIDEWAYS = 0.25  # greatest sine of the normal's sideways lean: cameras roll by up to 15 degrees
_ROUGHNESS = 0.015  # greatest root mean square residual, relative to the value
_LEAST_TILT = 0.08  # least sine of the viewing angle; below it a surface looks like a line
_LEAST_SHARE = 0.01  # least share of the picture; smaller patches are not ground


@dataclass(frozen=True, kw_only=True)
class Ground:
    """The plane around every pixel of a picture, and the pixels where something can stand."""

    standable: np.ndarray
    """bool (H, W): smooth, level, seen from above."""
    value: np.ndarray
    """float32 (H, W): the plane's inverse depth at the pixel."""
    inverse_distance: np.ndarray
    """float32 (H, W): 1 / distance between camera and plane, in the unit of `value`."""

    def tilt(self, row: int, column: int) -> float:
        """Return height / width of a circle on the plane at that pixel, as the camera sees it: in [0, 1]."""
        return float(np.clip(self.value[row, column] / self.inverse_distance[row, column], 0, 1))


def find_ground(canvas: Canvas) -> Ground:
    """Find the ground of a square picture with inverse depth."""
    assert canvas.inverse_depth is not None
    side, intrinsics = canvas.inverse_depth.shape[0], canvas.intrinsics
    slope_x, slope_y, value, roughness = _planes(canvas.inverse_depth, 2 * int(side * _WINDOW / 2) + 1)
    y, x = np.mgrid[:side, :side]
    ahead = value + slope_x * (intrinsics.centre_x_px - x) + slope_y * (intrinsics.centre_y_px - y)
    normal = np.stack([slope_x * intrinsics.focal_x_px, slope_y * intrinsics.focal_y_px, ahead])
    inverse_distance = np.maximum(np.linalg.norm(normal, axis=0), 1e-12)
    level = (normal[1] >= _LEAST_UP * inverse_distance) & (
        np.abs(normal[0]) <= _MOST_SIDEWAYS * inverse_distance
    )
    smooth = (value > 0) & (roughness <= _ROUGHNESS * value) & (canvas.inverse_depth > 0)
    standable = _without_small_patches(level & smooth & (value >= _LEAST_TILT * inverse_distance))
    return Ground(
        standable=standable,
        value=value.astype(np.float32),
        inverse_distance=inverse_distance.astype(np.float32),
    )


def _planes(inverse: np.ndarray, window: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Fit a least-squares plane to the known pixels in the window around each pixel.

    Output: float64 (H, W) each: slopes in x and y, value at the pixel, root mean square residual (inf = too
        few pixels are known). Input: inverse: float32 (H, W), 0 = unknown.
    """
    known = (inverse > 0).astype(np.float64)
    y, x = (axis.astype(np.float64) for axis in np.mgrid[: inverse.shape[0], : inverse.shape[1]])
    weight = np.maximum(_window_sum(known, window), 1)

    def mean(values: np.ndarray) -> np.ndarray:
        return _window_sum(values * known, window) / weight

    d = inverse.astype(np.float64)
    mean_x, mean_y, mean_d = mean(x), mean(y), mean(d)
    xx, xy, yy = (
        mean(a * b) - p * q
        for a, b, p, q in ((x, x, mean_x, mean_x), (x, y, mean_x, mean_y), (y, y, mean_y, mean_y))
    )
    xd, yd, dd = mean(x * d) - mean_x * mean_d, mean(y * d) - mean_y * mean_d, mean(d * d) - mean_d**2
    determinant = np.maximum(xx * yy - xy**2, 1e-9)
    slope_x, slope_y = (yy * xd - xy * yd) / determinant, (xx * yd - xy * xd) / determinant
    residual = np.sqrt(np.maximum(dd - slope_x * xd - slope_y * yd, 0))
    value = mean_d + slope_x * (x - mean_x) + slope_y * (y - mean_y)
    return slope_x, slope_y, value, np.where(weight < _LEAST_KNOWN * window**2, np.inf, residual)


def _window_sum(values: np.ndarray, window: int) -> np.ndarray:
    """Sum float64 (H, W) over the window around each pixel; outside the picture is 0."""
    return cv2.boxFilter(values, -1, (window, window), normalize=False, borderType=cv2.BORDER_CONSTANT)


def _without_small_patches(standable: np.ndarray) -> np.ndarray:
    """Clear the small connected patches of bool (H, W)."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(standable.astype(np.uint8), connectivity=4)
    large = stats[:, cv2.CC_STAT_AREA] >= _LEAST_SHARE * standable.size
    large[0] = False  # label 0 is everything that is not standable
    return large[labels]
