"""From relative inverse depth to metres, with the measured depth of the empty scene.

A network's scale and shift drift from photo to photo, so both are fitted anew to each photo, where the mask
says that the empty scene is visible. Inside the mask two facts count more than the network's depth: a thing
is not behind what it hides, and its lowest point touches the ground, whose depth is known. So a whole thing
gets the depth of the ground at its contact point, or a nearer one. Things that hang or fly come out too far
away.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from mdeas.camera.calibration import beyond_reach, check_fits, map_path, read_calibration
from mdeas.camera.sensor import read_depth_m
from mdeas.depth_fit import ENOUGH, UNCOVERED, Line, PictureFit, fit_picture, inverse
from mdeas.images.photo import Photo
from mdeas.pairing.sanity import PairWarning, tell
from mdeas.runtime.predictor import Prediction
from mdeas.subject.depths import EmptyDepth
from mdeas.subject.objects import MASK_THRESHOLD, find_pieces
from mdeas.system.files import sha256_file

_NOT_FITTED = PairWarning(
    "W-METRES-FIT",
    "too little of the empty scene can be fitted; scale and shift are the calibration's",
)


@dataclass(frozen=True, kw_only=True)
class MetricDepth:
    """The depth of one photo in metres."""

    depth_m: np.ndarray
    """float32 (H, W) metres along the optical axis, 0 = unknown."""
    empty_m: np.ndarray
    """float32 (H, W) metres of the empty scene, 0 = unknown."""
    fov_deg: float | None
    """Angle of view across the width, where the calibration says it."""
    facts: dict[str, object]
    """How the metres were found, for depth-m.json."""
    warnings: list[PairWarning]


class Ruler:
    """Turns predictions of one view into metres.

    Input:
        camera: calibration file.
        empty: the photo with nothing in it.
        empty_depth: with the model that the calibration was made with.
    Errors: those of calibration.read_calibration and check_fits. Another photo of the same size prints
        W-CALIBRATION-BACKGROUND on stderr: the camera may have been moved.
    """

    def __init__(self, camera: str | Path, empty: Photo, empty_depth: EmptyDepth):
        self.calibration = read_calibration(camera)
        check_fits(self.calibration, empty_depth.predictor, empty.size)
        self._source = {"name": Path(camera).name, "sha256": sha256_file(camera)}
        if self.calibration.depth_map:
            self._against = "measured depth"
            self._empty_m = read_depth_m(
                map_path(Path(camera), self.calibration.depth_map), empty.view.shape[:2]
            )
        else:
            self._against = "calibrated prediction of the empty scene"
            inverse_m = self.calibration.line.inverse_m(empty_depth.of(empty.view))
            inverse_m[beyond_reach(inverse_m, self.calibration.reach_m)] = 0
            self._empty_m = inverse(inverse_m)
        if sha256_file(empty.path) != self.calibration.background_sha256:
            text = (
                "not the photo that was calibrated with; metres are right if the camera was not moved since"
            )
            tell(empty.path, [PairWarning("W-CALIBRATION-BACKGROUND", text)])

    def measure(self, prediction: Prediction, motion: np.ndarray | None = None) -> MetricDepth:
        """The metres of a photo of the view, of any resolution.

        Input: prediction: of that photo; motion: float64 (2, 3), how its background was moved to fit, see
            pairing.match.
        """
        height, width = prediction.mask.shape
        empty_m = cv2.resize(self._empty_m, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
        if motion is not None:  # nearest: a mean across an edge is a depth that nothing has
            empty_m = cv2.warpAffine(empty_m, motion, (width, height), flags=cv2.INTER_NEAREST)
        empty = inverse(empty_m)
        fitted = self._fit(prediction, empty)
        line = fitted.line if fitted else self.calibration.line
        inverse_m, standing = _assembled(prediction, line, empty, self.calibration.reach_m)
        depth_m = inverse(inverse_m).astype(np.float32)
        known = depth_m[depth_m > 0]
        measured = np.zeros(depth_m.shape, bool)
        if self.calibration.depth_map:
            measured = (prediction.mask < MASK_THRESHOLD) & (empty_m > 0)
        facts: dict[str, object] = {
            "fit": self._fit_facts(line, fitted),
            "calibration": self._source,
            "reach_m": self.calibration.reach_m,
            "range_m": [float(known.min()), float(known.max())] if len(known) else None,
            "share": _shares(measured, standing, depth_m == 0),
        }
        return MetricDepth(
            depth_m=depth_m,
            empty_m=empty_m,
            fov_deg=self.calibration.fov_deg,
            facts=facts,
            warnings=[] if fitted else [_NOT_FITTED],
        )

    def _fit(self, prediction: Prediction, empty: np.ndarray) -> PictureFit | None:
        """Fit the depth of a photo to the empty scene where that is visible; None if too little of it is.

        Relative errors of metres decide, with cross-validation; depth_fit.fit_unchanged knows no metres.
        """
        unchanged = (prediction.mask < UNCOVERED) & (empty > 0)
        if unchanged.mean() < ENOUGH:
            return None
        fitted = fit_picture(prediction.depth, empty, unchanged)
        return fitted if fitted.line.scale > 0 or self.calibration.scale == 0 else None

    def _fit_facts(self, line: Line, fitted: PictureFit | None) -> dict[str, object]:
        return {
            "scale": line.scale,
            "shift": line.shift,
            "refitted": fitted is not None,
            "against": self._against,
            "num_pixels": fitted.num_pixels if fitted else 0,
            "median_relative_error": fitted.median_relative_error if fitted else None,
            "held_out_relative_error": fitted.held_out_relative_error if fitted else None,
        }


def _assembled(
    prediction: Prediction, line: Line, empty: np.ndarray, reach_m: float
) -> tuple[np.ndarray, np.ndarray]:
    """Inverse depth in 1/m, float (H, W), 0 = unknown; bool (H, W), where a contact point decided it.

    Input: empty: inverse depth of the empty scene, 0 = unknown.
    """
    predicted = line.inverse_m(prediction.depth.astype(np.float64))
    predicted[beyond_reach(predicted, reach_m)] = 0
    behind = np.where(empty > 0, empty, predicted)
    inside = prediction.mask >= MASK_THRESHOLD
    result = np.where(inside, np.maximum(predicted, behind), behind)
    standing = np.zeros_like(inside)
    for piece in find_pieces(prediction.mask):
        ground = float(np.median(piece.at_foot(behind)))
        if ground <= 0:
            continue
        nearest = np.maximum(ground, piece.of(behind))
        if piece.cut_off:  # its foot is below the picture, so it may be nearer than the visible ground
            nearest = np.maximum(nearest, piece.of(predicted))
        result[piece.rows, piece.columns][piece.inside] = nearest
        standing[piece.rows, piece.columns] |= piece.inside
    return result, standing


def _shares(measured: np.ndarray, standing: np.ndarray, unknown: np.ndarray) -> dict[str, float]:
    """Shares of the picture by the origin of its depth; they add up to 1."""
    shares = {
        "measured": float((measured & ~unknown).mean()),
        "contact": float((standing & ~unknown).mean()),
        "unknown": float(unknown.mean()),
    }
    return shares | {"predicted": max(0.0, 1 - sum(shares.values()))}
