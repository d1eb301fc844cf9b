"""From relative inverse depth to metres, with what was measured of the empty scene.

A network's scale and shift drift from photo to photo, so both are fitted anew to each, where the mask says
that the empty scene is seen. Inside the mask two facts weigh more than the network's depth: a thing is not
behind what it hides, and its lowest point touches the ground, whose depth is known. So a thing stands, flat,
at the depth of the ground at its contact point, or nearer. Things that hang or fly come out too far away.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mdeas.camera.calibrate import empty_depth
from mdeas.camera.calibration import Calibration, beyond_reach, check_fits, map_path, read_calibration
from mdeas.camera.sensor import read_depth_m
from mdeas.depth_fit import Line, PictureFit, fit_picture
from mdeas.images.codec import write_png
from mdeas.pairing.sanity import PairWarning, tell
from mdeas.runtime.predictor import Prediction, Predictor
from mdeas.subject.objects import MASK_THRESHOLD, find_pieces
from mdeas.system.files import sha256_file, write_json

OUTPUTS = ("depth-m.png", "depth-m.json")
STEP_M = 0.001
"""Metres per step of depth-m.png."""
_MAX_LEVEL = 65534  # 65535 is what a file says for whatever is farther
_UNCOVERED = 0.1  # alpha below which a pixel shows the empty scene
_ENOUGH = 0.05  # share of uncovered pixels from which scale and shift can be fitted


@dataclass(frozen=True, kw_only=True)
class Measured:
    """The depth of one photo."""

    depth_m: np.ndarray
    """float32 (H, W) metres along the optical axis, 0 = unknown."""
    empty_m: np.ndarray
    """float32 (H, W), that of the empty scene."""
    fov_deg: float | None
    """Angle of view across the width, where the calibration says."""
    facts: dict[str, Any]
    """How it came about, for the JSON."""
    warnings: list[PairWarning]


class Ruler:
    """Turns predictions of one view into metres.

    Input:
        camera: calibration file.
        predictor: the model that it was made with.
        background: file of the photo with nothing in it.
        empty: uint8 (h, w, 3) RGB, that photo or a smaller copy; size: (height, width) of the photo.
    Errors: those of calibration.read_calibration and check_fits. Another photo of the same size is told on
        stderr (W-CALIBRATION-BACKGROUND): the camera may have been moved.
    """

    def __init__(
        self,
        camera: str | Path,
        predictor: Predictor,
        background: Path,
        empty: np.ndarray,
        size: tuple[int, int],
    ):
        self.calibration = read_calibration(camera)
        check_fits(self.calibration, predictor, size)
        self._source = {"name": Path(camera).name, "sha256": sha256_file(camera)}
        self._empty_m = _empty_m(self.calibration, Path(camera), predictor, empty)
        if sha256_file(background) != self.calibration.background_sha256:
            text = (
                "not the photo that was calibrated with; metres are right if the camera was not moved since"
            )
            tell(background, [PairWarning("W-CALIBRATION-BACKGROUND", text)])

    def measure(self, prediction: Prediction, motion: np.ndarray | None = None) -> Measured:
        """Metres of a photo of the view, of any resolution; motion: see pairing.matched.Matched."""
        height, width = prediction.mask.shape
        empty_m = cv2.resize(self._empty_m, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
        if motion is not None:  # nearest: a mean across an edge is a depth that nothing has
            empty_m = cv2.warpAffine(empty_m, motion, (width, height), flags=cv2.INTER_NEAREST)
        known = empty_m > 0
        empty = np.where(known, 1 / np.where(known, empty_m, 1), 0)
        fitted = self._fitted(prediction, empty)
        line = fitted.line if fitted else self.calibration.line
        inverse_m, standing = _assembled(prediction, line, empty, self.calibration.reach_m)
        depth_m = np.where(inverse_m > 0, 1 / np.where(inverse_m > 0, inverse_m, 1), 0).astype(np.float32)
        facts = {"fit": self._fit_facts(line, fitted), "calibration": self._source}
        facts |= {"reach_m": self.calibration.reach_m} | _range(depth_m)
        inside = prediction.mask >= MASK_THRESHOLD
        measured = ~inside & known if self.calibration.depth_map else np.zeros_like(inside)
        facts["share"] = _shares(measured, standing, depth_m == 0)
        warnings = [] if fitted else [_NOT_FITTED]
        fov_deg = self.calibration.fov_deg
        return Measured(depth_m=depth_m, empty_m=empty_m, fov_deg=fov_deg, facts=facts, warnings=warnings)

    def _fitted(self, prediction: Prediction, empty: np.ndarray) -> PictureFit | None:
        """The fit to what the photo shows of the empty scene; None where it shows too little."""
        seen = (prediction.mask < _UNCOVERED) & (empty > 0)
        if seen.mean() < _ENOUGH:
            return None
        fitted = fit_picture(prediction.depth, empty, seen)
        return fitted if fitted.line.scale > 0 or self.calibration.scale == 0 else None

    def _fit_facts(self, line: Line, fitted: PictureFit | None) -> dict[str, Any]:
        against = (
            "measured depth" if self.calibration.depth_map else "calibrated prediction of the empty scene"
        )
        return {
            "scale": line.scale,
            "shift": line.shift,
            "refitted": fitted is not None,
            "against": against,
            "num_pixels": fitted.num_pixels if fitted else 0,
            "median_relative_error": fitted.median_relative_error if fitted else None,
            "held_out_relative_error": fitted.held_out_relative_error if fitted else None,
        }


_NOT_FITTED = PairWarning(
    "W-METRES-FIT", "too little of the empty scene can be fitted; scale and shift are the calibration's"
)


def _empty_m(calibration: Calibration, camera: Path, predictor: Predictor, empty: np.ndarray) -> np.ndarray:
    """float32 (h, w) metres of the empty scene, 0 = unknown: measured, or predicted and calibrated."""
    if calibration.depth_map:
        return read_depth_m(map_path(camera, calibration.depth_map), empty.shape[:2])
    inverse_m = calibration.line.inverse_m(empty_depth(predictor, empty))
    unknown = beyond_reach(inverse_m, calibration.reach_m)
    return np.where(unknown, 0, 1 / np.where(unknown, 1, inverse_m)).astype(np.float32)


def _assembled(
    prediction: Prediction, line: Line, empty: np.ndarray, reach_m: float
) -> tuple[np.ndarray, np.ndarray]:
    """Inverse depth in 1/m, float (H, W), 0 = unknown, and where it is that of a contact point, bool (H, W).

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
        if piece.cut_off:  # its foot is below the picture, so it may be nearer than the ground that is seen
            nearest = np.maximum(nearest, piece.of(predicted))
        result[piece.rows, piece.columns][piece.inside] = nearest
        standing[piece.rows, piece.columns] |= piece.inside
    return result, standing


