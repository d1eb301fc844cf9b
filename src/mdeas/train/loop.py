"""One training run: steps, validations and checkpoints; it can stop and resume at any step.

Everything random is derived from (seed, epoch, step), so the resume state holds only weights, averages, the
optimizer's moments and how far the run has come.
"""

import contextlib
import math
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import torch
from lightning_fabric import Fabric

from mdeas.batches.augment import augment, generator
from mdeas.batches.loader import RawBatch, Samples, SampleSource, batch_indices, chunks, load, steps_per_epoch
from mdeas.errors import Stopped
from mdeas.system.signals import StopRequest, stop_requests
from mdeas.train.checkpoint import save_state, save_weights
from mdeas.train.cost import Cost
from mdeas.train.first_weights import require_samples, training_samples
from mdeas.train.folder import held, state_to_resume
from mdeas.train.guards import make_fabric, memory_named
from mdeas.train.learner import Learner
from mdeas.train.ranks import ALONE, Ranks
from mdeas.train.recipe.recipe import Recipe, to_dict
from mdeas.train.reports.log import Silent
from mdeas.train.reports.reports import Reports
from mdeas.train.schedule import Plateau, lr_factor
from mdeas.train.threads import choose_threads
from mdeas.train.validate import validate

_ACCURACY_EVERY = 10  # steps of an epoch; SSIM costs as much as a small network
_BEST = {"best-mask": "mask_iou", "best-depth": "depth_delta1"}  # checkpoint -> figure, larger = better

Item = TypeVar("Item")


@dataclass
class Progress:
    """How far a run has come; part of the resume state."""

    step: int = 0
    """Optimizer steps done."""
    validated: int = 0
    """Steps done at the last validation."""
    log_bytes: int = 0
    """Size of log.csv."""
    threads: int = 0
    """CPU threads of torch; the bits of a run depend on their number, so a resumed run uses it again."""


def fit(
    recipe: Recipe,
    training: Sequence[SampleSource],
    validation: Sequence[SampleSource],
    out: Path,
    *,
    device: str = "auto",
    ranks: Ranks = ALONE,
) -> dict[str, Any]:
    """Train one network to the end of its recipe, which has no stages; output and errors as `train.train`."""
    assert not recipe.stages
    samples = training_samples(recipe, training)
    with ranks.alike():
        fabric = make_fabric(recipe, device, ranks)
        require_samples(samples)
        ranks.require_equal_slices(min(recipe.data.batch_size, len(samples.epoch_rows)))
    with held(out, ranks), stop_requests() as stop, memory_named(recipe.data.batch_size):
        return Trainer(recipe, samples, Samples(validation, recipe.data.size), out, fabric, stop, ranks).run()


def fingerprint(training: Sequence[SampleSource], validation: Sequence[SampleSource]) -> str:
    """A text that changes when any data set or their order changes."""
    return "/".join("+".join(source.fingerprint for source in part) for part in (training, validation))


