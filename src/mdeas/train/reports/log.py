"""The parts of a run's reports: log.csv, TensorBoard, picture grids, progress on stderr."""

import csv
import math
import os
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor, nn

from mdeas.batches.batch import Batch
from mdeas.images.codec import write_png
from mdeas.images.levels import to_uint8
from mdeas.images.sheets import colorize, contact_sheet
from mdeas.models.base import Output

_PLAIN_EVERY_S = 15.0
_TITLES = ("background", "image", "mask", "predicted", "depth", "predicted")


class CsvLog:
    """log.csv: a row for each step and validation; rows newer than the resume state are cut off.

    Input: columns: names in order; size: bytes of the existing file to keep (0 = a new file).
    """

    def __init__(self, path: Path, columns: list[str], size: int):
        self.file = open(path, "a+", newline="", encoding="utf-8")  # noqa: SIM115
        self.file.truncate(size)
        self.writer = csv.DictWriter(self.file, columns, restval="", lineterminator="\n")
        if not size:
            self.writer.writeheader()

    def row(self, values: dict[str, Any]) -> None:
        """Write a row; columns without a value stay empty."""
        self.writer.writerow(values)

    def sync(self) -> int:
        """Write all rows to disk; the file's size in bytes."""
        self.file.flush()
        os.fsync(self.file.fileno())
        return os.fstat(self.file.fileno()).st_size

    def close(self) -> None:
        self.file.close()


class Board:
    """TensorBoard scalars and pictures; entries of an earlier run after `step` are hidden."""

    def __init__(self, folder: Path, step: int):
        from torch.utils.tensorboard import SummaryWriter

        self.writer = SummaryWriter(str(folder), purge_step=step, flush_secs=30)

    def graph(self, network: nn.Module, size: int) -> None:
        """Draw the layers of `network` as a graph, for a pair of size×size photos."""
        photo = torch.zeros(1, 3, size, size, device=next(network.parameters()).device)
        with warnings.catch_warnings():
            # The tracer warns that sizes become constants, which does not matter in a drawing.
            warnings.simplefilter("ignore")
            try:
                self.writer.add_graph(network.eval(), (photo, photo))
            # The tracer may raise anything, and a run must not fail because of a drawing.
            except Exception as error:
                print(
                    f"mdeas: warning: TensorBoard gets no graph: {str(error).splitlines()[0]}",
                    file=sys.stderr,
                )

    def validation(self, step: int, values: dict[str, float], sheet: np.ndarray) -> None:
        """Scalars and the picture grid of a validation."""
        self.scalars("validation", step, values)
        self.writer.add_image("pictures", sheet, step, dataformats="HWC")

    def scalars(self, part: str, step: int, values: dict[str, float]) -> None:
        """Values of a training step, an epoch or a validation at `step`; NaN is left out."""
        for name, value in values.items():
            if math.isfinite(value):
                self.writer.add_scalar(f"{part}/{name}", value, step)

    def close(self) -> None:
        self.writer.close()


class Silent:
    """Replaces the reports on ranks that write none: accepts every call and does nothing."""

    def __getattr__(self, name: str) -> Any:
        return lambda *args, **kwargs: None


def picture_sheet(output: Output, batch: Batch) -> np.ndarray:
    """uint8 RGB grid with a row for each sample: background, image, true and predicted mask and depth.

    Input: output and batch on the CPU.
    """
    alpha = output.mask_logits.float().sigmoid()
    rows = []
    for i in range(len(batch.image)):
        known = batch.depth_known[i, 0].numpy()
        pictures = [
            _photo(batch.background[i]),
            _photo(batch.image[i]),
            _grey(batch.mask[i]),
            _grey(alpha[i]),
        ]
        pictures.append(colorize(batch.inverse_depth[i, 0].numpy(), known))
        pictures.append(colorize(output.depth[i, 0].float().numpy()))
        rows.append(pictures)
    return contact_sheet(rows, _TITLES, captions=list(batch.ids), cell=128)


def write_sheet(folder: Path, step: int, sheet: np.ndarray) -> None:
    """Write pictures/step-000500.png."""
    write_png(folder / "pictures" / f"step-{step:06d}.png", sheet, force=True)


def _photo(tensor: Tensor) -> np.ndarray:
    return to_uint8(tensor.permute(1, 2, 0).numpy())


def _grey(tensor: Tensor) -> np.ndarray:
    return np.repeat(_photo(tensor), 3, axis=2)


class Meter:
    """Progress on stderr: a bar on a terminal, otherwise a line every 15 s."""

    def __init__(self, step: int, total: int):
        self.total, self.first = total, step
        self.started = self.last = time.monotonic()
        self.bar = _bar() if sys.stderr.isatty() else None
        if self.bar:
            self.bar.start()
            self.task = self.bar.add_task("", total=total, completed=step, note="")

    def tick(self, step: int, note: str) -> None:
        """Show `step` steps done, with `note`."""
        if self.bar:
            self.bar.update(self.task, completed=step, note=note)
        elif time.monotonic() - self.last >= _PLAIN_EVERY_S or step == self.total:
            self.last = time.monotonic()
            self.say(f"step {step}/{self.total}, {note}, {self._remaining(step)} left")

    def say(self, text: str) -> None:
        """Print a line above the progress bar."""
        print(text, file=sys.stderr, flush=True) if not self.bar else self.bar.console.print(text)

    def _remaining(self, step: int) -> str:
        pace = (time.monotonic() - self.started) / max(1, step - self.first)
        minutes, seconds = divmod(math.ceil(pace * (self.total - step)), 60)
        return f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}"

    def close(self) -> None:
        if self.bar:
            self.bar.stop()


def _bar() -> Progress:
    return Progress(
        TextColumn("train"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
        console=Console(stderr=True),
    )
