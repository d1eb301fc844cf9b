"""The learning-rate range test (Smith, arXiv 1506.01186): losses while the rate grows at every step."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure

from mdeas.batches.augment import augment, generator
from mdeas.batches.batch import Batch
from mdeas.batches.loader import SampleSource, batch_indices, load, steps_per_epoch
from mdeas.errors import NonFiniteError
from mdeas.images.codec import write_png
from mdeas.images.plots import drawn
from mdeas.system.files import csv_bytes, refuse_existing, write_bytes
from mdeas.train.first_weights import require_samples, training_samples
from mdeas.train.guards import make_fabric, memory_named
from mdeas.train.learner import Learner
from mdeas.train.recipe.curriculum import expand
from mdeas.train.recipe.recipe import Recipe
from mdeas.train.reports.lr_plot import checked
from mdeas.train.threads import choose_threads

LOWEST, HIGHEST, STEPS = 1e-7, 1.0, 100
_SMOOTHING = 3.0  # steps; standard deviation of the Gaussian that smooths the losses
_DIVERGED = 4.0  # the test ends at so many times the best smoothed loss


@dataclass
class Sweep:
    """Rates and losses of a range test."""

    rates: list[float] = field(default_factory=list)
    """Learning rate of each step."""
    losses: list[float] = field(default_factory=list)
    """Total loss of each step, before the weights are updated at that rate."""

    @property
    def smoothed(self) -> np.ndarray:
        """float64 (N,): losses smoothed by a centred Gaussian; a running mean would lag behind."""
        steps = np.arange(len(self.losses))
        weights = np.exp(-(((steps[:, None] - steps) / _SMOOTHING) ** 2) / 2)
        return weights @ np.array(self.losses) / weights.sum(1)

    @property
    def diverged(self) -> bool:
        """Whether the smoothed loss has risen above four times its best."""
        return bool(self.smoothed[-1] > _DIVERGED * self.smoothed.min())

    @property
    def steepest(self) -> float | None:
        """The rate at which the smoothed loss falls fastest (over log rate); None if it never falls."""
        if len(self.losses) < 2:
            return None
        slopes = np.gradient(self.smoothed)
        return self.rates[int(slopes.argmin())] if slopes.min() < 0 else None


def find_lr(
    recipe: Recipe, training: Sequence[SampleSource], file: Path, *, device: str = "auto", force: bool = False
) -> dict[str, Any]:
    """Train `STEPS` steps with rates from `LOWEST` to `HIGHEST` and draw the losses; no weights are kept.

    The recipe's schedule is ignored. Of a recipe with stages, the first stage is tested.
    Input: training: as in loop.fit. file: PNG; the numbers are written beside it as CSV.
    Output: the files, "suggested lr" (the steepest fall), and the last rate tried.
    Errors: as loop.fit; StorageError E-EXISTS before the test.
    """
    table = checked(file).with_suffix(".csv")
    for path in (file, table):
        refuse_existing(path, force)
    if recipe.stages:
        recipe = expand(recipe)[0].recipe
    with memory_named(recipe.data.batch_size):
        learner = Learner(recipe, make_fabric(recipe, device))
        seen = sweep(learner, _batches(learner, training))
    write_png(file, drawn(_figure(seen)), force=force)
    write_bytes(table, _csv(seen), force=force)
    suggested = "none: the loss never falls" if seen.steepest is None else f"{seen.steepest:.2g}"
    return {"plot": file, "table": table, "suggested lr": suggested, "last lr tried": f"{seen.rates[-1]:.2g}"}


def sweep(learner: Learner, batches: Iterable[Batch]) -> Sweep:
    """One step for each batch at growing rates, until the loss diverges or is not finite."""
    seen = Sweep()
    for step, (rate, batch) in enumerate(zip(np.geomspace(LOWEST, HIGHEST, STEPS), batches, strict=True), 1):
        try:
            loss = learner.step(batch, float(rate), step)["total"]
        except NonFiniteError:
            if not seen.losses:
                raise
            break
        seen.rates.append(float(rate))
        seen.losses.append(loss)
        if seen.diverged:
            break
    return seen


def _batches(learner: Learner, training: Sequence[SampleSource]) -> Iterator[Batch]:
    """The batches that the first `STEPS` steps of the learner's recipe would train on."""
    recipe, device = learner.recipe, learner.fabric.device
    torch.set_num_threads(choose_threads(recipe.threads, 1))
    data = recipe.data
    samples = training_samples(recipe, training)
    require_samples(samples)
    order = batch_indices(samples.epoch_rows, data.batch_size, recipe.seed, 0, STEPS)
    for step, raw in enumerate(load(samples, order, data.workers)):
        epoch = step // steps_per_epoch(len(samples.epoch_rows), data.batch_size)
        rng = generator(recipe.seed, epoch, step, device)
        yield learner.with_teacher(augment(raw.to_batch(device), data.augment, rng))


def _csv(seen: Sweep) -> bytes:
    columns = ("lr", "loss", "smoothed")
    rows = zip(seen.rates, seen.losses, seen.smoothed.tolist(), strict=True)
    return csv_bytes(columns, (dict(zip(columns, row, strict=True)) for row in rows))


def _figure(seen: Sweep) -> Figure:
    figure = Figure(figsize=(8, 5), layout="constrained")
    axis = figure.subplots()
    smoothed = seen.smoothed
    axis.plot(seen.rates, seen.losses, color="0.75", linewidth=1, label="loss")
    axis.plot(seen.rates, smoothed, color="C0", linewidth=2, label="smoothed")
    if seen.steepest is not None:
        axis.axvline(seen.steepest, color="C1", linestyle="--", label=f"steepest fall: {seen.steepest:.2g}")
    axis.set_ylim(min(0.0, *seen.losses), 2 * smoothed[0])  # a diverged loss would flatten the rest
    axis.set_xscale("log")
    axis.set_xlabel("learning rate")
    axis.set_ylabel("loss")
    axis.grid(alpha=0.3)
    axis.legend()
    return figure
