"""The commands about pictures: photos, videos, pairs, and the empty scene of a camera."""

import json
import re

from jsonargparse.typing import PositiveInt

from mdeas.commands.choices import Device, Pair
from mdeas.commands.parser import print_facts, require
from mdeas.errors import InputError, UsageError


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
    from mdeas.runtime.choice import ModelChoice

    predict_files(
        images,
        background,
        out,
        model=ModelChoice(model=model, device=device, threads=threads, size=size),
        pair=pair,
        calibration=calibration,
        report=report,
        extras=Extras(layers=layers, cloud=cloud, fov_deg=fov),
        force=force,
        tell=print,
    )


def benchmark(
    image: str | None = None,
    *,
    background: str | None = None,
    resolution: str | None = None,
    rounds: PositiveInt = 20,
    model: str | None = None,
    device: Device = "auto",
    threads: PositiveInt | None = None,
    size: PositiveInt | None = None,
    json_output: bool = False,
) -> None:
    """Time every stage of a prediction, from decoding to encoding, on this machine.

    image: photo with something in it; without, the sample pair of the package at 1280x720
    background: photo of the same view with nothing in it
    resolution: WIDTHxHEIGHT that both photos are brought to
    rounds: predictions to time
    model: ONNX file or a model of the package: default, default-int8
    device: where the network runs; auto takes CUDA when there is one
    threads: CPU threads
    size: long side in pixels at which the network works
    json_output: print JSON
    """
    from mdeas.predict.benchmark import benchmark as measure
    from mdeas.predict.benchmark import table
    from mdeas.runtime.choice import ModelChoice

    if image is not None or background is not None:
        require("benchmark", image=image, background=background)
    choice = ModelChoice(model=model, device=device, threads=threads, size=size)
    result = measure(image, background, resolution=resolution, rounds=rounds, model=choice)
    print(json.dumps(result, indent=1) if json_output else table(result))


def video(
    source: str,
    *,
    background: str,
    out: str,
    model: str | None = None,
    pair: Pair = "auto",
    frames: PositiveInt | None = None,
    device: Device = "auto",
    threads: PositiveInt | None = None,
    size: PositiveInt | None = None,
    force: bool = False,
) -> None:
    """Predict a video or a camera and write tiles of frame, mask, depth and cut-out.

    source: video file, or camera: its number or /dev/video...
    background: photo of the same view with nothing in it
    out: MP4 file for the tiles
    model: ONNX file or a model of the package: default, default-int8
    pair: where the video does not fit: auto mends the background, strict refuses, off takes it as it is
    frames: write at most so many
    device: where the network runs; auto takes CUDA when there is one
    threads: CPU threads
    size: long side in pixels at which the network works
    force: replace a file that is there
    """
    from mdeas.predict.video_tiles import tile_video
    from mdeas.runtime.choice import ModelChoice

    choice = ModelChoice(model=model, device=device, threads=threads, size=size)
    print_facts(tile_video(source, background, out, model=choice, pair=pair, frames=frames, force=force))


def compose(
    image: str,
    *,
    background: str,
    insert: str,
    at: str,
    out: str,
    height: PositiveInt | None = None,
    depth: float | None = None,
    calibration: str | None = None,
    model: str | None = None,
    pair: Pair = "auto",
    device: Device = "auto",
    threads: PositiveInt | None = None,
    force: bool = False,
) -> None:
    """Put a cut-out between the subject of a photo and what is behind it.

    image: photo with a subject
    background: photo of the same view without it
    insert: picture with alpha
    at: X,Y: where the middle of its foot stands, pixels of the image from the upper left
    out: PNG
    height: of what is solid in the insert, pixels of the image; without it as it is
    depth: metres with --calibration, else 0 (far) to 1 (near) as in depth.png; none: behind the subject
    calibration: file of `mdeas calibrate`
    model: ONNX file or a model of the package: default, default-int8
    pair: where the photos do not fit: auto mends the background, strict refuses, off takes them as they are
    device: where the network runs; auto takes CUDA when there is one
    threads: CPU threads
    force: replace a file that is there
    """
    from mdeas.predict.compose import compose_files
    from mdeas.runtime.choice import ModelChoice

    facts = compose_files(
        image,
        background,
        insert,
        out,
        at=_point(at),
        height_px=height,
        depth=depth,
        calibration=calibration,
        model=ModelChoice(model=model, device=device, threads=threads),
        pair=pair,
        force=force,
    )
    print_facts(facts)


def _point(text: str) -> tuple[float, float]:
    """(x, y) from "X,Y"; UsageError E-AT."""
    number = r"\s*(-?\d+(?:\.\d+)?)\s*"
    found = re.fullmatch(f"{number},{number}", text)
    if not found:
        raise UsageError("E-AT", f"--at {text!r}: not two numbers with a comma between, such as 320,400.")
    return float(found[1]), float(found[2])


def background(frames: list[str], *, out: str, force: bool = False) -> None:
    """Make the photo of an empty scene from photos or a video of the same view with things that move.

    frames: photos of one size from a camera that stands still, folders of them, or one video file
    out: PNG of the empty scene; how many frames agree on each pixel is written beside it
    force: replace files that are there
    """
    from mdeas.camera.empty_scene import write_background

    print_facts(write_background(frames, out, force=force))


def calibrate(
    *,
    background: str,
    out: str,
    depth: str | None = None,
    points: list[str] = [],  # noqa: B006 (never changed; the parser shows it)
    fov: float | None = None,
    model: str | None = None,
    device: Device = "auto",
    threads: PositiveInt | None = None,
    force: bool = False,
) -> None:
    """Fit metres to the depth of the empty scene, for `predict --calibration`.

    background: photo of the view with nothing in it
    out: JSON file of the calibration
    depth: 16-bit PNG of the same view in millimetres along the optical axis, 0 = unknown; may be smaller
    points: instead of a map: a pixel of the background and its distance, twice or more, near and far
    fov: angle of view across the photo's width, degrees, for `predict --cloud`
    model: ONNX file or a model of the package: default, default-int8
    device: where the network runs; auto takes CUDA when there is one
    threads: CPU threads
    force: replace files that are there
    """
    from mdeas.camera.calibrate import calibrate as fit
    from mdeas.camera.calibrate import parse_point
    from mdeas.runtime.choice import ModelChoice

    facts = fit(
        background,
        out,
        depth=depth,
        points=[parse_point(point) for point in points],
        fov_deg=fov,
        model=ModelChoice(model=model, device=device, threads=threads),
        force=force,
    )
    print_facts(facts)


def check(background: str, image: str, *, json_output: bool = False) -> None:
    """Tell whether two photos are a pair: shift, light, what changed, and a verdict: good, fixed or refused.

    background: photo of the view with nothing in it
    image: photo of the same view with something in it
    json_output: print one JSON object
    """
    from mdeas.pairing.check import check_files
    from mdeas.pairing.sanity import tell
    from mdeas.system.files import json_lines, quoted

    found = check_files(background, image)
    facts = found.to_json()
    if json_output:
        print(json_lines([facts]).decode(), end="")
    else:
        print_facts({name: value for name, value in facts.items() if name != "warnings"})
        tell(image, found.warnings)
    if found.code:
        raise InputError(found.code, f"{quoted(background)} and {quoted(image)}: {found.reason}.")
