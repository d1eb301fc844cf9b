"""The calibration file of a fixed camera: measured depth of its empty scene, and the network's fit to it.

It is a JSON file that explains itself; a measured depth map is kept beside it as a picture:

    camera.json         read strictly, see `read_calibration`
    camera-depth.png    16-bit millimetres, 0 = unknown; only when a map was given

Depth is along the camera's optical axis everywhere, as sensors give it. A tape held off the axis reads more:
4 % at 15 degrees, 15 % at 30.
"""

import dataclasses
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from mdeas.depth_fit import Line
from mdeas.errors import InputError, MdeasError, ModelError
from mdeas.runtime.predictor import Predictor
from mdeas.system.files import quoted, read_json, sha256_file

FORMAT, VERSION = "mdeas-camera", 1
ABOUT = (
    "metres along the optical axis = 1 / (scale * relative inverse depth of the empty scene + shift); beyond "
    "reach_m, and where that is 0 or less, depth is unknown"
)
Record = TypeVar("Record")


@dataclass(frozen=True, kw_only=True)
class Point:
    """A place of the empty scene whose distance was measured."""

    x: int
    """Column of the background photo, from 0 at the left."""
    y: int
    """Row of the background photo, from 0 at the top."""
    metres: float


@dataclass(frozen=True, kw_only=True)
class DepthMap:
    """The file of a measured depth map."""

    name: str
    """Beside the calibration."""
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Fit:
    """How well the line fits the measured depth."""

    num_measured: int
    """Known pixels of the map, or points."""
    median_relative_error: float
    """Relative error of depth on the measurements that were fitted."""
    held_out_relative_error: float | None
    """The same on measurements left out of the fit (cross-validation); None: too few measurements."""


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Everything in a calibration file."""

    height: int
    """Of the background photo, pixels."""
    width: int
    background_sha256: str
    """Of the photo's file."""
    model: str
    model_sha256: str | None
    """None: a predictor without a file."""
    scale: float
    shift: float
    reach_m: float
    """Depths beyond this, 1.5 times the farthest measured point, are unknown."""
    points: tuple[Point, ...]
    depth_map: DepthMap | None
    fit: Fit
    fov_deg: float | None
    """Angle of view across the photo's width, for point clouds; None = unknown."""

    @property
    def line(self) -> Line:
        """The fit to the empty scene: scale and shift."""
        return Line(scale=self.scale, shift=self.shift)

    def __post_init__(self) -> None:
        numbers = (self.scale, self.shift, self.reach_m, self.fit.median_relative_error)
        for ok, what in (
            (self.height >= 1 and self.width >= 1, "height and width must be positive"),
            (
                all(map(math.isfinite, numbers)),
                "scale, shift, reach_m and median_relative_error must be finite",
            ),
            (self.scale >= 0, "scale must not be negative"),
            (self.scale > 0 or self.shift > 0, "scale or shift must be positive"),
            (self.reach_m > 0, "reach_m must be positive"),
            (self.fov_deg is None or 0 < self.fov_deg < 180, "fov_deg must be between 0 and 180"),
            (bool(self.points) != bool(self.depth_map), "expected either points or a depth_map"),
            (
                not self.depth_map or Path(self.depth_map.name).name == self.depth_map.name,
                "the name of the depth_map must not be a path",
            ),
        ):
            if not ok:
                raise ValueError(what)


def fingerprint(predictor: Predictor) -> str | None:
    """sha256 of a predictor's file; None if it has no file."""
    return getattr(predictor, "sha256", None)


