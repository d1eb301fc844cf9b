"""The command line: one typed function per command, heavy imports inside it.

A function's signature is its parser: positional parameters are arguments, keyword-only ones are options, the
docstring is the help. To add a command, write the function and give it a row in COMMANDS.
"""

import sys
import traceback
from pathlib import Path
from typing import Any, Literal

from jsonargparse.typing import NonNegativeInt, PositiveInt

from mdeas import __version__
from mdeas.arguments import configured, parse
from mdeas.errors import EXIT_BUG, EXIT_OK, MdeasError, MemoryLimitError

Device = Literal["auto", "cpu", "cuda"]
Split = Literal["train", "validation", "test"]


def create_scenes(
    *,
    out: str,
    count: PositiveInt,
    size: PositiveInt = 224,
    seed: NonNegativeInt = 0,
    workers: PositiveInt = 1,
    cutouts: str | None = None,
    textures: str | None = None,
    overrides: list[str] = [],  # noqa: B006 (never changed; the parser shows it)
    force: bool = False,
) -> None:
    """Render scenes with exact mask and metric depth.

    out: folder of the new data set
    count: number of samples
    size: height and width in pixels
    seed: sample i depends on the recipe, the seed and i alone
    workers: processes; the bytes are the same for any number
    cutouts: folder of RGBA cut-outs that stand in some scenes as billboards
    textures: folder of photos that cover some surfaces
    overrides: another field of the recipe, as FIELD=VALUE; may be repeated
    force: replace a data set that is there
    """
    from mdeas.create.scenes import ScenesMaker, ScenesRecipe

    fields = {"count": count, "size": size, "cutouts": cutouts, "textures": textures}
    _build(ScenesMaker(configured(ScenesRecipe, fields, overrides), seed), out, workers, force)


def create_photos(
    *,
    out: str,
    backgrounds: str,
    foregrounds: str,
    count: PositiveInt,
    size: PositiveInt = 224,
    seed: NonNegativeInt = 0,
    workers: PositiveInt = 1,
    overrides: list[str] = [],  # noqa: B006
    force: bool = False,
) -> None:
    """Compose RGBA cut-outs on photographs.

    out: folder of the new data set
    backgrounds: folder of photographs
    foregrounds: folder of RGBA cut-outs
    count: number of samples
    size: height and width in pixels
    seed: sample i depends on the recipe, the seed and i alone
    workers: processes; the bytes are the same for any number
    overrides: another field of the recipe, as FIELD=VALUE; may be repeated
    force: replace a data set that is there
    """
    from mdeas.create.composite import PhotosMaker, PhotosRecipe

    fields = {"backgrounds": backgrounds, "foregrounds": foregrounds, "count": count, "size": size}
    _build(PhotosMaker(configured(PhotosRecipe, fields, overrides), seed), out, workers, force)


def create_pairs(*, out: str, folder: str, force: bool = False) -> None:
    """Make a test set of pairs that were photographed.

    out: folder of the new data set
    folder: one folder per pair: background.*, image.*, and mask.png and depth.png (millimetres) if known
    force: replace a data set that is there
    """
    from mdeas.create.pairs import PairsMaker

    # Photographs are measured, not trained on: kept without loss.
    _build(PairsMaker(folder), out, 1, force, photo_format="png")


def verify(dataset: str) -> None:
    """Check every shard and every sample of a data set.

    dataset: folder of a data set
    """
    from mdeas.dataset import verify as verify_dataset

    _print_facts(verify_dataset(dataset))


def show(dataset: str, *, out: str | None = None, force: bool = False) -> None:
    """Print counts, means and deviations of a data set; write a contact sheet.

    dataset: folder of a data set
    out: PNG of the contact sheet
    force: replace a sheet that is there
    """
    from mdeas.dataset import Dataset, statistics
    from mdeas.images import write_png
    from mdeas.show import sheet, table

    print(table(statistics(dataset)))
    if out:
        write_png(out, sheet(Dataset(dataset)), force=force)
        print(out)


def train(
    recipe: str,
    *,
    data: list[str],
    out: str,
    overrides: list[str] = [],  # noqa: B006
    device: Device = "auto",
) -> None:
    """Train a network; resumes when OUT holds an unfinished run.

    recipe: YAML file, or the name of a recipe in the package
    data: folders of data sets
    out: folder of the run
    overrides: a field of the recipe, as FIELD=VALUE; may be repeated; `--a.b x` is the same as `--set a.b=x`
    device: auto takes CUDA when there is one
    """
    from mdeas.train.config import load_recipe
    from mdeas.train.run import train as run

    _print_facts(run(load_recipe(recipe, overrides), data, out, device=device))


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
    out: folder for the table, the rows and the sheet of worst cases
    split: part of the data set
    limit: only the first so many samples
    force: replace results that are there
    """
    from mdeas.evaluate import evaluate as measure
    from mdeas.report import markdown

    print(markdown(measure(model, Path(data), Path(out), split=split, limit=limit, force=force)))


def export(run: str, *, out: str, size: PositiveInt | None = None, force: bool = False) -> None:
    """Write a trained network as one ONNX file and compare it with torch.

    run: folder of a run, or one of its .safetensors files
    out: ONNX file
    size: long side in pixels that the model is to work at
    force: replace a file that is there
    """
    from mdeas.export import export as write_onnx

    record = write_onnx(Path(run), Path(out), size=size, force=force)
    _print_facts({"model": out, "bytes": record["bytes"], "sha256": record["sha256"]})


def predict(
    images: list[str],
    *,
    background: str,
    out: str,
    model: str | None = None,
    device: Device = "auto",
    threads: PositiveInt | None = None,
    force: bool = False,
) -> None:
    """Write mask, depth, cut-out and a panel for photos of one view.

    images: photos with something in them, or folders of such photos
    background: photo of the same view with nothing in it
    out: folder for the results
    model: ONNX file; the default is in the package
    device: auto takes CUDA when there is one
    threads: CPU threads
    force: replace results that are there
    """
    from mdeas.predict import predict_files

    predict_files(
        images, background, Path(out), model=model, device=device, threads=threads, force=force, tell=print
    )


def models(name: str | None = None, *, size: PositiveInt = 224) -> None:
    """List the networks that can be trained, or the layers of one.

    name: network whose layers to list
    size: height and width in pixels of the photos that the layers are listed for
    """
    from mdeas.models.summary import layer_table, model_table

    print(layer_table(name, size) if name else model_table())


COMMANDS: dict[str, Any] = {
    "create": {"scenes": create_scenes, "photos": create_photos, "pairs": create_pairs},
    "verify": verify,
    "show": show,
    "train": train,
    "evaluate": evaluate,
    "export": export,
    "predict": predict,
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


def _build(maker: Any, out: str, workers: int, force: bool, photo_format: str = "jpeg") -> None:
    from mdeas.create.build import build

    _print_facts(build(maker, Path(out), workers=workers, force=force, photo_format=photo_format))


def _print_facts(facts: dict[str, Any]) -> None:
    width = max(map(len, facts))
    for name, value in facts.items():
        print(f"{name:<{width}}  {value}")
