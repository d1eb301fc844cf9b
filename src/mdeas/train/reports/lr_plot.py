"""Draw the learning rate of a recipe over its steps."""

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
    """The stage's folder, such as "02-actual", or the name of the schedule."""
    rates: np.ndarray
    """float64 (steps,)."""


def draw_schedule(
    recipe: Recipe, training: Sequence[SampleSource], file: Path, *, force: bool = False
) -> dict[str, Any]:
    """Draw the learning rate over the steps of a recipe and all its stages, without training.

    Drops of schedule plateau depend on the training and are not drawn.
    Input: training: as in loop.fit; may be empty for a recipe without epochs. file: PNG.
    Output: the file, the number of steps, and the largest, smallest and last rate.
    Errors: UsageError E-USAGE when the length of an epoch is needed but unknown; StorageError E-EXISTS.
    """
    refuse_existing(checked(file), force)
    shown = curves(recipe, training)
    write_png(file, drawn(_schedule_figure(shown)), force=force)
    rates = np.concatenate([curve.rates for curve in shown])
    ends = {"largest": rates.max(), "smallest": rates.min(), "last": rates[-1]}
    return {"plot": str(file), "steps": len(rates)} | {name: f"{rate:.3g}" for name, rate in ends.items()}


def curves(recipe: Recipe, training: Sequence[SampleSource]) -> list[Curve]:
    """The curve of a recipe, or of each of its stages; errors as in `draw_schedule`."""
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
            "E-USAGE",
            "--plot-schedule: this recipe counts epochs, whose length depends on the data. Give --data.",
        )
    return 1


def checked(file: Path) -> Path:
    """`file`; UsageError E-USAGE unless its name ends in .png."""
    if file.suffix.lower() != ".png":
        raise UsageError("E-USAGE", f"'{file}': a plot is a PNG. Give a name that ends in .png.")
    return file


def _schedule_figure(shown: Sequence[Curve]) -> Figure:
    """The curves one after the other, on a linear scale (top) and a logarithmic scale (bottom)."""
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
