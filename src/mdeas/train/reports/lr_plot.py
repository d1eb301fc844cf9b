"""Learning rates as pictures: of a recipe over its steps, and of a range test."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from mdeas.batches.loader import SampleSource, steps_per_epoch
from mdeas.errors import UsageError
from mdeas.images.codec import write_png
from mdeas.images.plots import drawn
from mdeas.system.files import refuse_existing
from mdeas.train.first_weights import training_samples
from mdeas.train.recipe.curriculum import expand
from mdeas.train.recipe.recipe import Recipe
from mdeas.train.schedule import lr_factor


@dataclass(frozen=True, kw_only=True)
class Curve:
    """The learning rate of one run."""

    name: str
    """"02-actual" for a stage, else the schedule's."""
    rates: np.ndarray
    """float64 (steps,)."""


def draw_schedule(
    recipe: Recipe, training: Sequence[SampleSource], file: Path, *, force: bool = False
) -> dict[str, Any]:
    """Draw the learning rate over the steps of a recipe, of all its stages, without training.

    Input: training: as in loop.fit; may be empty for a recipe that counts no epochs. file: PNG.
    Output: the file, the steps, and the largest, smallest and last rate. Drops of schedule plateau depend on
        the training and are not drawn.
    Errors: UsageError E-USAGE when the length of an epoch is needed and not known; StorageError E-EXISTS.
    """
    refuse_existing(checked(file), force)
    shown = curves(recipe, training)
    write_png(file, drawn(_schedule_figure(shown)), force=force)
    rates = np.concatenate([curve.rates for curve in shown])
    ends = {"largest": rates.max(), "smallest": rates.min(), "last": rates[-1]}
    return {"plot": str(file), "steps": len(rates)} | {name: f"{rate:.3g}" for name, rate in ends.items()}


def curves(recipe: Recipe, training: Sequence[SampleSource]) -> list[Curve]:
    """The curve of a recipe, or one of each of its stages; errors as in `draw_schedule`."""
    if not recipe.stages:
        return [Curve(name=recipe.schedule.name, rates=_rates(recipe, training, recipe.optimizer.lr))]
    made: list[Curve] = []
    for stage in expand(recipe):
        lr = made[-1].rates[-1] if stage.continue_lr else stage.recipe.optimizer.lr
        made.append(Curve(name=stage.folder, rates=_rates(stage.recipe, training, lr)))
    return made


def _rates(recipe: Recipe, training: Sequence[SampleSource], lr: float) -> np.ndarray:
    each = _steps_per_epoch(recipe, training)
    total = recipe.steps or (recipe.epochs or 0) * each
    return np.array([lr * lr_factor(recipe.schedule, step, total, each=each) for step in range(total)])


def _steps_per_epoch(recipe: Recipe, training: Sequence[SampleSource]) -> int:
    if training:
        samples = training_samples(recipe, training)
        return steps_per_epoch(len(samples.epoch_rows), recipe.data.batch_size)
    schedule = recipe.schedule
    if recipe.epochs or schedule.name == "cyclic" or schedule.warmup_epochs:
        raise UsageError(
            "E-USAGE", "--plot-schedule: this recipe counts epochs, whose length --data tells. Give --data."
        )
    return 1


def checked(file: Path) -> Path:
    """`file`, whose name ends in .png; UsageError E-USAGE when it does not."""
    if file.suffix.lower() != ".png":
        raise UsageError("E-USAGE", f"'{file}': a plot is a PNG. Give a name that ends in .png.")
    return file


def _schedule_figure(shown: Sequence[Curve]) -> Figure:
    """The curves one after the other, above on a linear and below on a logarithmic scale."""
    figure = Figure(figsize=(9, 6), dpi=100, layout="constrained")
    axes = figure.subplots(2, 1, sharex=True)
    start = 0
    for number, curve in enumerate(shown):
        steps = np.arange(start, start + len(curve.rates))
        for axis in axes:
            axis.plot(steps, curve.rates, color=f"C{number}", label=curve.name)
            axis.axvline(start, color="0.85", linewidth=0.8)
        start += len(curve.rates)
    axes[1].set_yscale("log")
    axes[1].set_xlabel("step")
    for axis in axes:
        axis.set_ylabel("learning rate")
        axis.grid(alpha=0.3)
    axes[0].legend()
    return figure
