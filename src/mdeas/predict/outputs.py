"""The table of the files that `mdeas predict` writes for a photo, and how they get onto the disk.

A new file is a row of OUTPUT_FILES and a function in encode.py.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from mdeas.camera.point_files import POINT_FORMATS
from mdeas.camera.rays import check_fov
from mdeas.errors import UsageError
from mdeas.predict import encode
from mdeas.predict.predicted import PredictedPhoto
from mdeas.system.files import FileRecord, write_bytes
from mdeas.system.machine import num_cores

# Pixels of the photo. Up to here its files are made in parallel; above, one after the other to bound memory.
_MAX_TOGETHER = 10_000_000


@dataclass(frozen=True, kw_only=True)
class OutputChoice:
    """Which files to write besides the usual ones."""

    layers: bool = False
    """The depth of the subject, the depth of the scene behind it, and how to read both."""
    cloud: str | None = None
    """Coloured points: one of POINT_FORMATS for a file NAME-cloud.ply or .glb for each photo; or the name of
    such a file, for a single photo."""
    fov_deg: float | None = None
    """Angle of view across the photo's width, for the points; None = from the calibration or Exif's focal
    length, else ASSUMED_FOV_DEG."""

    def __post_init__(self) -> None:
        check_fov(self.fov_deg)
        if self.fov_deg is not None and self.cloud is None:
            raise UsageError("E-CLOUD", "--fov is used by --cloud only. Add --cloud ply, or leave --fov out.")
        if self.cloud is not None and self.cloud_form not in POINT_FORMATS:
            raise UsageError(
                "E-CLOUD",
                f"--cloud {self.cloud!r}: expected ply, glb, or a file name that ends in .ply or .glb.",
            )

    @property
    def cloud_form(self) -> str:
        """One of POINT_FORMATS; "" without a cloud."""
        name = self.cloud or ""
        return (Path(name).suffix or f".{name}").removeprefix(".").lower()

    @property
    def cloud_file(self) -> Path | None:
        """The file that was named for the points, if one was."""
        return Path(self.cloud) if self.cloud is not None and Path(self.cloud).suffix else None

    def check_count(self, count: int) -> None:
        """UsageError E-CLOUD when one file is named for the points of several photos."""
        if count > 1 and self.cloud_file:
            which = f"--cloud {self.cloud!r} is one file and there are {count} photos"
            raise UsageError("E-CLOUD", f"{which}. Pass --cloud {self.cloud_form}: a file for each.")


@dataclass(frozen=True)
class OutputFile:
    """One kind of file."""

    kind: str
    """The end of its name: NAME-kind."""
    encode: Callable[[PredictedPhoto], bytes]
    asked_by: str = "always"
    """always, metres (a calibration was given), layers, or one of POINT_FORMATS."""
    slow: bool = False
    """It takes longest, so it is started first."""


OUTPUT_FILES = (
    OutputFile("mask.png", encode.mask_png),
    OutputFile("depth.png", encode.depth_png),
    OutputFile("depth.json", encode.depth_json),
    OutputFile("cutout.png", encode.cutout_png, slow=True),
    OutputFile("depth-color.png", encode.depth_color_png),
    OutputFile("panel.png", encode.panel_png),
    OutputFile("depth-m.png", encode.depth_m_png, "metres"),
    OutputFile("depth-m.json", encode.depth_m_json, "metres"),
    OutputFile("foreground-depth.png", encode.foreground_depth_png, "layers"),
    OutputFile("background-depth.png", encode.background_depth_png, "layers"),
    OutputFile("layers.json", encode.layers_json, "layers"),
    OutputFile("cloud.ply", encode.cloud_ply, "ply", slow=True),
    OutputFile("cloud.glb", encode.cloud_glb, "glb", slow=True),
)


def output_paths(out: Path, name: str, choice: OutputChoice, *, metres: bool) -> dict[str, Path]:
    """The path of every file that is written for the photo called `name`, by kind, in the table's order."""
    asked = {"always": True, "metres": metres, "layers": choice.layers, choice.cloud_form: True}
    paths = {row.kind: out / f"{name}-{row.kind}" for row in OUTPUT_FILES if asked.get(row.asked_by)}
    if choice.cloud_file:
        paths[f"cloud.{choice.cloud_form}"] = choice.cloud_file
    return paths


def write_outputs(predicted: PredictedPhoto, paths: dict[str, Path], *, force: bool) -> None:
    """Make and write the files of a photo.

    Encoding continues while earlier files are written. Large photos are encoded and written one file at a
    time to bound memory.
    Input: paths: by kind, see output_paths.
    Errors: the first of StorageError and InputError E-CLOUD-EMPTY, in the table's order.
    """
    rows = [row for row in OUTPUT_FILES if row.kind in paths]
    if predicted.photo.height * predicted.photo.width > _MAX_TOGETHER:
        for row in rows:
            write_bytes(paths[row.kind], row.encode(predicted), force=force)
        return
    with ThreadPoolExecutor(len(rows)) as disk, ThreadPoolExecutor(min(num_cores(), len(rows))) as makers:

        def write(row: OutputFile) -> "Future[FileRecord]":
            return disk.submit(write_bytes, paths[row.kind], row.encode(predicted), force=force)

        slow_first = sorted(rows, key=lambda row: not row.slow)
        started = {row.kind: makers.submit(write, row) for row in slow_first}
        for row in rows:
            started[row.kind].result().result()
