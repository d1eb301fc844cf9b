"""The command that predicts photos; see cli.py."""

from pathlib import Path
from typing import Any

from jsonargparse.typing import PositiveInt

from mdeas.commands.choices import Device, Pair


def predict(
    images: list[str],
    *,
    background: str,
    out: str,
    model: str | None = None,
    pair: Pair = "auto",
    calibration: str | None = None,
    report: str | None = None,
    layers: bool = False,
    cloud: str | None = None,
    fov: float | None = None,
    device: Device = "auto",
    threads: PositiveInt | None = None,
    size: PositiveInt | None = None,
    force: bool = False,
) -> None:
    """Write mask, depth, cut-out and a panel for photos of one view.

    images: photos with something in them, or folders of such photos
    background: photo of the same view with nothing in it
    out: folder for the results
    model: ONNX file or a model of the package: default, default-int8
    pair: where the photos do not fit: auto mends the background, strict refuses, off takes them as they are
    calibration: file of `mdeas calibrate`; depth in metres is written as well
    report: JSON file for the things in every photo: box, area, depth, order, where they stand
    layers: write the depth of the subject and the depth of what is behind it, too
    cloud: write coloured points, too: ply or glb for a file a photo, or the file itself for one photo
    fov: angle of view across the photo's width, degrees, for --cloud; else the calibration's, Exif's, or 60
    device: where the network runs; auto takes CUDA when there is one
    threads: CPU threads
    size: long side in pixels at which the network works
    force: replace results that are there
    """
    from mdeas.predict.optional_outputs import Extras
    from mdeas.predict.photos import predict_files

    extras = Extras(layers=layers, cloud=cloud, fov_deg=fov)
    options: dict[str, Any] = {"model": model, "device": device, "threads": threads, "size": size}
    options |= {"pair": pair, "calibration": calibration, "report": report, "extras": extras}
    predict_files(images, background, Path(out), force=force, tell=print, **options)
