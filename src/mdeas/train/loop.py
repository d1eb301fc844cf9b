"""The training run: data -> steps -> validation -> checkpoints, stopped and resumed at any step.

Everything random comes from (seed, epoch, step), so the only state is weights, averages, the optimizer's
moments and how far the run has come.
"""

import contextlib
import copy
import math
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from lightning.fabric import Fabric
from torch import nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from mdeas.data.augment import augment, generator
from mdeas.data.batch import Batch
from mdeas.data.loader import Cached, RawBatch, Samples, Source, batch_indices, load, steps_per_epoch
from mdeas.errors import InputError, MemoryLimitError, NonFiniteError, Stopped, UsageError
from mdeas.files import locked, remove_temporaries, write_bytes
from mdeas.models import Output, create_model
from mdeas.train.checkpoint import load_state, save_state, save_weights
from mdeas.train.config import Recipe, differences, to_dict, to_yaml
from mdeas.train.log import Board, CsvLog, Meter, closing_all, picture_sheet, write_sheet
from mdeas.train.losses import loss_terms
from mdeas.train.schedule import Plateau, lr_factor, make_optimizer
from mdeas.train.validate import FIGURES, validate

_NUM_PICTURES = 6


@dataclass
class Progress:
    """How far a run has come; stored in the resume state."""

    step: int = 0
    """Optimizer steps done."""
    validated: int = 0
    """Steps done at the last validation."""
    log_bytes: int = 0
    best_mask: float = -math.inf
    best_depth: float = -math.inf


def train(
    recipe: Recipe, data: Sequence[str | Path], out: str | Path, *, device: str = "auto"
) -> dict[str, Any]:
    """Train on the train splits of the data sets in `data`, validating on their validation splits.

    A run folder with a state of the same recipe and data is continued.
    Input: device: auto | cpu | cuda.
    Output: the figures of the last validation, and "step".
    Errors: UsageError, InputError, ModelError (damaged states), NonFiniteError, MemoryLimitError,
        WorkerError, Stopped (state saved).
    """
    from mdeas.dataset import Dataset, read_index

    training = [Dataset(path, "train") for path in data]
    split = "validation"
    validation = [Dataset(path, split) for path in data if split in read_index(path)["splits"]]
    return fit(recipe, training, validation, Path(out), device=device)


def fit(
    recipe: Recipe,
    training: Sequence[Source],
    validation: Sequence[Source],
    out: Path,
    *,
    device: str = "auto",
) -> dict[str, Any]:
    """`train` on sources that are open already."""
    fabric = make_fabric(recipe, device)
    torch.set_num_threads(recipe.threads or os.cpu_count() or 1)
    samples = Samples(training, recipe.data.size, recipe.data.repeats)
    if not len(samples):
        raise InputError("E-DATASET-EMPTY", "the train split has no samples. Make some, or check --data.")
    with locked(out), stop_signals() as stop:
        remove_temporaries(out)
        return Trainer(recipe, samples, Samples(validation, recipe.data.size), out, fabric, stop).run()


def make_fabric(recipe: Recipe, device: str) -> Fabric:
    """Fabric on the wanted device; UsageError (E-DEVICE) when CUDA is wanted and missing."""
    available = torch.cuda.is_available()
    if device == "cuda" and not available:
        raise UsageError("E-DEVICE", "device cuda: torch sees no CUDA GPU. Use --device auto or cpu.")
    if device == "auto" and not available:
        print("mdeas: no GPU; training on the CPU.", file=sys.stderr)
    accelerator = "cuda" if available and device != "cpu" else "cpu"
    precision = {"float32": "32-true", "bf16": "bf16-mixed"}[recipe.precision]
    return Fabric(accelerator=accelerator, devices=1, precision=precision)


class Stop:
    """Set by SIGINT or SIGTERM; looked at between steps."""

    signum: int | None = None

    def __call__(self, signum: int, frame: object) -> None:
        self.signum = signum


