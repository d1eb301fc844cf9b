"""Find how the camera moved between two photos, and move one photo onto the other.

1. Track corners of the background into the image (Lucas-Kanade in a pyramid), fit a similarity with RANSAC.
2. Where too few corners agree, align all of the structure at once (Gauss-Newton, no corners needed).
3. Where that does not agree either, match SIFT key points, which finds large motions.

All of them work on the structures, so the light does not matter. A foreground that covers corners only costs
points. A motion is accepted only where the photos agree clearly better under it than without it.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from mdeas.pairing.structure import SmallPhoto, TileAgreement, compare_tiles

STILL_PX = 0.25
"""A motion of less, root mean square over the view, is not undone before the photos are compared."""
_MIN_SIDE_PX = 48  # short side below which no motion is looked for
_MAX_SCALE = 1.25
_MAX_ROTATION_DEG = 15.0
_MAX_MOVED_SHARE = 0.3  # of the long side
_GRID_POINTS = 9  # per side, on which the size of a motion is measured

# Mean agreement of the tiles. _MIN: from which a motion is believed (a foreground over 65 % of the view
# leaves .18); _GAIN: how much better it must be than before; _SURE: from which no other method is tried.
_POINTS_MIN, _POINTS_GAIN = 0.12, 0.01
_DENSE_MIN, _DENSE_GAIN, _DENSE_SURE = 0.3, 0.04, 0.5  # stricter: dense alignment always finds something

_MAX_CORNERS = 300
_CORNER_QUALITY = 0.01
_CORNER_DISTANCE_PX = 8
_WINDOW_PX = 15
_TRACK_LEVELS = 4
_MAX_KEYPOINTS = 1000
_INLIER_PX = 1.0
_MIN_INLIERS = 12
_MIN_INLIER_SHARE = 0.07  # of the matched points: on the dither of a GIF, 12 of 247 wrong points agreed once

_DENSE_LEVELS = (8, 4, 2)  # the structure is divided by each in turn
_DENSE_ITERATIONS = 12
_DENSE_STILL_PX = 0.02  # a smaller step ends the iterations
_MIN_CURVATURE = 0.02  # of the largest one, from which a direction is moved in
_TUKEY = 4.7  # standard deviations from which on a residual weighs nothing
_MIN_DEVIATION = 0.02  # of residuals
_STEEP = 0.3  # of the largest slope: where residuals tell how well the photos fit


@dataclass(frozen=True, kw_only=True)
class Motion:
    """Where the points of the background lie in the image."""

    matrix: np.ndarray
    """float64 (2, 3): pixel of the background -> pixel of the image."""
    tiles: TileAgreement
    """The structures compared under this motion."""


def register(background: SmallPhoto, image: SmallPhoto) -> Motion:
    """Find the motion that lays the background on the image; without evidence for one, the identity.

    Input: two small photos of one size.
    Output: the motion in pixels of the small photos.
    """
    found = still = _compared(np.eye(2, 3), background, image)
    if min(image.size) < _MIN_SIDE_PX or not found.tiles.both.any():
        return found
    for method, least, gain, sure in (
        (_track_corners, _POINTS_MIN, _POINTS_GAIN, _POINTS_MIN),
        (align_dense, _DENSE_MIN, _DENSE_GAIN, _DENSE_SURE),
        (_match_keypoints, _POINTS_MIN, _POINTS_GAIN, _POINTS_MIN),
    ):
        matrix = method(background, image)
        if matrix is not None and _is_plausible(matrix, image.size):
            moves = moved_px(matrix, image.size) >= STILL_PX
            other = _compared(matrix, background, image) if moves else still
            if other.tiles.mean > max(least, found.tiles.mean + gain):
                found = other
            if other.tiles.mean >= sure:
                break
    return found


def _compared(matrix: np.ndarray, background: SmallPhoto, image: SmallPhoto) -> Motion:
    moved, valid = warp(background.structure, matrix, image.size)
    return Motion(matrix=matrix, tiles=compare_tiles(moved, image.structure, valid))


def warp(array: np.ndarray, matrix: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Move an array; a motion below STILL_PX leaves it as it is.

    Input: array: (h, w) or (h, w, C); matrix: (2, 3), pixel of it -> pixel of the output; size: (h, w).
    Output: the moved array at `size`; float32 (h, w), 1 where the output has pixels of the array.
    """
    if moved_px(matrix, size) < STILL_PX:
        return array, np.ones(size, np.float32)
    to = size[::-1]
    moved = cv2.warpAffine(array, matrix, to, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return moved, cv2.warpAffine(np.ones(array.shape[:2], np.float32), matrix, to)


def move_photo(
    background: np.ndarray, matrix: np.ndarray, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Lay the background photo on the image.

    Input: uint8 (H, W, 3) RGB; matrix: (2, 3), pixel of the background -> pixel of the image; size: (H, W).
    Output: uint8 (H, W, 3); bool (H, W), where the background does not show the view.
    """
    to = size[::-1]
    moved = cv2.warpAffine(background, matrix, to, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    inside = cv2.warpAffine(np.full(background.shape[:2], 255, np.uint8), matrix, to)
    return moved, inside < 255


def at_full_size(matrix: np.ndarray, small_size: tuple[int, int], size: tuple[int, int]) -> np.ndarray:
    """float64 (2, 3): a motion between small photos as one between photos; sizes are (height, width)."""
    scale = np.array([size[1] / small_size[1], size[0] / small_size[0]])
    linear = np.diag(scale) @ matrix[:, :2] @ np.diag(1 / scale)
    # Centres of pixels correspond: x_full = (x_small + 1/2) · scale - 1/2.
    offset = scale * (matrix[:, :2] @ (0.5 / scale - 0.5) + matrix[:, 2] + 0.5) - 0.5
    return np.hstack([linear, offset[:, None]])


def moved_px(matrix: np.ndarray, size: tuple[int, int]) -> float:
    """How far points of a view of (height, width) move, root mean square."""
    across, along = (np.linspace(0, length - 1, _GRID_POINTS) for length in (size[1], size[0]))
    points = np.stack(np.meshgrid(across, along), -1).reshape(-1, 2)
    moved = points @ matrix[:, :2].T + matrix[:, 2] - points
    return float(np.sqrt((moved**2).sum(1).mean()))


def scale_and_rotation(matrix: np.ndarray) -> tuple[float, float]:
    """(scale, rotation in degrees, counter-clockwise as one sees it) of a similarity (2, 3)."""
    cosine, sine = matrix[0, 0], matrix[1, 0]
    return float(np.hypot(cosine, sine)), float(-np.degrees(np.arctan2(sine, cosine)))


def _is_plausible(matrix: np.ndarray, size: tuple[int, int]) -> bool:
    scale, rotation_deg = scale_and_rotation(matrix)
    turned = abs(rotation_deg) < _MAX_ROTATION_DEG and 1 / _MAX_SCALE < scale < _MAX_SCALE
    return turned and moved_px(matrix, size) < _MAX_MOVED_SHARE * max(size)


def _track_corners(background: SmallPhoto, image: SmallPhoto) -> np.ndarray | None:
    first, second = background.structure_levels(), image.structure_levels()
    points = cv2.goodFeaturesToTrack(first, _MAX_CORNERS, _CORNER_QUALITY, _CORNER_DISTANCE_PX)
    if points is None:
        return None
    window = (_WINDOW_PX, _WINDOW_PX)
    moved, found, _ = cv2.calcOpticalFlowPyrLK(  # type: ignore[call-overload]  # None: no first guess
        first, second, points, None, winSize=window, maxLevel=_TRACK_LEVELS
    )
    kept = found.ravel() == 1
    return _fit_similarity(points[kept].reshape(-1, 2), moved[kept].reshape(-1, 2))


def _match_keypoints(background: SmallPhoto, image: SmallPhoto) -> np.ndarray | None:
    sift = cv2.SIFT.create(_MAX_KEYPOINTS)
    (first, descriptors), (second, others) = (
        sift.detectAndCompute(photo.structure_levels(), None) for photo in (background, image)
    )
    if min(len(first), len(second)) < _MIN_INLIERS:
        return None
    matches = cv2.BFMatcher(cv2.NORM_L2, crossCheck=True).match(descriptors, others)
    return _fit_similarity(
        np.array([first[pair.queryIdx].pt for pair in matches], np.float32),
        np.array([second[pair.trainIdx].pt for pair in matches], np.float32),
    )


def _fit_similarity(source: np.ndarray, target: np.ndarray) -> np.ndarray | None:
    """The similarity on which enough of the points, float32 (N, 2), agree."""
    if len(source) < _MIN_INLIERS:
        return None
    fewest = max(_MIN_INLIERS, _MIN_INLIER_SHARE * len(source))
    cv2.setRNGSeed(0)  # RANSAC draws: the same input must give the same result
    matrix, inliers = cv2.estimateAffinePartial2D(source, target, ransacReprojThreshold=_INLIER_PX)
    return matrix if matrix is not None and np.count_nonzero(inliers) >= fewest else None


def align_dense(background: SmallPhoto, image: SmallPhoto) -> np.ndarray:
    """Fit shift and rotation to all of the structure at once, only in the directions that it determines.

    A table's edge tells how far the table moved across the edge, and nothing about along it: there the motion
    stays 0. Gauss-Newton with Tukey weights over a pyramid (inverse compositional: Baker & Matthews,
    Lucas-Kanade 20 Years On).

    Output: float64 (2, 3): pixel of the background -> pixel of the image.
    """
    height, width = image.size
    right = down = turn = 0.0
    for level in _DENSE_LEVELS:
        first, second = (
            cv2.resize(photo.structure, (width // level, height // level), interpolation=cv2.INTER_AREA)
            for photo in (background, image)
        )
        right, down, turn = _align_level(first, second, np.array([right / level, down / level, turn]))
        right, down = right * level, down * level
    return _matrix(np.array([right, down, turn]), image.size)


def _align_level(background: np.ndarray, image: np.ndarray, pose: np.ndarray) -> np.ndarray:
    """Iterate from `pose`: right and down in pixels, turn in radians about the centre."""
    height, width = image.shape
    slope_y, slope_x = np.gradient(background)
    x = np.arange(width, dtype=np.float32) - (width - 1) / 2
    y = (np.arange(height, dtype=np.float32) - (height - 1) / 2)[:, None]
    # By how much the background's levels change with right, down and turn.
    slopes = np.stack([slope_x, slope_y, slope_y * x - slope_x * y], -1).reshape(-1, 3)
    for _ in range(_DENSE_ITERATIONS):
        moved = cv2.warpAffine(
            image, _matrix(pose, image.shape), (width, height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT, borderValue=float("nan"),
        )  # fmt: skip
        step = _gauss_newton_step(slopes, (moved - background).ravel())
        pose = pose + step  # small turns: composition is addition
        if np.abs(step[:2]).max() < _DENSE_STILL_PX and abs(step[2]) * max(height, width) < _DENSE_STILL_PX:
            break
    return pose


def _gauss_newton_step(slopes: np.ndarray, residual: np.ndarray) -> np.ndarray:
    """float64 (3,): right, down, turn. Input: float32 (N, 3); (N,), NaN where the image has no pixels."""
    known = np.isfinite(residual)
    residual = np.where(known, residual, 0)
    slope = np.abs(slopes[:, :2]).max(1) * known
    steep = slope > _STEEP * slope.max()
    deviation = max(_MIN_DEVIATION, 1.48 * float(np.median(np.abs(residual[steep]))) if steep.any() else 0)
    weight = np.where(known, (1 - (residual / (_TUKEY * deviation)) ** 2).clip(0) ** 2, 0)
    weighted = slopes * weight[:, None]
    length = np.sqrt(len(residual)) * 0.3  # brings the turn to pixels
    units = np.array([1, 1, 1 / length])
    curvature = (weighted.T @ slopes) * np.outer(units, units)
    values, vectors = np.linalg.eigh(curvature)
    determined = values > max(_MIN_CURVATURE * values[-1], 1e-9)
    descent = vectors.T @ (units * (weighted.T @ residual))
    return -units * (vectors @ np.where(determined, descent / np.where(determined, values, 1), 0))


def _matrix(pose: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Motion (2, 3) of a pose (right, down, turn) for pictures of (h, w)."""
    turn = pose[2]
    centre = np.array([(shape[1] - 1) / 2, (shape[0] - 1) / 2])
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return np.hstack([rotation, (centre + pose[:2] - rotation @ centre)[:, None]])
