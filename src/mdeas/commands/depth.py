"""The commands about the empty scene of a fixed camera: its photo and its metres; see cli.py."""

from typing import Any

from jsonargparse.typing import PositiveInt

from mdeas.commands.choices import Device
from mdeas.commands.parser import print_facts


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

    options: dict[str, Any] = {"model": model, "device": device, "threads": threads, "force": force}
    options["fov_deg"] = fov
    print_facts(fit(background, out, depth=depth, points=[parse_point(p) for p in points], **options))
