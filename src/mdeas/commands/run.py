"""The commands about running models; see cli.py."""

import json
from typing import Any

from jsonargparse.typing import PositiveInt

from mdeas.commands.choices import Device, Pair
from mdeas.commands.parser import print_facts, require


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

    if image is not None or background is not None:
        require("benchmark", image=image, background=background)
    options: dict[str, Any] = {"model": model, "device": device, "threads": threads, "size": size}
    result = measure(image, background, resolution=resolution, rounds=rounds, **options)
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

    options: dict[str, Any] = {
        "model": model,
        "pair": pair,
        "frames": frames,
        "device": device,
        "threads": threads,
        "size": size,
    }
    print_facts(tile_video(source, background, out, force=force, **options))
