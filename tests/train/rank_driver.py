"""What each rank of test_ranks.py runs, under torchrun: several runs in one go, as starting takes longest.

FOLDER/recipe.yaml is trained into FOLDER/equal, in stages into FOLDER/staged, and into others with an
accident on the second rank. How a run ended is written to FOLDER/NAME-RANK.txt.
"""

import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from accidents import signal_at
from synthetic import Squares
from tiny_network import Tiny
from torch import nn

from mdeas.errors import MdeasError, WorkerError
from mdeas.models.base import PairNetwork
from mdeas.models.registry import register
from mdeas.train.loop import fit
from mdeas.train.ranks import ALONE, connected
from mdeas.train.recipe.load import load_recipe
from mdeas.train.stages import fit_stages

COUNT = 12
STAGES: list[dict[str, Any]] = [
    {"name": "small", "steps": 3, "data": {"size": 16}},
    {"name": "large", "steps": 2, "continue_lr": True},
]


def dry() -> PairNetwork:
    """The tiny network without batch norm and dropout, which depend on how a batch is sliced."""
    network = PairNetwork(Tiny(), multiple=2)
    network.core.layers[1] = nn.GroupNorm(2, 8)
    network.core.layers[3].p = 0.0
    return network


register("dry-for-tests", reference="tests", parameters=474)(dry)


def infinite(index, sample):
    if index != 3:
        return sample
    depth = np.full_like(sample.depth, np.inf)
    return replace(sample, depth=depth, depth_kind="relative")


def train(name, folder, ranks=ALONE, change=None):
    """Into FOLDER/NAME, in stages when that is its name."""
    recipe, method = load_recipe(folder / "recipe.yaml"), fit
    if name.startswith("staged"):
        recipe, method = replace(recipe, stages=STAGES), fit_stages
    if name == "shared-norm":
        recipe = replace(recipe, sync_batch_norm=True)
    sources = [Squares(COUNT, change=change)], [Squares(5, seed=1)]
    method(recipe, *sources, folder / name, device="cpu", ranks=ranks)


def attempt(name, folder, ranks, change=None):
    """Train, and write down how it ended: "exit code, message"."""
    try:
        train(name, folder, ranks, change)
        text = "0"
    except SystemExit as error:
        text = str(error.code)
    except MdeasError as error:
        text = f"{error.exit_code}, {error}"
    write(folder, name, ranks.rank, text)


def write(folder, name, rank, text):
    (folder / f"{name}-{rank}.txt").write_text(text)


if __name__ == "__main__":
    place = Path(sys.argv[1])
    # When one rank is gone torchrun sends SIGTERM to the other, which is to tell first what it has seen.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with connected("cpu") as these:
            second = these.rank == 1
            attempt("equal", place, these)
            attempt("staged", place, these)
            attempt("shared-norm", place, these)
            attempt("not-finite", place, these, infinite)
            attempt("stopped", place, these, signal_at(2 * 6 + 1, signal.SIGTERM) if second else None)
            attempt("killed", place, these, signal_at(2 * 6 + 1, signal.SIGKILL) if second else None)
    except WorkerError as error:
        write(place, "killed", these.rank, f"{error.exit_code}, {error}")
