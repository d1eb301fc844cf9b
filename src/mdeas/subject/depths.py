"""Two depths of one view: the subject's, and that of what is behind it, which the background photo knows."""

from dataclasses import dataclass

import cv2
import numpy as np

from mdeas.depth_fit import fit_line
from mdeas.images.resize import within
from mdeas.runtime.predictor import Prediction, Predictor
from mdeas.subject.fill import spread, square

_SIZE = 1024  # several times what networks work at
_UNCOVERED = 0.05  # alpha below which a pixel shows the scene behind
# Share of the long side around the subject's edge in which depth is a mixture: networks blur it by that much.
_MARGIN = 0.02
_ENOUGH = 0.05  # share of the picture from which scale and shift can be fitted
_OUTLIER = 3.0  # times the median misfit; such pixels have changed, whatever the mask says
_FAINT = 0.01  # weight of depth inside the margin, for subjects that have nothing else


@dataclass(frozen=True, kw_only=True)
class Layers:
    """Depth of both layers in the units of the image's depth map, long side at most _SIZE.

    Neither has an edge where the subject ends, so that they lose nothing when they are enlarged.
    """

    mask: np.ndarray
    """float32 (h, w) in [0, 1], that of the prediction."""
    foreground_depth: np.ndarray
    """float32 (h, w) inverse depth of the subject; beyond its edge its values go on outwards."""
    background_depth: np.ndarray
    """float32 (h, w) inverse depth of what is behind; equal to the image's depth away from the subject, and
    nowhere nearer than the subject where that covers it."""
    scale: float
    shift: float
    """depth of the image = scale * depth of the background photo + shift, where nothing is new."""
    misfit: float
    """Median of what is left of that, in the units of depth."""
    fitted: bool
    """False where too little of the backdrop is seen, or nothing fits: then scale 1 and shift 0."""


def split_depth(predictor: Predictor, background: np.ndarray, prediction: Prediction) -> Layers:
    """The depth of subject and backdrop from a pair's prediction.

    The network sees the background photo once more as a pair of its own. Its inverse depth is known up to
    scale and shift, which are fitted where nothing is new; what is left there is carried under the subject.

    Input: background: uint8 (H, W, 3) RGB; prediction: that of (background, image), of the same size.
    """
    depth, mask = within(prediction.depth, _SIZE), within(prediction.mask, _SIZE)
    background = within(background, _SIZE)
    window = square(_MARGIN * max(mask.shape))
    outside = (cv2.dilate(mask, window) < _UNCOVERED).astype(np.float32)
    empty = predictor.predict(background, background).depth
    scale, shift, fitted = _fit(empty, depth, outside > 0)
    aligned = np.float32(scale) * empty + np.float32(shift)
    misfit = float(np.median(np.abs(depth - aligned)[outside > 0])) if outside.any() else 0.0
    front = subject_depth(depth, mask)
    behind = aligned + spread(depth - aligned, outside)
    behind -= mask * np.maximum(behind - front, 0)
    return Layers(
        mask=mask,
        foreground_depth=front,
        background_depth=behind,
        scale=scale,
        shift=shift,
        misfit=misfit,
        fitted=fitted,
    )


def subject_depth(depth: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The depth well inside the subject, carried outwards: at its edge the map is a ramp to the backdrop.

    Input: depth: inverse depth; mask: in [0, 1]; both float32 (h, w), as the output.
    """
    if not mask.any():
        return depth.copy()
    window = square(_MARGIN * max(mask.shape))
    return spread(depth, cv2.erode(mask, window) ** 2 + np.float32(_FAINT) * mask**4)


def _fit(empty: np.ndarray, depth: np.ndarray, known: np.ndarray) -> tuple[float, float, bool]:
    """Scale and shift from `empty` to `depth`, fitted twice: the second time without what fits badly."""
    for _ in range(2):
        if known.mean() < _ENOUGH:
            return 1.0, 0.0, False
        scale, shift = fit_line(empty[known].astype(np.float64), depth[known].astype(np.float64))
        misfit = np.abs(np.float32(scale) * empty + np.float32(shift) - depth)
        known = known & (misfit <= _OUTLIER * np.median(misfit[known]))
    return (float(scale), float(shift), True) if scale > 0 else (1.0, 0.0, False)