@contextlib.contextmanager
def stop_signals() -> Iterator[Stop]:
    """Turn SIGINT and SIGTERM into a flag while inside; outside the main thread they are left alone."""
    stop = Stop()
    try:
        before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    except ValueError:  # not the main thread
        before = {}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Trainer:
    """One run in one process."""

    def __init__(
        self, recipe: Recipe, samples: Samples, validation: Samples, out: Path, fabric: Fabric, stop: Stop
    ):
        self.recipe, self.out, self.fabric, self.stop = recipe, out, fabric, stop
        self.samples, self.validation = samples, validation
        self.each = steps_per_epoch(len(samples.epoch_rows), recipe.data.batch_size)
        self.total = recipe.steps or recipe.epochs * self.each
        self.progress, self.plateau = Progress(), Plateau()
        self._build()
        self.figures: dict[str, float] = {}

    def _build(self) -> None:
        torch.manual_seed(self.recipe.seed)
        self.plain = create_model(self.recipe.model.name, **self.recipe.model.options)
        if self.recipe.channels_last:
            self.plain.to(memory_format=torch.channels_last)
        model = torch.compile(self.plain) if self.recipe.compile else self.plain
        optimizer = make_optimizer(self.plain, self.recipe.optimizer)
        self.model, self.optimizer = self.fabric.setup(model, optimizer)
        self.average = copy.deepcopy(self.plain).eval().requires_grad_(False) if self.recipe.ema else None

    def run(self) -> dict[str, Any]:
        """Restore, train to the end, leave checkpoints; see `train` for output and errors."""
        self._restore()
        write_bytes(self.out / "recipe.yaml", to_yaml(self.recipe).encode(), force=True)
        self.log = CsvLog(self.out / "log.csv", self._columns(), self.progress.log_bytes)
        self.board = Board(self.out / "tensorboard", self.progress.step)
        self.meter = Meter(self.progress.step, self.total)
        with closing_all(self.meter, self.board, self.log), _memory_named(self.recipe.data.batch_size):
            self._steps()
        return self.figures | {"step": self.progress.step}

    def _columns(self) -> list[str]:
        terms = ["total", "total_hex", *self.recipe.loss]
        return ["kind", "step", "epoch", "lr", "images_per_s", *terms, "grad_norm", *FIGURES]

    def _steps(self) -> None:
        self.clock = time.perf_counter()
        for raw in self._raw_batches():
            self._validate_when_due()
            self._train_step(raw)
            if self.stop.signum is not None:
                self._stop()
            if self.progress.step % self.recipe.save_every == 0:
                self._save()
        self._validate_when_due(last=True)
        self._save_weights("last")
        self._save()

    def _raw_batches(self) -> Iterator[RawBatch]:
        data = self.recipe.data
        rows = self.samples.epoch_rows
        batches = batch_indices(rows, data.batch_size, self.recipe.seed, self.progress.step, self.total)
        source = Cached(self.samples, data.workers) if data.cache else self.samples
        return load(source, batches, data.workers)

    def _train_step(self, raw: RawBatch) -> None:
        """One optimizer step on `raw`; the progress counts it once the weights have moved."""
        recipe, step = self.recipe, self.progress.step
        epoch = step // self.each
        torch.manual_seed(recipe.seed + step)  # dropout
        batch = raw.to_batch(self.fabric.device)
        rng = generator(recipe.seed, epoch, step, self.fabric.device)
        batch = augment(batch, recipe.data.augment, rng)
        lr = recipe.optimizer.lr * lr_factor(recipe.schedule, step, self.total, self.plateau.drops)
        terms = self._backward(batch, step)
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        self.optimizer.step()
        self._update_average()
        self.progress.step += 1
        self._log_step(epoch, lr, self._pace(len(batch.ids)), terms)

    def _pace(self, num_images: int) -> float:
        """Images per second since the step before, waiting for data included."""
        before, self.clock = self.clock, time.perf_counter()
        return num_images / (self.clock - before)

    def _backward(self, batch: Batch, step: int) -> dict[str, float]:
        """Gradients of one batch; named terms and "grad_norm", all finite or NonFiniteError."""
        self.optimizer.zero_grad()
        output = self.model(batch.background, batch.image)
        terms = loss_terms(output, batch, self.recipe.loss)
        self.fabric.backward(terms["total"])
        limit = self.recipe.grad_clip or math.inf
        norm = nn.utils.clip_grad_norm_(self.plain.parameters(), limit)
        names = [*terms, "grad_norm"]
        values = dict(zip(names, torch.stack([*terms.values(), norm]).tolist(), strict=True))
        if not all(math.isfinite(value) for value in values.values()):
            raise NonFiniteError("E-NON-FINITE", _non_finite(values, output, batch, step))
        return values

    def _update_average(self) -> None:
        if self.average is None:
            return
        step = self.progress.step
        decay = min(self.recipe.ema, (1 + step) / (10 + step))  # short memory while weights move fast
        old, new = self.average.state_dict(), self.plain.state_dict()
        names = [name for name in old if old[name].is_floating_point()]
        get_ema_multi_avg_fn(decay)([old[name] for name in names], [new[name] for name in names], step)

    def _log_step(self, epoch: int, lr: float, pace: float, terms: dict[str, float]) -> None:
        row = {"kind": "train", "step": self.progress.step, "epoch": epoch, "lr": lr}
        row |= {"images_per_s": round(pace, 1), "total_hex": terms["total"].hex()}
        self.log.row(row | terms)
        self.board.train(self.progress.step, terms | {"lr": lr, "images_per_s": pace})
        self.meter.tick(self.progress.step, f"loss {terms['total']:.4f}, {pace:.0f} images/s")

    def _inference_model(self) -> nn.Module:
        return self.plain if self.average is None else self.average

    def _validate_when_due(self, last: bool = False) -> None:
        progress = self.progress
        due = last or progress.step % self.recipe.validate_every == 0
        if not due or progress.validated == progress.step or not len(self.validation):
            return
        with torch.inference_mode():
            figures, output, batch = validate(self._predict, self._validation_batches(), self.recipe.loss)
        self.plain.train()
        progress.validated = progress.step
        self.plateau.observe(figures["total"], self.recipe.schedule.patience)
        self.figures = figures
        self._report(figures, output, batch)
        self._save_weights("last")
        for name, figure in (("mask", "mask_iou"), ("depth", "depth_delta1")):
            if figures[figure] > getattr(progress, f"best_{name}"):
                setattr(progress, f"best_{name}", figures[figure])
                self._save_weights(f"best-{name}")

    def _predict(self, batch: Batch) -> Output:
        with self.fabric.autocast():
            return self._inference_model().eval()(batch.background, batch.image)

    def _validation_batches(self) -> Iterator[Batch]:
        count = min(len(self.validation), self.recipe.data.validation_samples)
        size = self.recipe.data.batch_size
        chunks = [list(range(start, min(start + size, count))) for start in range(0, count, size)]
        for raw in load(self.validation, chunks):
            if self.stop.signum is not None:
                self._stop()
            yield raw.to_batch(self.fabric.device)

    def _report(self, figures: dict[str, float], output: Output, batch: Batch) -> None:
        step = self.progress.step
        row = {"kind": "validation", "step": step, "epoch": step // self.each}
        self.log.row(row | figures | {"total_hex": figures["total"].hex()})
        shown = batch.map(lambda tensor: tensor[:_NUM_PICTURES].cpu())
        sheet = picture_sheet(Output(*(tensor[:_NUM_PICTURES].cpu() for tensor in output)), shown)
        write_sheet(self.out, step, sheet)
        self.board.validation(step, figures, sheet)
        self.meter.say(f"validation at step {step}: {_told(figures)}")

    def _save_weights(self, name: str) -> None:
        metrics = {key: value if math.isfinite(value) else None for key, value in self.figures.items()}
        card = {
            "model": self.recipe.model.name,
            "options": self.recipe.model.options,
            "recipe": to_dict(self.recipe),
            "step": self.progress.step,
            "metrics": metrics,
            "data": self.samples.fingerprint,
        }
        save_weights(self.out, name, self._inference_model().state_dict(), card)

    def _save(self) -> None:
        """Write the resume state of this step."""
        self.progress.log_bytes = self.log.sync()
        state = {
            "recipe": to_dict(self.recipe),
            "data": self._fingerprint(),
            "progress": asdict(self.progress),
            "plateau": asdict(self.plateau),
            "model": self.plain.state_dict(),
            "average": self.average.state_dict() if self.average is not None else None,
            "optimizer": self.optimizer.state_dict(),
            "figures": self.figures,
        }
        save_state(self.out, state)

    def _fingerprint(self) -> str:
        return f"{self.samples.fingerprint}/{self.validation.fingerprint}"

    def _restore(self) -> None:
        state = load_state(self.out)
        if state is None:
            return
        self._refuse_another(state)
        self.progress, self.plateau = Progress(**state["progress"]), Plateau(**state["plateau"])
        self.figures = state["figures"]
        self.plain.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.average is not None:
            self.average.load_state_dict(state["average"])
        print(f"mdeas: resuming '{self.out}' at step {self.progress.step}.", file=sys.stderr)

    def _refuse_another(self, state: dict[str, Any]) -> None:
        changed = differences(state["recipe"], to_dict(self.recipe))
        if state["data"] != self._fingerprint():
            changed.append("the data sets")
        if changed:
            raise UsageError(
                "E-RESUME",
                f"'{self.out}' was started differently: {'; '.join(changed)}. "
                "Use the same recipe and data, or another folder.",
            )

    def _stop(self) -> None:
        self._save()
        step = self.progress.step
        raise Stopped(
            self.stop.signum, f"stopped at step {step}; the state is saved. Run the same command to go on."
        )


def _told(figures: dict[str, float]) -> str:
    """Figures with their baselines, for people."""
    return (
        f"loss {figures['total']:.4f}, "
        f"mask IoU {figures['mask_iou']:.4f} (all-zero mask {figures['mask_iou_zero']:.4f}), "
        f"empty-pair area {figures['empty_area']:.4f}, depth delta1 {figures['depth_delta1']:.4f} "
        f"(vertical gradient {figures['depth_delta1_gradient']:.4f})"
    )


def _non_finite(values: dict[str, float], output: Output, batch: Batch, step: int) -> str:
    """Message of a step that went wrong, with the samples that did, or all when none stands out."""
    tensors = (batch.background, batch.image, batch.mask, batch.inverse_depth, *output)
    good = torch.stack([tensor.isfinite().flatten(1).all(1) for tensor in tensors]).all(0).tolist()
    bad = [name for name, fine in zip(batch.ids, good, strict=True) if not fine] or batch.ids
    terms = ", ".join(f"{name} {value}" for name, value in values.items() if not math.isfinite(value))
    return (
        f"step {step + 1}: {terms}; samples {', '.join(bad)}. The state before is kept. "
        "Look at these samples (mdeas show), or lower optimizer.lr."
    )


@contextlib.contextmanager
def _memory_named(batch_size: int) -> Iterator[None]:
    """Turn what torch and Python raise when memory ends into MemoryLimitError with a batch size to try."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        words = ("out of memory", "can't allocate memory", "Cannot allocate memory")
        if not isinstance(error, MemoryError) and not any(word in str(error) for word in words):
            raise
        smaller = max(1, batch_size // 2)
        raise MemoryLimitError(
            "E-MEMORY",
            f"batches of {batch_size} do not fit into memory. Try --set data.batch_size={smaller}.",
        ) from error
