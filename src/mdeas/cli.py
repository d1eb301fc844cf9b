"""The command line: one typed function per command, heavy imports inside it.

A function's signature is its parser: positional parameters are arguments, keyword-only ones are options, the
docstring is the help. To add a command, write the function and give it a row in COMMANDS. Those about data
are in commands_data.py, those about networks in commands_models.py.
are in commands_data.py, some about running models in commands_run.py.
"""

import sys
import traceback
from pathlib import Path
from typing import Any

from jsonargparse.typing import PositiveInt

from mdeas import __version__
from mdeas.arguments import parse, print_facts
from mdeas.commands_data import (
    create_cutouts,
    create_pairs,
    create_photos,
    create_scenes,
    export_data,
    import_data,
    show,
    verify,
)
from mdeas.commands_models import Device, compare, evaluate, export, grid, models, quantize, train
from mdeas.commands_run import RunDevice, benchmark, video
from mdeas.errors import EXIT_BUG, EXIT_OK, MdeasError, MemoryLimitError

_MOST = 300  # characters of a stranger's message: a compiler's goes on for pages


def predict(
    images: list[str],
    *,
    background: str,
    out: str,
    model: str | None = None,
    device: RunDevice = "auto",
    threads: PositiveInt | None = None,
    size: PositiveInt | None = None,
    force: bool = False,
) -> None:
    """Write mask, depth, cut-out and a panel for photos of one view.

    images: photos with something in them, or folders of such photos
    background: photo of the same view with nothing in it
    out: folder for the results
    model: ONNX file or a model of the package: default, default-int8
    device: where the network runs; auto takes CUDA when there is one
    threads: CPU threads
    size: long side in pixels at which the network works
    force: replace results that are there
    """
    from mdeas.predict import predict_files

    options: dict[str, Any] = {"model": model, "device": device, "threads": threads, "size": size}
    predict_files(images, background, Path(out), force=force, tell=print, **options)


def video(
    source: str,
    *,
    background: str,
    out: str,
    model: str | None = None,
    frames: PositiveInt | None = None,
    device: Device = "auto",
    threads: PositiveInt | None = None,
    force: bool = False,
) -> None:
    """Predict a video or a camera and write tiles of frame, mask, depth and cut-out.

    source: video file, or camera: its number or /dev/video...
    background: photo of the same view with nothing in it
    out: MP4 file for the tiles
    model: ONNX file; the default is in the package
    frames: write at most so many
    device: auto takes CUDA when there is one
    threads: CPU threads
    force: replace a file that is there
    """
    from mdeas.video import tile_video

    options: dict[str, Any] = {"model": model, "frames": frames, "device": device, "threads": threads}
    print_facts(tile_video(source, background, out, force=force, **options))
def grid(
    runs: list[str],
    *,
    data: str,
    out: str,
    task: Literal["mask", "depth"] = "mask",
    split: Split = "test",
    count: PositiveInt = 6,
    force: bool = False,
) -> None:
    """Show predictions of several runs side by side: a column a run, truth above prediction.

    runs: run folders, .safetensors files, ONNX files, or "default"
    data: folder of a data set
    out: PNG of the grid
    task: what is shown
    split: part of the data set
    count: samples shown, evenly spread
    force: replace a grid that is there
    """
    from mdeas.grid import write_grid

    write_grid(runs, data, out, task=task, split=split, count=count, force=force)
    print(out)


def models(name: str | None = None, *, size: PositiveInt = 224) -> None:
    """List the networks that can be trained, or the layers of one.

    name: network whose layers to list
    size: height and width in pixels of the photos that the layers are listed for
    """
    from mdeas.models.summary import layer_table, model_table

    print(layer_table(name, size) if name else model_table())


COMMANDS: dict[str, Any] = {
    "create": {
        "scenes": create_scenes,
        "photos": create_photos,
        "pairs": create_pairs,
        "cutouts": create_cutouts,
    },
    "import": import_data,
    "verify": verify,
    "show": show,
    "export-data": export_data,
    "train": train,
    "evaluate": evaluate,
    "compare": compare,
    "export": export,
    "quantize": quantize,
    "grid": grid,
    "predict": predict,
    "benchmark": benchmark,
    "video": video,
    "models": models,
}


def main(argv: list[str] | None = None) -> int:
    """Run one command.

    Input: argv without the program's name; None = sys.argv.
    Output: the exit code (see errors.py).
    """
    words = sys.argv[1:] if argv is None else argv
    sys.stdout.reconfigure(errors="surrogateescape")  # type: ignore[union-attr]  # names may be any bytes
    try:
        function, arguments = parse("mdeas", __version__, COMMANDS, words)
        function(**arguments)
    except SystemExit as stop:  # --help and --version
        return int(stop.code or EXIT_OK)
    except BaseException as error:
        return _report(error, debug="--debug" in words)
    return EXIT_OK


def _report(error: BaseException, *, debug: bool) -> int:
    """Print one line, and the traceback if asked for; return the exit code."""
    if debug:
        traceback.print_exception(error)
    code, message, exit_code = _explain(error)
    print(f"mdeas: error[{code}] {' '.join(message.split())}", file=sys.stderr)
    return exit_code


def _explain(error: BaseException) -> tuple[str, str, int]:
    """Return the stable code, the message and the exit code of any exception."""
    if isinstance(error, MdeasError):
        return error.code, str(error), error.exit_code
    if isinstance(error, KeyboardInterrupt):
        return "E-STOPPED", "stopped by Ctrl-C.", 130
    if isinstance(error, MemoryError):
        advice = "Use smaller pictures, fewer workers or a smaller batch."
        return "E-MEMORY", f"out of memory. {advice}", MemoryLimitError.exit_code
    hint = "This is a bug in mdeas: run it again with --debug and report the traceback."
    return "E-BUG", f"{type(error).__name__}: {str(error)[:_MOST]}. {hint}", EXIT_BUG