def _range(depth_m: np.ndarray) -> dict[str, Any]:
    known = depth_m[depth_m > 0]
    return {"range_m": [float(known.min()), float(known.max())] if len(known) else None}


def _shares(measured: np.ndarray, standing: np.ndarray, unknown: np.ndarray) -> dict[str, float]:
    """Shares of the picture by where depth is from; they add up to 1."""
    shares = {
        "measured": float((measured & ~unknown).mean()),
        "contact": float((standing & ~unknown).mean()),
        "unknown": float(unknown.mean()),
    }
    return shares | {"predicted": max(0.0, 1 - sum(shares.values()))}


def write_metres(
    paths: dict[str, Path], measured: Measured, facts: dict[str, Any], size: tuple[int, int], *, force: bool
) -> None:
    """Write OUTPUTS: 16-bit millimetres at the photo's own (height, width), and how to read them."""
    levels = np.rint(measured.depth_m / STEP_M)
    levels[levels > _MAX_LEVEL] = 0
    # Nearest: a mean across an edge is a depth that nothing has.
    full = cv2.resize(levels.astype(np.uint16), size[::-1], interpolation=cv2.INTER_NEAREST_EXACT)
    about = {
        "kind": "metric",
        "unit": "m",
        "meaning": "metres along the optical axis = offset + scale * png; png 0 = unknown or too far",
        "offset": 0.0,
        "scale": STEP_M,
        "height": size[0],
        "width": size[1],
    }
    write_png(paths["depth-m.png"], full, force=force)
    write_json(paths["depth-m.json"], facts | measured.facts | about, force=force)
