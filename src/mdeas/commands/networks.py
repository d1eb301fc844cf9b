"""The commands that train networks, measure them and write them as files; see cli.py."""

from pathlib import Path
from typing import Literal

from jsonargparse.typing import PositiveInt

from mdeas.commands.parser import print_facts, require

Device = Literal["auto", "cpu", "cuda"]
Split = Literal["train", "validation", "test"]


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
    from mdeas.train.recipe.load import load_recipe
    from mdeas.train.train import open_data
    from mdeas.train.train import train as run

    loaded, given = load_recipe(recipe, overrides), data or []
    if plot_schedule:
        from mdeas.train.reports.lr_plot import draw_schedule

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
    from mdeas.evaluate.evaluate import evaluate as measure
    from mdeas.evaluate.report import markdown

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

    runs: run folders, .safetensors files, ONNX files, "default", "default-int8", or recipes, trained first
    data: folder of the data set to measure on, and to train recipes on
    out: folder for the results, runs, models and evaluations; what is done there is kept
    split: part of the data set to measure on
    limit: only the first so many samples
    size: long side in pixels at which all networks work; each has its own without it
    threads: CPU threads of ONNX Runtime; all cores without it
    force: replace a comparison that is there
    """
    from mdeas.evaluate.compare.compare import compare as run

    print(run(runs, data, out, split=split, limit=limit, size=size, threads=threads, force=force))


def export(
    run: str,
    *,
    out: str,
    size: PositiveInt | None = None,
    looks: Literal[1, 2] = 1,
    force: bool = False,
) -> None:
    """Write a trained network as one ONNX file and compare it with torch.

    run: folder of a run, or one of its .safetensors files
    out: ONNX file
    size: long side in pixels that the model is to work at
    looks: 2 = what was found is looked at once more, closer: better masks, twice the network's time
    force: replace a file that is there
    """
    from mdeas.export.export import export as write_onnx

    record = write_onnx(Path(run), Path(out), size=size, looks=looks, force=force)
    print_facts({"model": out, "bytes": record["bytes"], "sha256": record["sha256"]})


def quantize(
    model: str,
    *,
    data: str,
    out: str,
    split: Split = "validation",
    limit: PositiveInt = 100,
    force: bool = False,
) -> None:
    """Write the 8-bit sibling of a model: well under half of the bytes.

    model: ONNX file, or "default"
    data: folder of a data set whose pairs show the ranges of the features; evaluate on another
    out: ONNX file
    split: part of the data set
    limit: so many of its samples at most
    force: replace a file that is there
    """
    from mdeas.export.quantize import quantize as write_int8

    record = write_int8(model, data, Path(out), split=split, limit=limit, force=force)
    print_facts({"model": out, "bytes": record["bytes"], "sha256": record["sha256"]})


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
    from mdeas.evaluate.grid import write_grid

    write_grid(runs, data, out, task=task, split=split, count=count, force=force)
    print(out)


def models(name: str | None = None, *, size: PositiveInt = 224) -> None:
    """List the networks that can be trained, or the layers of one.

    name: network whose layers to list
    size: height and width in pixels of the photos that the layers are listed for
    """
    from mdeas.models.summary import layer_table, model_table

    print(layer_table(name, size) if name else model_table())
