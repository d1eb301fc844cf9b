"""The files and progress that a run writes for people; of several ranks only the first writes them."""

import time
from pathlib import Path
from typing import Any

from torch import nn

from mdeas.batches.batch import Batch
from mdeas.models.base import Output
from mdeas.system.files import write_bytes
from mdeas.train.recipe.recipe import Recipe, to_yaml
from mdeas.train.reports.curve import epoch_means, read_log, write_curve
from mdeas.train.reports.log import Board, CsvLog, Meter, picture_sheet, write_sheet
from mdeas.train.validate import ACCURACIES, FIGURES, figures_text

_NUM_PICTURES = 6  # rows of a picture grid
_CURVE_EVERY_S = 15.0


class Reports:
    """recipe.yaml, log.csv, tensorboard/, pictures/ and curve.png of one run, and progress on stderr.

    Input: step: steps done; log_bytes: size of log.csv at that step; total: steps of the run; each: steps of
        an epoch.
    """

    def __init__(self, out: Path, recipe: Recipe, *, step: int, log_bytes: int, total: int, each: int):
        self.out, self.each = out, each
        self.terms = ["total", *recipe.loss]
        write_bytes(out / "recipe.yaml", to_yaml(recipe).encode(), force=True)
        columns = ["kind", "step", "epoch", "lr", "images_per_s", "total", "total_hex", *recipe.loss]
        self.log = CsvLog(out / "log.csv", [*columns, "grad_norm", *FIGURES], log_bytes)
        self.board = Board(out / "tensorboard", step)
        self.meter = Meter(step, total)
        self.drawn = 0.0

    def graph(self, network: nn.Module, size: int) -> None:
        """Show the layers of `network` in TensorBoard, for photos of `size` pixels."""
        self.board.graph(network, size)

    def step(self, step: int, lr: float, pace: float, terms: dict[str, float]) -> None:
        """Log a training step. terms: loss terms, gradient norm, and accuracies if they were measured."""
        row = {"kind": "train", "step": step, "epoch": (step - 1) // self.each, "lr": lr}
        self.log.row(row | {"images_per_s": round(pace, 1), "total_hex": terms["total"].hex()} | terms)
        self.board.scalars("train", step, terms | {"lr": lr, "images_per_s": pace})
        self.meter.tick(step, f"loss {terms['total']:.4f}, {pace:.0f} images/s")

    def epoch(self, step: int) -> None:
        """Log the means over the epoch that ends at `step`, from log.csv, which a resume completes."""
        self.log.sync()
        number = (step - 1) // self.each
        names = [*self.terms, *ACCURACIES]
        means = epoch_means(read_log(self.out / "log.csv"), number * self.each + 1, step, names)
        self.board.scalars("epoch", step, means | {"number": number})

    def validation(self, step: int, figures: dict[str, float], output: Output, batch: Batch) -> None:
        """Log the figures of a validation, and draw pictures of its first batch."""
        row: dict[str, Any] = {"kind": "validation", "step": step, "epoch": step // self.each}
        self.log.row(row | figures | {"total_hex": figures["total"].hex()})
        shown = batch.map(lambda tensor: tensor[:_NUM_PICTURES].cpu())
        sheet = picture_sheet(Output(*(tensor[:_NUM_PICTURES].cpu() for tensor in output)), shown)
        write_sheet(self.out, step, sheet)
        self.board.validation(step, figures, sheet)
        self.meter.say(f"validation at step {step}: {figures_text(figures)}")
        if time.monotonic() - self.drawn > _CURVE_EVERY_S:
            self.curve()

    def curve(self) -> None:
        """Draw curve.png."""
        self.log.sync()
        write_curve(self.out)
        self.drawn = time.monotonic()

    def sync(self) -> int:
        """Write log.csv to disk; its size in bytes."""
        return self.log.sync()

    def close(self) -> None:
        for part in (self.meter, self.board, self.log):
            part.close()
