"""Alignment without corners: all structure at once, robust, and only in the directions that it fixes.

Gauss-Newton with Tukey weights over a pyramid (inverse compositional: Baker & Matthews, Lucas-Kanade 20 Years
On). A table's edge alone says how far it moved across, and nothing of along: steps in directions that the
structure does not hold are left out, and what moves along an edge stays 0.
"""

import cv2
import numpy as np

_LEVELS = (8, 4, 2)  # each a fraction of the structure's size
_ITERATIONS = 12
_HELD = 0.02  # of the best-held direction's curvature, from which a direction is moved in
_CUT = 4.7  # Tukey's constant: residuals of so many deviations weigh nothing
_STILL_PX = 0.02
_STRONG = 0.3  # of the steepest slope: where residuals tell how well the photos fit
_FLOOR = 0.02  # deviation of residuals at least


def align(background: np.ndarray, image: np.ndarray) -> np.ndarray:
    """Shift and rotation that lay one structure on the other.

    Input: float32 (h, w), see View.structure.
    Output: float64 (2, 3): pixel of the background -> pixel of the image.
    """
    right = down = turn = 0.0
    for level in _LEVELS:
        first, second = (_smaller(array, level) for array in (background, image))
        right, down, turn = _refine(first, second, np.array([right / level, down / level, turn]))
        right, down = right * level, down * level
    return _matrix(np.array([right, down, turn]), image.shape)


def _smaller(structure: np.ndarray, level: int) -> np.ndarray:
    height, width = structure.shape
    return cv2.resize(structure, (width // level, height // level), interpolation=cv2.INTER_AREA)


def _refine(background: np.ndarray, image: np.ndarray, pose: np.ndarray) -> np.ndarray:
    """pose: right and down in pixels, turn in radians about the centre."""
    height, width = image.shape
    steepest = _steepest(background)
    for _ in range(_ITERATIONS):
        looked = cv2.warpAffine(
            image, _matrix(pose, image.shape), (width, height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT, borderValue=float("nan"),
        )  # fmt: skip
        step = _step(steepest, (looked - background).ravel())
        pose = pose + step  # small turns: composition is addition
        if np.abs(step[:2]).max() < _STILL_PX and abs(step[2]) * max(height, width) < _STILL_PX:
            break
    return pose


def _steepest(background: np.ndarray) -> np.ndarray:
    """float32 (h·w, 3): change of the structure with right, down and turn."""
    along_y, along_x = np.gradient(background)
    height, width = background.shape
    x = np.arange(width, dtype=np.float32) - (width - 1) / 2
    y = (np.arange(height, dtype=np.float32) - (height - 1) / 2)[:, None]
    return np.stack([along_x, along_y, along_y * x - along_x * y], -1).reshape(-1, 3)


def _step(steepest: np.ndarray, residual: np.ndarray) -> np.ndarray:
    known = np.isfinite(residual)
    residual = np.where(known, residual, 0)
    slopes = np.abs(steepest[:, :2]).max(1) * known
    strong = slopes > _STRONG * slopes.max()
    deviation = max(_FLOOR, 1.48 * float(np.median(np.abs(residual[strong]))) if strong.any() else _FLOOR)
    weight = np.where(known, (1 - (residual / (_CUT * deviation)) ** 2).clip(0) ** 2, 0)
    weighted = steepest * weight[:, None]
    length = np.sqrt(len(residual)) * 0.3  # brings the turn to pixels
    units = np.array([1, 1, 1 / length])
    curvature = (weighted.T @ steepest) * np.outer(units, units)
    values, vectors = np.linalg.eigh(curvature)
    held = values > max(_HELD * values[-1], 1e-9)
    slope = vectors.T @ (units * (weighted.T @ residual))
    return -units * (vectors @ np.where(held, slope / np.where(held, values, 1), 0))


def _matrix(pose: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Similarity (2, 3) of a pose for pictures of (h, w)."""
    turn = pose[2]
    centre = np.array([(shape[1] - 1) / 2, (shape[0] - 1) / 2])
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return np.hstack([rotation, (centre + pose[:2] - rotation @ centre)[:, None]])