def to_json(calibration: Calibration) -> dict[str, object]:
    """The content of a calibration file."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "about": ABOUT,
        "units": "pixels from the top left corner, metres; scale and shift in 1/m",
    } | dataclasses.asdict(calibration)


def read_calibration(path: str | Path) -> Calibration:
    """Read a calibration file, and check that its depth map, if it has one, is there and unchanged.

    Errors: InputError E-JSON, E-CALIBRATION-FORMAT (another kind of file, another version, fields that are
    missing, unknown or of another type), E-CALIBRATION-MAP (the depth map is missing or was changed).
    """
    value = read_json(path)
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise _refused(path, "not a calibration")
    if value.get("version") != VERSION:
        raise _refused(path, f"version {value.get('version')!r}, this mdeas reads {VERSION}")
    fields = {key: item for key, item in value.items() if key not in ("format", "version", "about", "units")}
    try:
        calibration = _parsed(fields)
    except KeyError as error:
        raise _refused(path, f"the field {error} is missing") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise _refused(path, str(error)) from error
    if calibration.depth_map:
        _check_map(Path(path), calibration.depth_map)
    return calibration


def _parsed(fields: dict[str, Any]) -> Calibration:
    parts = {
        "points": tuple(_typed(Point, point) for point in fields["points"]),
        "depth_map": _typed(DepthMap, fields["depth_map"]) if fields["depth_map"] is not None else None,
        "fit": _typed(Fit, fields["fit"]),
        "fov_deg": fields.get("fov_deg"),  # files of the first calibrations have none
    }
    return _typed(Calibration, fields | parts)


# Types of JSON values that are accepted for a field; a whole number may stand for a float.
_TYPES: dict[object, tuple[type, ...]] = {
    int: (int,),
    float: (int, float),
    str: (str,),
    str | None: (str, type(None)),
    float | None: (int, float, type(None)),
}


def _typed(kind: type[Record], fields: dict[str, Any]) -> Record:
    """The dataclass `kind` from exactly its fields, whose values must have the types that it names."""
    for field in dataclasses.fields(kind):  # type: ignore[arg-type]
        value = fields[field.name]
        wanted = _TYPES.get(field.type)
        if wanted and (not isinstance(value, wanted) or isinstance(value, bool)):
            expected = " or ".join(kind.__name__ for kind in wanted)
            raise TypeError(f"{field.name} is {value!r}, expected {expected}")
    return kind(**fields)


def _refused(path: str | Path, why: str) -> InputError:
    return InputError(
        "E-CALIBRATION-FORMAT",
        f"{quoted(path)}: {why}. Give a file made by `mdeas calibrate`, or make it again.",
    )


def map_path(camera: Path, depth_map: DepthMap) -> Path:
    """The path of the depth map that belongs to the calibration file `camera`."""
    return camera.with_name(depth_map.name)


def _check_map(camera: Path, depth_map: DepthMap) -> None:
    path = map_path(camera, depth_map)
    advice = f"Keep it beside {quoted(camera.name)}, or calibrate again."
    try:
        found = sha256_file(path)
    except MdeasError as error:
        raise InputError("E-CALIBRATION-MAP", f"the depth map {quoted(path)} is missing. {advice}") from error
    if found != depth_map.sha256:
        raise InputError("E-CALIBRATION-MAP", f"{quoted(path)}: its sha256 differs. {advice}")


def check_fits(calibration: Calibration, predictor: Predictor, size: tuple[int, int]) -> None:
    """Refuse a calibration of another camera or model.

    Input: size: (height, width) of the background photo.
    Errors: InputError E-CALIBRATION-SIZE; ModelError E-CALIBRATION-MODEL.
    """
    if size != (calibration.height, calibration.width):
        made_for = f"{calibration.width}×{calibration.height}"
        raise InputError(
            "E-CALIBRATION-SIZE",
            f"the calibration is for photos of {made_for} pixels, the background has {size[1]}×{size[0]}. "
            "Give the background that was calibrated, or calibrate again with this one.",
        )
    if (predictor.name, fingerprint(predictor)) != (calibration.model, calibration.model_sha256):
        raise ModelError(
            "E-CALIBRATION-MODEL",
            f"the calibration was made with model {calibration.model!r}, and the given {predictor.name!r} is "
            "another model or version. Calibrate again with it, or name the other with --model.",
        )


def beyond_reach(inverse_m: np.ndarray, reach_m: float) -> np.ndarray:
    """bool: where inverse depth in 1/m means farther than `reach_m`, or is not positive."""
    return inverse_m < 1 / reach_m
