"""`mdeas train`: open the data sets and train one run, or the stages of a curriculum."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mdeas.dataset.dataset import Dataset, read_index
from mdeas.train.loop import fit
from mdeas.train.ranks import connected
from mdeas.train.recipe.recipe import Recipe
from mdeas.train.stages import fit_stages


def train(
    recipe: Recipe, data: Sequence[str | Path], out: str | Path, *, device: str = "auto"
) -> dict[str, Any]:
    """Train on the train splits of the data sets `data` and validate on their validation splits.

    If `out` holds an unfinished run of the same recipe and data, it is resumed.
    Input: device: auto | cpu | cuda.
    Output: the figures of the last validation, "step", and "lr", the last learning rate; empty on ranks
        other than the first.
    Errors: UsageError, InputError, ModelError (damaged states), NonFiniteError, MemoryLimitError,
        WorkerError, Stopped (state saved).
    """
    training, validation = open_data(data)
    method = fit_stages if recipe.stages else fit
    with connected(device) as ranks:
        facts = method(recipe, training, validation, Path(out), device=device, ranks=ranks)
    return facts if ranks.first else {}


def open_data(data: Sequence[str | Path]) -> tuple[list[Dataset], list[Dataset]]:
    """The train splits of all data sets, and the validation splits of those that have one."""
    validated = [path for path in data if "validation" in read_index(path)["splits"]]
    return [Dataset(path, "train") for path in data], [Dataset(path, "validation") for path in validated]
