"""Make a calibration: fit the empty scene's relative inverse depth to measured metres."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mdeas.camera.calibration import Calibration, DepthMap, Fit, Point, beyond_reach, fingerprint, to_json
from mdeas.camera.rays import check_fov
from mdeas.camera.sensor import read_depth_m
from mdeas.depth_fit import Expected, Line, fit, fit_picture, inverse, is_flat, relative_error
from mdeas.errors import InputError, ModelError, UsageError
from mdeas.images.codec import read_depth16, read_rgb, write_png
from mdeas.runtime.choice import DEFAULT_MODEL, ModelChoice
from mdeas.runtime.onnx_predictor import tell_model
from mdeas.subject.depths import EmptyDepth
from mdeas.system.files import refuse_outputs, sha256_file, write_json

_REACH = 1.5  # times the farthest measured depth; farther depths are unknown
_FARTHEST = 0.999  # quantile of a map taken as its farthest depth: the last readings are mostly wrong
_FEWEST_PIXELS = 100  # of a map
# A line through two points alone would enlarge small errors of the network far from them. People measure near
# and far places, so picture and points likely have the same range of inverse depth. The points count as much
# as this expectation when they differ by the share _SPREAD of the picture's range.
_SPREAD = 0.14
_APART = 0.01  # share of the picture's range of relative inverse depth by which points must differ


def calibrate(
    background: str | Path,
    out: str | Path,
    *,
    depth: str | Path | None = None,
    points: Sequence[Point] = (),
    fov_deg: float | None = None,
    model: ModelChoice = DEFAULT_MODEL,
    force: bool = False,
) -> dict[str, object]:
    """Fit scale and shift of the empty scene's inverse depth to measured depth; write the calibration.

    Input:
        background: photo of the view with nothing in it.
        out: the JSON file; a map is kept beside it as NAME-depth.png.
        depth: 16-bit picture of millimetres, 0 = unknown, of the same view; it may be smaller. Either this or
            `points`.
        points: two or more places of the background photo, in its pixels, with their distance.
        fov_deg: angle of view across the photo's width, kept for point clouds.
        model: the calibration holds for this model alone.
    Output: facts about the fit, for print_facts.
    Errors: InputError E-CALIBRATION-POINTS (fewer than two, outside, not positive, two distances at a place,
        places that look equally far), E-CALIBRATION-CONTRADICTS (places measured as nearer look farther),
        E-CALIBRATION-MAP (too few known pixels); those of images.codec; StorageError; UsageError E-USAGE,
        E-OUT-IS-INPUT; ModelError E-CALIBRATION-MODEL (a model without depth).
    """
    background, out = Path(background), Path(out)
    check_fov(fov_deg)
    if bool(depth) == bool(points):
        got = "both --depth and --point" if depth else "neither --depth nor --point"
        raise UsageError("E-USAGE", f"got {got}. Give --depth FILE, or --point X,Y=METRES twice or more.")
    map_copy = out.with_name(f"{out.stem}-depth.png")
    outputs = (out, map_copy) if depth else (out,)
    refuse_outputs(outputs, [path for path in (background, depth) if path], force)
    empty = read_rgb(background)
    size = empty.shape[0], empty.shape[1]
    _check_points(points, size)
    predictor = model.load()
    if "depth" not in predictor.tasks:
        raise ModelError(
            "E-CALIBRATION-MODEL", f"model {predictor.name!r} predicts no depth. Name another with --model."
        )
    relative = EmptyDepth(predictor).of(empty)
    line, farthest_m, fit_facts = (
        _fit_map(relative, read_depth_m(depth, relative.shape))
        if depth
        else _fit_points(relative, points, size)
    )
    calibration = Calibration(
        height=size[0],
        width=size[1],
        background_sha256=sha256_file(background),
        model=predictor.name,
        model_sha256=fingerprint(predictor),
        scale=line.scale,
        shift=line.shift,
        reach_m=_REACH * farthest_m,
        points=tuple(points),
        depth_map=_keep_map(depth, map_copy, force) if depth else None,
        fit=fit_facts,
        fov_deg=fov_deg,
    )
    write_json(out, to_json(calibration), force=force)
    tell_model(predictor)
    return _facts(calibration, out, relative)


def parse_point(text: str) -> Point:
    """The point "X,Y=METRES"; UsageError (E-USAGE) for other text."""
    match = re.fullmatch(r"\s*(-?\d+)\s*,\s*(-?\d+)\s*=\s*(-?\d+(?:\.\d*)?|-?\.\d+)\s*m?\s*", text)
    if not match:
        raise UsageError("E-USAGE", f"--point {text!r}: expected X,Y=METRES, such as 320,410=1.85.")
    return Point(x=int(match[1]), y=int(match[2]), metres=float(match[3]))


def _check_points(points: Sequence[Point], size: tuple[int, int]) -> None:
    places: dict[tuple[int, int], float] = {}
    for point in points:
        given = f"point {point.x},{point.y}={point.metres:g}"
        if not (0 <= point.x < size[1] and 0 <= point.y < size[0]):
            raise _bad_points(f"{given}: outside the photo of {size[1]}×{size[0]} pixels, counted from 0")
        if not 0 < point.metres < float("inf"):
            raise _bad_points(f"{given}: expected a positive distance in metres")
        if places.setdefault((point.x, point.y), point.metres) != point.metres:
            raise _bad_points(f"{given}: the same place was also given as {places[point.x, point.y]:g} m")
    if points and len(places) < 2:
        raise _bad_points("got one point, expected two or more at different distances")


def _bad_points(what: str) -> InputError:
    return InputError("E-CALIBRATION-POINTS", f"{what}. Correct the points.")


def _fit_map(relative: np.ndarray, depth_m: np.ndarray) -> tuple[Line, float, Fit]:
    """The line, the farthest measured depth in metres, and how well the line fits.

    Input: relative, depth_m: float32 (h, w); depth_m 0 = unknown.
    """
    known = depth_m > 0
    count = int(np.count_nonzero(known))
    if count < _FEWEST_PIXELS:
        raise InputError(
            "E-CALIBRATION-MAP",
            f"the map has {count} known depths, expected {_FEWEST_PIXELS} or more. Measure again.",
        )
    inverse_m = inverse(depth_m)
    found = fit_picture(relative, inverse_m, known)
    _refuse_contradiction(found.line, inverse_m[known], "Is the map of this view, in millimetres?")
    facts = Fit(
        num_measured=count,
        median_relative_error=found.median_relative_error,
        held_out_relative_error=found.held_out_relative_error,
    )
    return found.line, float(np.quantile(depth_m[known], _FARTHEST)), facts


def _fit_points(
    relative: np.ndarray, points: Sequence[Point], size: tuple[int, int]
) -> tuple[Line, float, Fit]:
    """As `_fit_map`, from places of a photo of `size` (height, width)."""
    height, width = relative.shape
    rows = [min(height - 1, int((point.y + 0.5) * height / size[0])) for point in points]
    columns = [min(width - 1, int((point.x + 0.5) * width / size[1])) for point in points]
    p, d = relative[rows, columns], np.array([1 / point.metres for point in points])
    low, high = np.quantile(relative, (0.02, 0.98))
    if np.ptp(p) < _APART * (high - low) and not is_flat(d):
        raise _bad_points(
            "the points look equally far to the network: choose some much nearer and much farther"
        )
    _refuse_contradiction(fit(p, d), d, "Check which distance belongs to which place, or choose others.")
    expected = Expected(
        scale=float(np.ptp(d) / (high - low)) if high > low else 0.0, spread=_SPREAD * (high - low)
    )
    line = fit(p, d, expected)
    facts = Fit(
        num_measured=len(points),
        median_relative_error=relative_error(line, p, d),
        held_out_relative_error=_leave_one_out(p, d, expected),
    )
    return line, max(point.metres for point in points), facts


def _refuse_contradiction(line: Line, inverse_m: np.ndarray, advice: str) -> None:
    if line.scale == 0 and not is_flat(inverse_m):
        raise InputError(
            "E-CALIBRATION-CONTRADICTS",
            f"places that were measured as nearer look farther to the network, so no scale fits. {advice}",
        )


def _leave_one_out(p: np.ndarray, d: np.ndarray, expected: Expected) -> float | None:
    """Median relative error of each point under the fit to the others; None for two points."""
    if len(p) < 3:
        return None
    others = [np.arange(len(p)) != number for number in range(len(p))]
    return float(
        np.median([relative_error(fit(p[rest], d[rest], expected), p[~rest], d[~rest]) for rest in others])
    )


def _keep_map(depth: str | Path, copy: Path, force: bool) -> DepthMap:
    record = write_png(copy, read_depth16(depth), force=force)
    return DepthMap(name=record["name"], sha256=record["sha256"])


def _facts(calibration: Calibration, out: Path, relative: np.ndarray) -> dict[str, object]:
    held_out = calibration.fit.held_out_relative_error
    too_far = beyond_reach(calibration.line.inverse_m(relative), calibration.reach_m).mean()
    return {
        "calibration": str(out),
        "measured": f"{calibration.fit.num_measured} {'pixels' if calibration.depth_map else 'points'}",
        "median relative error": f"{calibration.fit.median_relative_error:.1%}",
        "held out": "not known: too little was measured" if held_out is None else f"{held_out:.1%}",
        "believed up to": f"{calibration.reach_m:.2f} m",
        "empty scene beyond that": f"{too_far:.1%} of the picture",
    }
