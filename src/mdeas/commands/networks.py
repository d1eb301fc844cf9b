"""The commands that train networks, measure them and export them."""

from pathlib import Path
from typing import Literal

from mdeas.commands.choices import File, Folder, Overrides, Pixels, PositiveInt, Split, TrainingDevice
from mdeas.commands.parser import print_facts, require_options


def train(
    recipe: str | None = None,
    *,
    data: list[Folder] | None = None,
    out: Folder | None = None,
    list_recipes: bool = False,
    plot_schedule: File | None = None,
    find_lr: File | None = None,
    overrides: Overrides = [],  # noqa: B006 (never changed; the parser reads it)
    device: TrainingDevice = "auto",
    force: bool = False,
) -> None:
    """Train a network, or resume the unfinished run in the --out folder.

    recipe: YAML file, or the name of a recipe in the package, see --list
    data: folders of data sets
    out: folder of the run
    list_recipes: list the recipes in the package instead of training
    plot_schedule: write a PNG of the learning rate over the steps instead of training
    find_lr: write a PNG of the loss over a growing learning rate and suggest a rate, instead of training
    overrides: set a field of the recipe, such as optimizer.lr=1e-3; may be repeated
    device: where the network is trained; auto uses CUDA if there is a GPU
    force: replace an existing plot
    """
    if list_recipes:
        from mdeas.train.recipe.catalogue import recipe_titles

        print_facts(recipe_titles())
        return
    require_options("train", {"RECIPE": recipe})
    from mdeas.train.threads import sleep_while_waiting

    sleep_while_waiting()  # before anything here imports torch
    from mdeas.train.recipe.load import load_recipe
    from mdeas.train.train import open_data
    from mdeas.train.train import train as run

    loaded, given = load_recipe(str(recipe), overrides), data or []
    if plot_schedule:
        from mdeas.train.reports.lr_plot import draw_schedule

        facts = draw_schedule(loaded, open_data(given)[0], Path(plot_schedule), force=force)
    elif find_lr:
        from mdeas.train.find_lr import find_lr as range_test

        require_options("train", {"--data": data})
        facts = range_test(loaded, open_data(given)[0], Path(find_lr), device=device, force=force)
    else:
        require_options("train", {"--data": data, "--out": out})
        facts = run(loaded, given, str(out), device=device)
    print_facts(facts)


def evaluate(
    model: str,
    *,
    data: Folder,
    out: Folder,
    split: Split = "test",
    limit: PositiveInt | None = None,
    force: bool = False,
) -> None:
    """Measure a model and the baselines on a data set.

    model: ONNX file, folder of a run, default, zero, difference, mog2, gradient or gradient+mask
    data: folder of a data set
    out: folder for the tables, the numbers of every sample, the worst cases and the robustness card
    split: part of the data set
    limit: measure only this many samples, the first ones
    force: replace existing results
    """
    from mdeas.evaluate.evaluate import evaluate as measure
    from mdeas.evaluate.report import markdown
    from mdeas.runtime.choice import ModelChoice

    summary = measure(ModelChoice(model=model), data, out, split=split, limit=limit, force=force)
    print(markdown(summary))


def compare(
    runs: list[str],
    *,
    data: Folder,
    out: Folder,
    split: Split = "test",
    limit: PositiveInt | None = None,
    size: Pixels | None = None,
    threads: PositiveInt | None = None,
    force: bool = False,
) -> None:
    """Compare networks and the baselines: one table, a figure and pictures.

    runs: folders of runs, .safetensors or ONNX files, default, default-int8, or recipes to train first
    data: folder of the data set to measure on, and to train recipes on
    out: folder for the results, runs, models and evaluations; finished ones in it are used again
    split: part of the data set to measure on
    limit: measure only this many samples, the first ones
    size: long side in pixels at which all networks work; without it each works at its own size
    threads: CPU threads of ONNX Runtime; without it all cores
    force: replace an existing comparison
    """
    from mdeas.evaluate.compare.compare import compare as run

    print(run(runs, data, out, split=split, limit=limit, size=size, threads=threads, force=force))


def export(
    run: str,
    *,
    out: File,
    size: Pixels | None = None,
    looks: Literal[1, 2] = 1,
    force: bool = False,
) -> None:
    """Write a trained network as one ONNX file and compare its output with torch.

    run: folder of a run, or one of its .safetensors files
    out: ONNX file
    size: long side in pixels at which the model works; without it as trained
    looks: passes of the network; 2 adds a pass over a crop around the subject: better masks, twice the time
    force: replace an existing file
    """
    from mdeas.export.export import export as write_onnx

    record = write_onnx(Path(run), Path(out), size=size, looks=looks, force=force)
    print_facts({"model": out, "bytes": record["bytes"], "sha256": record["sha256"]})


def quantize(
    model: str,
    *,
    data: Folder,
    out: File,
    split: Split = "validation",
    limit: PositiveInt = 100,
    force: bool = False,
) -> None:
    """Write a copy of a model with 8-bit weights: less than half the size.

    model: ONNX file, or default
    data: folder of a data set whose pairs set the 8-bit ranges; evaluate on another one
    out: ONNX file
    split: part of the data set
    limit: use at most this many samples
    force: replace an existing file
    """
    from mdeas.export.quantize import quantize as write_int8

    record = write_int8(model, data, Path(out), split=split, limit=limit, force=force)
    print_facts({"model": out, "bytes": record["bytes"], "sha256": record["sha256"]})


def grid(
    runs: list[str],
    *,
    data: Folder,
    out: File,
    task: Literal["mask", "depth"] = "mask",
    split: Split = "test",
    count: PositiveInt = 6,
    force: bool = False,
) -> None:
    """Draw the predictions of several runs side by side: one column per run, ground truth above prediction.

    runs: folders of runs, .safetensors or ONNX files, or default
    data: folder of a data set
    out: PNG of the grid
    task: the output to draw
    split: part of the data set
    count: number of samples, evenly spread
    force: replace an existing grid
    """
    from mdeas.evaluate.grid import write_grid

    write_grid(runs, data, out, task=task, split=split, count=count, force=force)
    print(out)


def models(name: str | None = None, *, size: Pixels = 224) -> None:
    """List the networks that can be trained, or the layers of one.

    name: network, or recipe of the network, whose layers to list
    size: input height and width in pixels for which the layers' sizes are listed
    """
    from mdeas.models import model_names
    from mdeas.models.summary import layer_table, model_table
    from mdeas.train.recipe.catalogue import recipe_names
    from mdeas.train.recipe.load import load_recipe

    if name is None:
        print(model_table())
        return
    network = name
    if name in recipe_names() and name not in model_names():
        network = load_recipe(name).model.name
        print(f"The recipe {name} trains the network {network}:")
    print(layer_table(network, size))