class Trainer:
    """One run in one process, from the state in `out` if there is one. Only the first rank writes files."""

    def __init__(
        self,
        recipe: Recipe,
        samples: Samples,
        validation: Samples,
        out: Path,
        fabric: Fabric,
        stop: StopRequest,
        ranks: Ranks,
    ):
        self.recipe, self.out, self.device = recipe, out, fabric.device
        self.stop, self.ranks = stop, ranks
        self.samples, self.validation = samples, validation
        self.fingerprint = fingerprint(samples.sources, validation.sources)
        self.each = steps_per_epoch(len(samples.epoch_rows), recipe.data.batch_size)
        self.total = recipe.steps or (recipe.epochs or 0) * self.each
        self.progress, self.plateau, self.cost = Progress(), Plateau(), Cost()
        self.figures: dict[str, float] = {}
        self.best: dict[str, float] = dict.fromkeys(_BEST, -math.inf)
        state = state_to_resume(out, to_dict(recipe), self.fingerprint, ranks)
        if state:
            self.progress, self.plateau = Progress(**state["progress"]), Plateau(**state["plateau"])
            self.figures, self.best, self.cost = state["figures"], state["best"], Cost(**state["cost"])
        self.progress.threads = self.progress.threads or ranks.first_does(
            lambda: choose_threads(recipe.threads, ranks.local_count)
        )
        torch.set_num_threads(self.progress.threads)
        self.learner = Learner(recipe, fabric, out.parent, ranks)
        if state:
            self.learner.restore(state)
            if ranks.first:
                print(f"mdeas: resuming '{out}' at step {self.progress.step}.", file=sys.stderr)

    def run(self) -> dict[str, Any]:
        """Train to the end and leave checkpoints; output and errors as `train.train`."""
        self.reports: Reports | Silent = Silent()
        if self.ranks.first:
            step, log_bytes = self.progress.step, self.progress.log_bytes
            figures = {"step": step, "log_bytes": log_bytes, "total": self.total, "each": self.each}
            self.reports = Reports(self.out, self.recipe, **figures)
            if step == 0:
                self.reports.graph(self.learner.plain, self.recipe.data.size)
        with contextlib.closing(self.reports):
            self._steps()
        self.ranks.meet()
        return self.figures | {"step": self.progress.step, "lr": self._lr(self.total - 1)}

    def _steps(self) -> None:
        data = self.recipe.data
        rows = batch_indices(
            self.samples.epoch_rows, data.batch_size, self.recipe.seed, self.progress.step, self.total
        )
        raw_batches = load(self.samples, map(self.ranks.slice, rows), data.workers)
        self.clock = time.perf_counter()
        for raw in raw_batches:
            self._between_steps()
            self._train_step(raw)
            self._stop_if_asked()
            if self.progress.step % self.recipe.save_every == 0:
                self._save()
                self.clock = time.perf_counter()
        self._validate()
        self.reports.epoch(self.progress.step)
        self.reports.curve()
        self._save_weights("last")
        self._save()

    def _between_steps(self) -> None:
        """Validate and report the epoch when they are due."""
        every = self.each if self.recipe.validate_every == "epoch" else self.recipe.validate_every
        if self.progress.step % every == 0:
            self._validate()
        if self.progress.step and self.progress.step % self.each == 0:
            self.reports.epoch(self.progress.step)
            self.clock = time.perf_counter()

    def _train_step(self, raw: RawBatch) -> None:
        """One optimizer step on `raw`; the progress counts it once the weights have moved."""
        recipe, step = self.recipe, self.progress.step
        epoch = step // self.each
        rank, ranks = self.ranks.rank, self.ranks.count
        torch.manual_seed(self.ranks.seed(recipe.seed, step))  # dropout
        rng = generator(recipe.seed, epoch, step, self.device, rank=rank, ranks=ranks)
        batch = self.learner.with_teacher(augment(raw.to_batch(self.device), recipe.data.augment, rng))
        lr = self._lr(step)
        accuracies = step % self.each % _ACCURACY_EVERY == 0
        terms = self.learner.step(batch, lr, step + 1, accuracies=accuracies)
        self.progress.step += 1
        self.reports.step(step + 1, lr, self._pace(len(batch.ids) * ranks), terms)

    def _lr(self, step: int) -> float:
        """Learning rate of a step, after the plateaus seen so far."""
        recipe, drops = self.recipe, self.plateau.drops
        return recipe.optimizer.lr * lr_factor(recipe.schedule, step, self.total, each=self.each, drops=drops)

    def _pace(self, num_images: int) -> float:
        """Images per second since the step before, waiting for data included; adds to the run's cost."""
        before, self.clock = self.clock, time.perf_counter()
        self.cost.step(num_images, self.clock - before, self.device)
        return num_images / (self.clock - before)

    def _validate(self) -> None:
        """Measure, draw and save checkpoints, once for each step at which it is called."""
        if self.progress.validated == self.progress.step or not len(self.validation):
            return
        figures = self.figures = self.ranks.from_first(self._measured())
        self.progress.validated = self.progress.step
        self.plateau.observe(figures["total"], self.recipe.schedule.patience)
        self._save_weights("last")
        for name, figure in _BEST.items():
            if figures[figure] > self.best[name]:
                self.best[name] = figures[figure]
                self._save_weights(name)
        self.clock = time.perf_counter()

    def _measured(self) -> dict[str, float]:
        """The figures of this step; ranks but the first only wait, batch by batch, and have none."""
        data = self.recipe.data
        parts = chunks(min(len(self.validation), data.validation_samples), data.batch_size)
        if not self.ranks.first:
            for _ in self._interruptible(parts):
                pass
            return {}
        raw_batches = self._interruptible(load(self.validation, parts))
        batches = (self.learner.with_teacher(raw.to_batch(self.device)) for raw in raw_batches)
        figures, output, batch = validate(self.learner.predict, batches, self.recipe.loss)
        self.reports.validation(self.progress.step, figures, output, batch)
        return figures

    def _interruptible(self, parts: Iterable[Item]) -> Iterator[Item]:
        """The same parts, but a signal stops the run between two; all ranks take each part together."""
        for part in parts:
            self._stop_if_asked()
            yield part

    def _stop_if_asked(self) -> None:
        signum = self.ranks.agreed(self.stop.signum)
        if signum is not None:
            self._stop(signum)

    def _stop(self, signum: int) -> NoReturn:
        self._save()
        self.ranks.meet()  # torchrun ends all ranks soon after the first has ended: save before that
        step = self.progress.step
        with self.ranks.alike():
            raise Stopped(
                signum, f"stopped at step {step}; the state is saved. Run the same command to go on."
            )

    def _save_weights(self, name: str) -> None:
        """Write the checkpoint `name` with its card."""
        if self.ranks.first:
            metrics = {key: value if math.isfinite(value) else None for key, value in self.figures.items()}
            card = {
                "model": self.recipe.model.name,
                "options": self.recipe.model.options,
                "recipe": to_dict(self.recipe),
                "step": self.progress.step,
                "metrics": metrics,
                "data": self.fingerprint,
                "cost": self.cost.facts(),
            }
            save_weights(self.out, name, self.learner.weights(), card)

    def _save(self) -> None:
        """Write the resume state of this step."""
        if self.ranks.first:
            self.progress.log_bytes = self.reports.sync()
            state = {
                "recipe": to_dict(self.recipe),
                "data": self.fingerprint,
                "progress": asdict(self.progress),
                "plateau": asdict(self.plateau),
                "figures": self.figures,
                "best": self.best,
                "cost": asdict(self.cost),
            }
            save_state(self.out, state | self.learner.state())
