"""The commands about pictures: photos, videos, pairs, and the empty scene of a camera."""

import json
import re
from typing import Annotated

from mdeas.commands.choices import Degrees, Device, File, Folder, Model, PairMode, Pixels, PositiveInt, number
from mdeas.commands.parser import print_facts, require_options
from mdeas.errors import InputError, UsageError


def predict(
    images: list[str],
    *,
    background: File,
    out: Folder,
    model: Model | None = None,
    pair: PairMode = "auto",
    calibration: File | None = None,
    report: File | None = None,
    layers: bool = False,
    cloud: Annotated[str, "FORMAT"] | None = None,
    fov: Degrees | None = None,
    device: Device = "auto",
    threads: PositiveInt | None = None,
    size: Pixels | None = None,
    force: bool = False,
) -> None:
    """Write the mask, the depth, a cut-out and a panel for photos of one view.

    images: photos with something in them, or folders of such photos
    background: photo of the same view with nothing in it
    out: folder for the results
    model: ONNX file, or a model in the package: default (used if none is given) or default-int8
    pair: if the photos do not fit: auto corrects the background, strict refuses, off uses them unchanged
    calibration: file of `mdeas calibrate`; also write depth in metres
    report: also write this JSON file: the objects of every photo with box, area, depth, order, position
    layers: also write the depth of the subject and the depth of the scene behind it
    cloud: also write coloured points: ply or glb for one file per photo, or a file name for one photo
    fov: horizontal angle of view for --cloud; without it from the calibration, from Exif, or 60 degrees
    device: where the network runs; auto uses CUDA if there is a GPU
    threads: number of CPU threads; without it ONNX Runtime decides
    size: long side in pixels at which the network works; without it the model decides
    force: replace existing results
    """
    from mdeas.predict.outputs import OutputChoice
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
        outputs=OutputChoice(layers=layers, cloud=cloud, fov_deg=fov),
        force=force,
        tell=print,
    )


def benchmark(
    image: str | None = None,
    *,
    background: File | None = None,
    resolution: Annotated[str, "WIDTHxHEIGHT"] | None = None,
    rounds: PositiveInt = 20,
    model: Model | None = None,
    device: Device = "auto",
    threads: PositiveInt | None = None,
    size: Pixels | None = None,
    json_output: bool = False,
) -> None:
    """Time every stage of a prediction on this machine, from decoding to encoding.

    image: photo with something in it, with --background; without both the package's sample pair at 1280x720
    background: photo of the same view with nothing in it
    resolution: resize both photos to this size in pixels, such as 1280x720
    rounds: number of predictions to time
    model: ONNX file, or a model in the package: default (used if none is given) or default-int8
    device: where the network runs; auto uses CUDA if there is a GPU
    threads: number of CPU threads; without it ONNX Runtime decides
    size: long side in pixels at which the network works; without it the model decides
    json_output: print JSON instead of a table
    """
    from mdeas.predict.benchmark import benchmark as measure
    from mdeas.runtime.choice import ModelChoice

    if image is not None or background is not None:
        require_options("benchmark", {"IMAGE": image, "--background": background})
    choice = ModelChoice(model=model, device=device, threads=threads, size=size)
    result = measure(image, background, resolution=resolution, rounds=rounds, model=choice)
    print(json.dumps(result.to_json(), indent=1) if json_output else result.table())


def video(
    source: str,
    *,
    background: File,
    out: File,
    model: Model | None = None,
    pair: PairMode = "auto",
    frames: PositiveInt | None = None,
    device: Device = "auto",
    threads: PositiveInt | None = None,
    size: Pixels | None = None,
    force: bool = False,
) -> None:
    """Predict the frames of a video or a camera and write a video of frame, mask, depth and cut-out.

    source: video file, or a camera: its number or /dev/video...
    background: photo of the same view with nothing in it
    out: MP4 file
    model: ONNX file, or a model in the package: default (used if none is given) or default-int8
    pair: if the video does not fit: auto corrects the background, strict refuses, off uses it unchanged
    frames: write at most this many frames; without it all
    device: where the network runs; auto uses CUDA if there is a GPU
    threads: number of CPU threads; without it ONNX Runtime decides
    size: long side in pixels at which the network works; without it the model decides
    force: replace an existing file
    """
    from mdeas.predict.video_tiles import tile_video
    from mdeas.runtime.choice import ModelChoice

    choice = ModelChoice(model=model, device=device, threads=threads, size=size)
    print_facts(tile_video(source, background, out, model=choice, pair=pair, frames=frames, force=force))


def compose(
    image: str,
    *,
    background: File,
    insert: File,
    at: Annotated[str, "X,Y"],
    out: File,
    height: Pixels | None = None,
    depth: Annotated[float, number, "DEPTH"] | None = None,
    calibration: File | None = None,
    model: Model | None = None,
    pair: PairMode = "auto",
    device: Device = "auto",
    threads: PositiveInt | None = None,
    force: bool = False,
) -> None:
    """Place a cut-out between the subject of a photo and what is behind it.

    image: photo with a subject
    background: photo of the same view without the subject
    insert: picture with an alpha channel
    at: position of the middle of the insert's lower edge, in pixels from the upper left of the image
    out: PNG file
    height: height of the visible part of the insert, in pixels of the image; without it unchanged
    depth: metres with --calibration, else 0 (far) to 1 (near) as in depth.png; without it behind the subject
    calibration: file of `mdeas calibrate`
    model: ONNX file, or a model in the package: default (used if none is given) or default-int8
    pair: if the photos do not fit: auto corrects the background, strict refuses, off uses them unchanged
    device: where the network runs; auto uses CUDA if there is a GPU
    threads: number of CPU threads; without it ONNX Runtime decides
    force: replace an existing file
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
        raise UsageError("E-AT", f"--at {text!r}: expected two numbers X,Y in pixels, such as 320,400.")
    return float(found[1]), float(found[2])


def background(frames: list[str], *, out: File, force: bool = False) -> None:
    """Make the photo of the empty scene from photos or a video of the same view with moving objects.

    frames: three or more photos of one size from a fixed camera, folders of such photos, or one video file
    out: PNG of the empty scene; a map beside it says how many frames agree on each pixel
    force: replace existing files
    """
    from mdeas.camera.empty_scene import write_background

    print_facts(write_background(frames, out, force=force))


def calibrate(
    *,
    background: File,
    out: File,
    depth: File | None = None,
    points: list[Annotated[str, "X,Y=METRES"]] = [],  # noqa: B006 (never changed; the parser shows it)
    fov: Degrees | None = None,
    model: Model | None = None,
    device: Device = "auto",
    threads: PositiveInt | None = None,
    force: bool = False,
) -> None:
    """Fit metres to the depth of the empty scene, for `predict --calibration`.

    background: photo of the empty scene
    out: JSON file for the calibration
    depth: 16-bit PNG of the same view, millimetres along the optical axis, 0 = unknown; may be smaller
    points: instead of --depth: a pixel of the background and its distance; repeat for near and far places
    fov: horizontal angle of view in degrees, for `predict --cloud`
    model: ONNX file, or a model in the package: default (used if none is given) or default-int8
    device: where the network runs; auto uses CUDA if there is a GPU
    threads: number of CPU threads; without it ONNX Runtime decides
    force: replace existing files
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
    """Check whether two photos fit together; print shift, light, changes and a verdict.

    background: photo of the empty scene
    image: photo of the same view with something in it; the verdict is good, fixed or refused
    json_output: print one JSON object instead of a table
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
