"""Several processes (ranks) that train one network: their numbers, and the messages between them.

`torchrun` starts them. Each rank takes its slice of every batch, and DDP averages their gradients. Messages
are short texts and numbers on the CPU, sent over gloo, even where gradients use NCCL. Nothing from another
rank is unpickled.
"""

import contextlib
import json
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor

from mdeas.errors import MdeasError, StorageError, UsageError, WorkerError
from mdeas.system.signals import end_with_parent, ignore_stop_signals

# A rank that is silent for longer counts as dead (torch's default is half an hour); torchrun then kills ranks
# that do not end within another 30 s. So no rank may work alone for longer: long work is split, see `agreed`.
TIMEOUT_S = 90
_PEER_WORDS = ("gloo/", "NCCL", "Connection closed by peer", "Connection reset by peer")

Value = TypeVar("Value")


@dataclass(frozen=True, kw_only=True)
class Ranks:
    """The ranks of a run. All ranks must call the methods that send messages in the same order."""

    rank: int = 0
    """Number of this process; rank 0, the first, alone writes files and prints."""
    count: int = 1
    """Number of processes."""
    local_count: int = 1
    """Number of processes on this machine."""

    @property
    def first(self) -> bool:
        return self.rank == 0

    @property
    def many(self) -> bool:
        return self.count > 1

    def require_equal_slices(self, batch_size: int) -> None:
        """UsageError E-RANKS unless a batch of `batch_size` samples can be divided evenly."""
        if batch_size % self.count:
            raise UsageError(
                "E-RANKS",
                f"a batch of {batch_size} samples cannot be shared by {self.count} ranks evenly. "
                f"Set data.batch_size to a multiple of {self.count}, of no more samples than there are.",
            )

    def require_same_step(self, step: int, out: Path) -> None:
        """StorageError E-RANKS when the ranks found states of different steps in `out`."""
        steps = sorted({int(other) for other in self.gather([step])[:, 0]})
        if len(steps) > 1:
            raise StorageError(
                "E-RANKS",
                f"'{out}': the ranks found states of steps {steps}. Give a folder that all machines share.",
            )

    def slice(self, rows: list[int]) -> list[int]:
        """This rank's part of a batch."""
        each = len(rows) // self.count
        return rows[self.rank * each : (self.rank + 1) * each]

    def seed(self, seed: int, step: int) -> int:
        """Seed of torch's global generator, for dropout: different on each rank; the first as if alone.

        torch uses only the lower 32 bits of a seed.
        """
        if self.first:
            return seed + step
        return int(np.random.SeedSequence([seed, step, self.rank]).generate_state(1)[0])

    def gather(self, values: Sequence[float]) -> Tensor:
        """float64 (ranks, N): the N `values` of every rank."""
        own = torch.tensor(values, dtype=torch.float64)
        if not self.many:
            return own[None]
        everyone = [torch.empty_like(own) for _ in range(self.count)]
        dist.all_gather(everyone, own)
        return torch.stack(everyone)

    def meet(self) -> None:
        """Wait until all ranks have called this."""
        self.gather([0])

    def mean(self, values: dict[str, float]) -> dict[str, float]:
        """The mean over ranks of each value; NaN if it is NaN on one rank."""
        if not self.many:
            return values
        return dict(zip(values, self.gather(list(values.values())).mean(0).tolist(), strict=True))

    def agreed(self, signum: int | None) -> int | None:
        """The signal that any rank has received, or None; if there are two, SIGTERM rather than SIGINT."""
        return int(self.gather([signum or 0]).max()) or None

    def texts(self, text: str) -> list[str]:
        """The `text` of every rank."""
        if not self.many:
            return [text]
        data = text.encode()
        sizes = self.gather([len(data)])[:, 0].int().tolist()
        padded = torch.zeros(max(sizes), dtype=torch.uint8)
        padded[: len(data)] = torch.tensor(list(data), dtype=torch.uint8)
        everyone = [torch.empty_like(padded) for _ in sizes]
        dist.all_gather(everyone, padded)
        return [bytes(row[:size].tolist()).decode() for row, size in zip(everyone, sizes, strict=True)]

    def from_first(self, value: Value) -> Value:
        """The first rank's `value`, sent as JSON (NaN included); the other ranks' values are ignored."""
        return json.loads(self.texts(json.dumps(value if self.first else None))[0]) if self.many else value

    def first_does(self, work: Callable[[], Value]) -> Value:
        """Call `work` on the first rank and return its result on all ranks (see `from_first`).

        If it raises an MdeasError, the first rank raises that and the others exit silently with its code.
        """
        result: dict = {}
        if self.first:
            try:
                result["value"] = work()
            except MdeasError as error:
                self.from_first({"exit": error.exit_code})
                raise
        result = self.from_first(result)
        if "exit" in result:
            raise SystemExit(result["exit"])
        return result["value"]

    @contextlib.contextmanager
    def alike(self) -> Iterator[None]:
        """For an error that all ranks raise: the first raises it, the others exit with its code."""
        try:
            yield
        except MdeasError as error:
            if self.first:
                raise
            raise SystemExit(error.exit_code) from error


ALONE = Ranks()


@contextlib.contextmanager
def connected(device: str = "auto") -> Iterator[Ranks]:
    """Connect the ranks that torchrun has started; without torchrun, this process alone.

    Input: device: auto | cpu | cuda.
    Errors: WorkerError E-RANK when another rank ended or was silent for TIMEOUT_S.
    """
    ranks = _of_torchrun()
    if not ranks.many:
        yield ranks
        return
    end_with_parent(signal.SIGTERM)
    with _stop_signals_ignored_on_error(), _lost_ranks_named():
        cuda = device != "cpu" and torch.cuda.is_available()
        backend = "cpu:gloo,cuda:nccl" if cuda else "gloo"
        dist.init_process_group(backend, timeout=timedelta(seconds=TIMEOUT_S))
        yield ranks
        ranks.meet()
        dist.destroy_process_group()


def _of_torchrun() -> Ranks:
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        return Ranks()
    rank, count, local_count = (int(os.environ[name]) for name in ("RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE"))
    return Ranks(rank=rank, count=count, local_count=local_count)


@contextlib.contextmanager
def _stop_signals_ignored_on_error() -> Iterator[None]:
    """Ignore signals while an error ends this rank: torchrun's SIGTERM would change its exit code."""
    try:
        yield
    except BaseException:
        ignore_stop_signals()
        raise


@contextlib.contextmanager
def _lost_ranks_named() -> Iterator[None]:
    """Turn the error that torch raises when another rank is gone into WorkerError E-RANK."""
    try:
        yield
    except RuntimeError as error:
        if not isinstance(error, dist.DistError) and not any(word in str(error) for word in _PEER_WORDS):
            raise
        reason = str(error).strip().splitlines()[0].rpartition("] ")[2].partition(". ")[0]
        raise WorkerError(
            "E-RANK",
            f"another rank ended, or was silent for {TIMEOUT_S} s ({reason}). "
            "Read its message; the same command resumes from the last saved state.",
        ) from error
