"""The command line: one typed function per command, heavy imports inside it.

A function's signature is its parser: positional parameters are arguments, keyword-only ones are options, the
docstring is the help. To add a command, write the function and give it a row in COMMANDS. Those about data
are in commands_data.py.
"""

import sys
import traceback
from pathlib import Path
from typing import Any, Literal

from jsonargparse.typing import PositiveInt

from mdeas import __version__
from mdeas.arguments import parse, print_facts, require
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
from mdeas.commands_pair import check
from mdeas.errors import EXIT_BUG, EXIT_OK, MdeasError, MemoryLimitError

Device = Literal["auto", "cpu", "cuda"]
Split = Literal["train", "validation", "test"]
Pair = Literal["auto", "strict", "off"]


def train(
    recipe: str,
    *,
    data: list[str] | None = None,
    out: str | None = None,
    plot_schedule: str | None = None,
    find_lr: str | None = None,
    overrides: list[str] = [],  # noqa: B006
    device: Device = "auto",
    force: bool = False,
) -> None:
    """Train a network; resumes when OUT holds an unfinished run.

    recipe: YAML file, or the name of a recipe in the package
    data: folders of data sets
    out: folder of the run
    plot_schedule: PNG; draw the learning rate over the steps instead of training
    find_lr: PNG; draw the loss while the learning rate grows, and suggest one, instead of training
    overrides: a field of the recipe, as FIELD=VALUE; may be repeated; `--a.b x` is the same as `--set a.b=x`
    device: auto takes CUDA when there is one
    force: replace a plot that is there
    """
    from mdeas.train.config import load_recipe
    from mdeas.train.run import open_data
    from mdeas.train.run import train as run

    loaded, given = load_recipe(recipe, overrides), data or []
    if plot_schedule:
        from mdeas.train.plot import draw_schedule

        facts = draw_schedule(loaded, open_data(given)[0], Path(plot_schedule), force=force)
    elif find_lr:
        from mdeas.train.find_lr import find_lr as range_test

        require("train", data=data)
        facts = range_test(loaded, open_data(given)[0], Path(find_lr), device=device, force=force)
    else:
        require("train", data=data, out=out)
        facts = run(loaded, given, str(out), device=device)
    print_facts(facts)


def evaluate(
    model: str,
    *,
    data: str,
    out: str,
    split: Split = "test",
    limit: PositiveInt | None = None,
    force: bool = False,
) -> None:
    """Measure a model and the baselines on a data set.

    model: ONNX file, run folder, name of a baseline, or "default"
    data: folder of a data set
    out: folder for the tables, the rows, the sheets of worst cases and the robustness card
    split: part of the data set
    limit: only the first so many samples
    force: replace results that are there
    """
    from mdeas.evaluate import evaluate as measure
    from mdeas.report import markdown

    print(markdown(measure(model, Path(data), Path(out), split=split, limit=limit, force=force)))


def compare(
    runs: list[str],
    *,
    data: str,
    out: str,
    split: Split = "test",
    limit: PositiveInt | None = None,
    size: PositiveInt | None = None,
    threads: PositiveInt | None = None,
    force: bool = False,
) -> None:
    """Put networks side by side: one table, a figure and pictures, with the baselines in the first rows.

    runs: run folders, .safetensors files, ONNX files, "default", or recipes, which are trained first
    data: folder of the data set to measure on, and to train recipes on
    out: folder for the results, runs, models and evaluations; what is done there is kept
    split: part of the data set to measure on
    limit: only the first so many samples
    size: long side in pixels at which all networks work; each has its own without it
    threads: CPU threads of ONNX Runtime; all cores without it
    force: replace a comparison that is there
    """
    from mdeas.compare.compare import compare as run

    print(run(runs, data, out, split=split, limit=limit, size=size, threads=threads, force=force))


def export(run: str, *, out: str, size: PositiveInt | None = None, force: bool = False) -> None:
    """Write a trained network as one ONNX file and compare it with torch.

    run: folder of a run, or one of its .safetensors files
    out: ONNX file
    size: long side in pixels that the model is to work at
    force: replace a file that is there
    """
    from mdeas.export import export as write_onnx

    record = write_onnx(Path(run), Path(out), size=size, force=force)
    print_facts({"model": out, "bytes": record["bytes"], "sha256": record["sha256"]})


def predict(
    images: list[str],
    *,
    background: str,
    out: str,
    model: str | None = None,
    device: Device = "auto",
    threads: PositiveInt | None = None,
    pair: Pair = "auto",
    force: bool = False,
) -> None:
    """Write mask, depth, cut-out and a panel for photos of one view.

    images: photos with something in them, or folders of such photos
    background: photo of the same view with nothing in it
    out: folder for the results
    model: ONNX file; the default is in the package
    device: auto takes CUDA when there is one
    threads: CPU threads
    pair: where the photos do not fit: auto mends the background, strict refuses, off takes them as they are
    force: replace results that are there
    """
    from mdeas.predict import predict_files

    options: dict[str, Any] = {"model": model, "device": device, "threads": threads, "pair": pair}
    predict_files(images, background, Path(out), force=force, tell=print, **options)


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
    "grid": grid,
    "predict": predict,
    "check": check,
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
    return "E-BUG", f"{type(error).__name__}: {error}. {hint}", EXIT_BUG
