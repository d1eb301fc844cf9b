"""Where in a view something can stand: floors, tables, seats, found in its inverse depth.

The inverse depth of a plane is affine in the pixel's place, and its coefficients are the plane's normal: for
a camera with focal lengths f, principal point c and inverse depth d = a x + b y + e, the normal points along
(f_x a, f_y b, d(c)), whose length is 1 / distance. So a least-squares plane around every pixel tells whether
it is level and seen from above. The scale of d does not matter, so it holds for relative depth as well, as
far as its zero is at infinity.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from mdeas.create.photos.studio import View

_WINDOW = 1 / 8  # of the picture's side
_LEAST_KNOWN = 0.6  # of the window
_LEAST_UP = (
    0.5  # cosine between the surface's normal and the picture's: cameras look down by up to 60 degrees
)
_MOST_SIDEWAYS = 0.25  # and are held straight within 15 degrees
_ROUGHNESS = 0.015  # root mean square distance from the plane, as a share of the value
_LEAST_TILT = 0.08  # seen at a smaller angle (about its sine) a surface is a line
_LEAST_SHARE = 0.01  # of the view; a smaller patch is clutter


@dataclass(frozen=True, kw_only=True)
class Ground:
    """The plane around every pixel of a view, and where it is one to stand on."""

    stands: np.ndarray
    """bool (H, W)."""
    value: np.ndarray
    """float32 (H, W): the plane's inverse depth at the pixel."""
    nearness: np.ndarray
    """float32 (H, W): 1 / distance of the camera from the plane, in the unit of `value`."""

    def tilt(self, row: int, column: int) -> float:
        """Height over width of a circle on the plane there, as the camera sees it."""
        return float(np.clip(self.value[row, column] / self.nearness[row, column], 0, 1))


def find_ground(view: View) -> Ground:
    """The ground of a view with inverse depth."""
    assert view.inverse is not None
    side, lens = view.inverse.shape[0], view.lens
    slope_x, slope_y, value, roughness = _planes(view.inverse, 2 * int(side * _WINDOW / 2) + 1)
    y, x = np.mgrid[:side, :side]
    ahead = value + slope_x * (lens.centre_x_px - x) + slope_y * (lens.centre_y_px - y)
    normal = np.stack([slope_x * lens.focal_x_px, slope_y * lens.focal_y_px, ahead])
    nearness = np.maximum(np.linalg.norm(normal, axis=0), 1e-12)
    level = (normal[1] >= _LEAST_UP * nearness) & (np.abs(normal[0]) <= _MOST_SIDEWAYS * nearness)
    smooth = (value > 0) & (roughness <= _ROUGHNESS * value) & (view.inverse > 0)
    stands = _patches(level & smooth & (value >= _LEAST_TILT * nearness))
    return Ground(stands=stands, value=value.astype(np.float32), nearness=nearness.astype(np.float32))


def _planes(inverse: np.ndarray, window: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Least-squares plane in the window around each pixel, of what is known: float64 (H, W) each.

    Output: slopes in x and y, value at the pixel, root mean square residual (inf: not enough known).
    """
    known = (inverse > 0).astype(np.float64)
    y, x = (axis.astype(np.float64) for axis in np.mgrid[: inverse.shape[0], : inverse.shape[1]])
    weight = np.maximum(_sum(known, window), 1)

    def mean(values: np.ndarray) -> np.ndarray:
        return _sum(values * known, window) / weight

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


def _sum(values: np.ndarray, window: int) -> np.ndarray:
    return cv2.boxFilter(values, -1, (window, window), normalize=False, borderType=cv2.BORDER_CONSTANT)


def _patches(stands: np.ndarray) -> np.ndarray:
    """bool (H, W) without its small patches."""
    _, labels, facts, _ = cv2.connectedComponentsWithStats(stands.astype(np.uint8), connectivity=4)
    large = facts[:, cv2.CC_STAT_AREA] >= _LEAST_SHARE * stands.size
    large[0] = False  # what is not ground
    return large[labels]
