"""The commands about what is in front of what."""

import re
from typing import Any

from jsonargparse.typing import PositiveInt

from mdeas.commands.choices import Device, Pair
from mdeas.commands.parser import print_facts
from mdeas.errors import UsageError


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

    options: dict[str, Any] = {"model": model, "device": device, "threads": threads, "force": force}
    options |= {"depth": depth, "calibration": calibration, "height_px": height, "pair": pair}
    print_facts(compose_files(image, background, insert, out, at=_point(at), **options))


def _point(text: str) -> tuple[float, float]:
    """(x, y) from "X,Y"; UsageError E-AT."""
    number = r"\s*(-?\d+(?:\.\d+)?)\s*"
    found = re.fullmatch(f"{number},{number}", text)
    if not found:
        raise UsageError("E-AT", f"--at {text!r}: not two numbers with a comma between, such as 320,400.")
    return float(found[1]), float(found[2])
