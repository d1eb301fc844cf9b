"""Two depth maps of one view: of the subject, and of the scene behind it."""

from dataclasses import dataclass

import cv2
import numpy as np

from mdeas.depth_fit import fit_unchanged
from mdeas.images.resize import within
from mdeas.runtime.predictor import Prediction, Predictor
from mdeas.subject.fill import filled_plane, square

LONG_SIDE = 1024
"""Of depth maps, pixels at most: several times what networks work at."""
_UNCOVERED = (
    0.05  # alpha below which a pixel shows the scene behind; so must every pixel within _MARGIN of it
)
# Share of the long side around the subject's edge in which depth is a mixture: networks blur it by that much.
_MARGIN = 0.02
_FAINT = 0.01  # weight of depth inside the margin, for thin subjects that lie in it entirely


@dataclass(frozen=True, kw_only=True)
class SplitDepth:
    """Depth of subject and backdrop in the units of the image's depth map, long side at most 1,024 pixels.

    Neither has an edge where the subject ends, so both can be enlarged without loss.
    """

    mask: np.ndarray
    """float32 (h, w) in [0, 1], the predicted mask."""
    foreground_depth: np.ndarray
    """float32 (h, w) inverse depth of the subject; outside the subject, its values continued outwards."""
    background_depth: np.ndarray
    """float32 (h, w) inverse depth of the backdrop. Away from the subject it equals the image's depth; where
    the subject covers it, it is nowhere nearer than the subject."""
    scale: float
    shift: float
    """depth of the image = scale * depth of the background photo + shift, where nothing is new."""
    misfit: float
    """Median of |left side - right side| there, in the units of depth."""
    fitted: bool
    """False where too little of the backdrop is visible or no line fits: then scale 1 and shift 0."""


class EmptyDepth:
    """Predicts the depth of an empty scene: the network gets the background as both photos.

    The last result is kept, because a fixed camera has the same background for most of its photos.
    """

    def __init__(self, predictor: Predictor):
        self.predictor = predictor
        self._last: tuple[np.ndarray, np.ndarray] | None = None

    def of(self, background: np.ndarray) -> np.ndarray:
        """Relative inverse depth, larger = nearer: float32 (h, w), long side at most 1,024 pixels.

        Input: background: uint8 (H, W, 3) RGB.
        """
        small = within(background, LONG_SIDE)
        if self._last is None or not np.array_equal(self._last[0], small):
            self._last = small, self.predictor.predict(small, small).depth
        return self._last[1]


def split_depth(empty: np.ndarray, prediction: Prediction) -> SplitDepth:
    """Split the depth map of a pair into one of the subject and one of the backdrop.

    Inverse depth is known up to scale and shift. Both are fitted between the empty scene and the image where
    nothing is new; the remaining difference there is continued under the subject.

    Input: empty: float32 (h, w), EmptyDepth.of the pair's background; prediction: of the pair, at the
        background's size.

    Example:
        >>> import mdeas
        >>> predictor = mdeas.load()
        >>> background = np.full((48, 64, 3), 90, np.uint8)
        >>> image = background.copy()
        >>> image[16:40, 20:40] = (200, 40, 30)
        >>> split = split_depth(EmptyDepth(predictor).of(background), predictor.predict(background, image))
        >>> split.foreground_depth.shape, split.background_depth.shape
        ((48, 64), (48, 64))
    """
    depth, mask = within(prediction.depth, LONG_SIDE), within(prediction.mask, LONG_SIDE)
    window = square(_MARGIN * max(mask.shape))
    outside = (cv2.dilate(mask, window) < _UNCOVERED).astype(np.float32)
    found = fit_unchanged(empty, depth, outside > 0, rounds=2, sums=np.float64)
    scale, shift = found or (1.0, 0.0)
    aligned = np.float32(scale) * empty + np.float32(shift)
    misfit = float(np.median(np.abs(depth - aligned)[outside > 0])) if outside.any() else 0.0
    front = subject_depth(depth, mask)
    behind = aligned + filled_plane(depth - aligned, outside)
    behind -= mask * np.maximum(behind - front, 0)
    return SplitDepth(
        mask=mask,
        foreground_depth=front,
        background_depth=behind,
        scale=scale,
        shift=shift,
        misfit=misfit,
        fitted=found is not None,
    )


def subject_depth(depth: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Continue the depth of the subject's inside outwards: at its edge the map is a ramp to the backdrop.

    Input: depth: float32 (h, w) inverse depth; mask: float32 (h, w) in [0, 1]. Output: float32 (h, w).
    """
    if not mask.any():
        return depth.copy()
    window = square(_MARGIN * max(mask.shape))
    return filled_plane(depth, cv2.erode(mask, window) ** 2 + np.float32(_FAINT) * mask**4)
