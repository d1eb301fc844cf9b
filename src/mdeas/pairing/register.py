"""How the camera moved between the two photos: points are followed, and a similarity is put through them.

Corners of the background are followed into the image (Lucas-Kanade in a pyramid, on the structures, so that
the light does not matter); RANSAC takes the similarity that most agree on, least squares its inliers. What
covers corners only costs points. Where nothing agrees, SIFT looks farther and `dense` needs no corners.
A motion is believed only when the photos agree clearly better under it than as they are.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from mdeas.pairing import dense, tiles
from mdeas.pairing.tiles import Tiles
from mdeas.pairing.view import View

_MAX_POINTS = 300
_QUALITY = 0.01
_APART_PX = 8
_WINDOW_PX = 15
_LEVELS = 4
_INLIER_PX = 1.0
_FEWEST = 12  # points that must agree
_MAX_KEYPOINTS = 1000
_LARGEST_SCALE = 1.25
_LARGEST_DEG = 15.0
_LARGEST_SHARE = 0.3  # of the long side
STILL_PX = 0.25
"""Root mean square of a motion that is not undone before the photos are compared."""
_PROBES = 9  # points a side that a motion is judged on
_FEWEST_SHARE = 0.07
"""Of the points that were compared: on the dither of a GIF, 12 of 247 wrong ones agreed once."""
_BETTER = 0.01  # mean agreement that a motion has to bring
_MUCH_BETTER = 0.04  # the same for `dense`, which always finds something
_AGREED = 0.12
"""Mean agreement from which points that agree are believed: a foreground over 65 % of the view leaves .18."""
_ALIGNED = 0.3  # the same for `dense`
_SURE = 0.5  # mean agreement from which nothing farther is looked for
_SMALLEST = 48  # short side in pixels below which nothing is looked for


@dataclass(frozen=True, kw_only=True)
class Motion:
    """Where the background's points are in the image."""

    matrix: np.ndarray
    """float64 (2, 3): pixel of the background -> pixel of the image."""
    tiles: Tiles
    """The structures compared under this motion."""


def register(background: View, image: View) -> Motion:
    """Find how the background must be moved to lie on the image; the identity unless there is evidence.

    Input: two Views of one size.
    Output: the motion in pixels of the views.
    """
    found = still = _under(np.eye(2, 3), background, image)
    if min(image.size) < _SMALLEST or not found.tiles.both.any():
        return found
    for method, least, better, enough in (
        (_tracked, _AGREED, _BETTER, _AGREED),
        (_dense, _ALIGNED, _MUCH_BETTER, _SURE),
        (_matched, _AGREED, _BETTER, _AGREED),
    ):
        matrix = method(background, image)
        if matrix is not None and _plausible(matrix, image.size):
            moves = moved_px(matrix, image.size) >= STILL_PX
            other = _under(matrix, background, image) if moves else still
            if other.tiles.mean > max(least, found.tiles.mean + better):
                found = other
            if other.tiles.mean >= enough:
                break
    return found


def _under(matrix: np.ndarray, background: View, image: View) -> Motion:
    moved, valid = warp(background.structure, matrix, image.size)
    return Motion(matrix=matrix, tiles=tiles.compare(moved, image.structure, valid))


def warp(array: np.ndarray, matrix: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """`array` (h, w) or (h, w, C) moved, at `size` (h, w); and float32 (h, w), 1 where it has pixels.

    Untouched where the motion is too small to matter.
    """
    if moved_px(matrix, size) < STILL_PX:
        return array, np.ones(size, np.float32)
    to = size[::-1]
    moved = cv2.warpAffine(array, matrix, to, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return moved, cv2.warpAffine(np.ones(array.shape[:2], np.float32), matrix, to)


def _plausible(matrix: np.ndarray, size: tuple[int, int]) -> bool:
    scale, rotation_deg = similarity(matrix)
    turned = abs(rotation_deg) < _LARGEST_DEG and 1 / _LARGEST_SCALE < scale < _LARGEST_SCALE
    return turned and moved_px(matrix, size) < _LARGEST_SHARE * max(size)


def moved_px(matrix: np.ndarray, size: tuple[int, int]) -> float:
    """Root mean square, over a view of (height, width), of how far its points move."""
    across, along = (np.linspace(0, length - 1, _PROBES) for length in (size[1], size[0]))
    points = np.stack(np.meshgrid(across, along), -1).reshape(-1, 2)
    moved = points @ matrix[:, :2].T + matrix[:, 2] - points
    return float(np.sqrt((moved**2).sum(1).mean()))


def similarity(matrix: np.ndarray) -> tuple[float, float]:
    """(scale, rotation in degrees, counter-clockwise as one sees it) of a similarity (2, 3)."""
    cosine, sine = matrix[0, 0], matrix[1, 0]
    return float(np.hypot(cosine, sine)), float(-np.degrees(np.arctan2(sine, cosine)))


def _tracked(background: View, image: View) -> np.ndarray | None:
    first, second = background.bytes, image.bytes
    points = cv2.goodFeaturesToTrack(first, _MAX_POINTS, _QUALITY, _APART_PX)
    if points is None:
        return None
    window = (_WINDOW_PX, _WINDOW_PX)
    moved, found, _ = cv2.calcOpticalFlowPyrLK(  # type: ignore[call-overload]  # None: no guesses
        first, second, points, None, winSize=window, maxLevel=_LEVELS
    )
    kept = found.ravel() == 1
    return _agreed(points[kept].reshape(-1, 2), moved[kept].reshape(-1, 2))


def _dense(background: View, image: View) -> np.ndarray | None:
    return dense.align(background.structure, image.structure)


def _matched(background: View, image: View) -> np.ndarray | None:
    sift = cv2.SIFT.create(_MAX_KEYPOINTS)
    (first, words), (second, others) = (sift.detectAndCompute(v.bytes, None) for v in (background, image))
    if min(len(first), len(second)) < _FEWEST:  # a poor picture has nothing to find again
        return None
    near = cv2.BFMatcher(cv2.NORM_L2, crossCheck=True).match(words, others)
    return _agreed(
        np.array([first[pair.queryIdx].pt for pair in near], np.float32),
        np.array([second[pair.trainIdx].pt for pair in near], np.float32),
    )


def _agreed(source: np.ndarray, target: np.ndarray) -> np.ndarray | None:
    """The similarity on which enough of the points, float32 (N, 2), agree."""
    if len(source) < _FEWEST:
        return None
    fewest = max(_FEWEST, _FEWEST_SHARE * len(source))
    cv2.setRNGSeed(0)  # RANSAC draws: the same input must give the same result
    matrix, inliers = cv2.estimateAffinePartial2D(source, target, ransacReprojThreshold=_INLIER_PX)
    return matrix if matrix is not None and np.count_nonzero(inliers) >= fewest else None
