"""What `mdeas predict` writes when asked for: the depths of both layers, and a point cloud."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mdeas.camera.cloud import build_cloud, up_to_scale
from mdeas.camera.metres import Measured
from mdeas.camera.point_files import FORMATS, encode_points
from mdeas.camera.rays import Camera, camera_of, check_fov
from mdeas.errors import UsageError
from mdeas.images import headers
from mdeas.images.codec import read_bytes, write_png
from mdeas.images.levels import to_uint8
from mdeas.images.photo import Photo
from mdeas.images.resize import resize
from mdeas.pairing.sanity import PairWarning
from mdeas.predict.outputs import encode_depth
from mdeas.runtime.predictor import Prediction, Predictor
from mdeas.subject.depths import Layers, split_depth
from mdeas.system.files import quoted, write_bytes, write_json

LAYERS = ("foreground-depth.png", "background-depth.png", "layers.json")


@dataclass(frozen=True, kw_only=True)
class Extras:
    """What to write besides the usual."""

    layers: bool = False
    """LAYERS: the subject's depth, what is behind it, and how to read both."""
    cloud: str | None = None
    """One of FORMATS: NAME-cloud.ply or .glb for each photo; or such a file, for a single photo."""
    fov_deg: float | None = None
    """Angle of view across the photo's width; without it that of the calibration or of Exif's focal length,
    else ASSUMED_FOV_DEG."""

    def __post_init__(self):
        check_fov(self.fov_deg)
        if self.fov_deg is not None and self.cloud is None:
            raise UsageError("E-CLOUD", "--fov is for --cloud alone. Add --cloud ply, or leave --fov out.")
        if self.cloud is not None and self._form not in FORMATS:
            raise UsageError("E-CLOUD", f"--cloud {self.cloud!r}: neither ply, glb nor a file named so.")

    @property
    def _form(self) -> str:
        name = str(self.cloud)
        return (Path(name).suffix or f".{name}").removeprefix(".").lower()

    def camera(self, photo: Photo, measured: Measured | None) -> Camera | None:
        """The camera of the cloud; None without one."""
        if self.cloud is None:
            return None
        fov_deg = self.fov_deg if self.fov_deg is not None or measured is None else measured.fov_deg
        focal_35mm = headers.inspect(read_bytes(photo.path), quoted(photo.path)).focal_35mm
        return camera_of(photo.height, photo.width, fov_deg=fov_deg, focal_35mm=focal_35mm)

    def check_count(self, count: int) -> None:
        """UsageError E-CLOUD when one file is named for several photos."""
        if count > 1 and self.cloud is not None and Path(self.cloud).suffix:
            which = f"--cloud {self.cloud!r} is one file and there are {count} photos"
            raise UsageError("E-CLOUD", f"{which}. Pass --cloud {self._form}: a file for each.")

    def paths(self, out: Path, name: str) -> dict[str, Path]:
        """What is written for the photo called `name`, by kind."""
        found = {kind: out / f"{name}-{kind}" for kind in LAYERS if self.layers}
        if self.cloud is not None:
            kind = f"cloud.{self._form}"
            found[kind] = Path(self.cloud) if Path(self.cloud).suffix else out / f"{name}-{kind}"
        return found

    def write(
        self,
        predictor: Predictor,
        photo: Photo,
        background: np.ndarray,
        prediction: Prediction,
        measured: Measured | None,
        camera: Camera | None,
        facts: dict[str, Any],
        paths: dict[str, Path],
        force: bool,
    ) -> None:
        """Write what is asked for of a predicted pair to its `paths`.

        Input: background: uint8, of the shape of photo.view, as prediction; measured: its depth in
            metres, then the cloud is in metres; camera: see `camera`; facts: what its JSON says.
        Errors: InputError E-CLOUD-EMPTY; StorageError.
        """
        if not (self.layers or camera):
            return
        layers = split_depth(predictor, background, prediction)
        if self.layers:
            _write_layers(layers, photo, facts, paths, force)
        if camera:
            cutout = np.dstack([photo.view, to_uint8(prediction.mask)])
            cloud = build_cloud(cutout, background, *_depths(layers, measured), camera)
            data = encode_points(cloud.points, cloud.colours, self._form)
            write_bytes(paths[f"cloud.{self._form}"], data, force=force)


def _depths(layers: Layers, measured: Measured | None) -> tuple[np.ndarray, np.ndarray]:
    """Of the subject and of what is behind it, float32 (h, w), 0 = unknown: metres, or up to scale."""
    if measured:
        return measured.depth_m, measured.empty_m
    return up_to_scale(layers.foreground_depth, layers.background_depth)


def _write_layers(
    layers: Layers, photo: Photo, facts: dict[str, Any], paths: dict[str, Path], force: bool
) -> None:
    found: dict[str, Any] = {}
    for kind, depth in (("foreground", layers.foreground_depth), ("background", layers.background_depth)):
        levels, found[f"{kind}-depth"] = encode_depth(depth)
        whole = resize(levels, photo.height, photo.width, enlarge=cv2.INTER_LINEAR)
        write_png(paths[f"{kind}-depth.png"], whole, force=force)
    found["alignment"] = {
        "fitted": layers.fitted,
        "meaning": "depth of the image = scale * depth of the background photo + shift, where nothing is new;"
        " misfit: median of what is left",
        "misfit": layers.misfit,
        "scale": layers.scale,
        "shift": layers.shift,
    }
    found |= {**facts, "height": photo.height, "width": photo.width}
    write_json(paths["layers.json"], found, force=force)


def doubts(camera: Camera | None) -> list[PairWarning]:
    """W-CLOUD-FOV where the angle of view was not known."""
    if camera is None or camera.source != "assumed":
        return []
    text = f"the angle of view is not known; {camera.fov_deg:.0f}° across the width are taken. Pass --fov"
    return [PairWarning("W-CLOUD-FOV", text)]
