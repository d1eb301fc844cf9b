"""Several processes that train one network: which one this is, and what they tell each other.

`torchrun` starts them; each takes its slice of every batch, and DDP makes their gradients one. What is said
here are short texts and numbers on the CPU, over gloo, also where gradients go over NCCL. Nothing that comes
from another rank is unpickled.
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

# A rank that is silent for so long is given up (torch waits half an hour); torchrun then kills what does not
# end within 30 s more. No rank works alone for so long: what takes time is done in parts, see `agreed`.
TIMEOUT_S = 90
_PEER_WORDS = ("gloo/", "NCCL", "Connection closed by peer", "Connection reset by peer")

Value = TypeVar("Value")


@dataclass(frozen=True, kw_only=True)
class Ranks:
    """Who trains. Methods that speak are called by all ranks in the same order; alone they cost nothing."""

    rank: int = 0
    """Number of this process, 0 = the first; it alone writes files and talks to people."""
    count: int = 1
    """Processes in all."""
    local_count: int = 1
    """Processes on this machine."""

    @property
    def first(self) -> bool:
        return self.rank == 0

    @property
    def many(self) -> bool:
        return self.count > 1

    def require_equal_slices(self, batch_size: int) -> None:
        """UsageError E-RANKS unless a batch of `batch_size` samples can be shared evenly."""
        if batch_size % self.count:
            raise UsageError(
                "E-RANKS",
                f"a batch of {batch_size} samples cannot be shared by {self.count} ranks evenly. "
                f"Set data.batch_size to a multiple of {self.count}, of no more samples than there are.",
            )

    def require_same_step(self, step: int, out: Path) -> None:
        """StorageError E-RANKS when the states that the ranks have found in `out` are not of one step."""
        steps = sorted({int(other) for other in self.gather([step])[:, 0]})
        if len(steps) > 1:
            raise StorageError(
                "E-RANKS",
                f"'{out}': the ranks found states of steps {steps}. Give a folder that all machines share.",
            )

    def slice(self, rows: list[int]) -> list[int]:
        """The part of a batch that this rank takes."""
        each = len(rows) // self.count
        return rows[self.rank * each : (self.rank + 1) * each]

    def seed(self, seed: int, step: int) -> int:
        """Seed of torch's global source, for dropout: another on each rank, one process's on the first.

        torch looks at the lower 32 bits of a seed only.
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
        """Go on when all ranks are here."""
        self.gather([0])

    def mean(self, values: dict[str, float]) -> dict[str, float]:
        """The mean over ranks of each value; NaN as soon as one rank has it."""
        if not self.many:
            return values
        return dict(zip(values, self.gather(list(values.values())).mean(0).tolist(), strict=True))

    def agreed(self, signum: int | None) -> int | None:
        """The signal that stops all ranks, once any has got one; SIGTERM before SIGINT."""
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
        """The `value` of the first rank, as JSON has it (NaN included); that of the others is ignored."""
        return json.loads(self.texts(json.dumps(value if self.first else None))[0]) if self.many else value

    def first_does(self, work: Callable[[], Value]) -> Value:
        """What `work` gives on the first rank, for all (see `from_first`).

        When it ends in an MdeasError the first rank raises it, and the others exit with its code in silence.
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
        """For what ends alike on all ranks: its error is told by the first, the others exit with its code."""
        try:
            yield
        except MdeasError as error:
            if self.first:
                raise
            raise SystemExit(error.exit_code) from error


ALONE = Ranks()


@contextlib.contextmanager
def connected(device: str = "auto") -> Iterator[Ranks]:
    """The ranks that torchrun started together with this one; without torchrun, this process alone.

    Input: device: auto | cpu | cuda.
    Errors: WorkerError E-RANK when another rank ended or was silent for TIMEOUT_S.
    """
    ranks = _of_torchrun()
    if not ranks.many:
        yield ranks
        return
    end_with_parent(signal.SIGTERM)
    with _ending_in_peace(), _peers_named():
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
def _ending_in_peace() -> Iterator[None]:
    """torchrun sends SIGTERM to all ranks when the first has failed: who ends anyway keeps its code."""
    try:
        yield
    except BaseException:
        ignore_stop_signals()
        raise


@contextlib.contextmanager
def _peers_named() -> Iterator[None]:
    """Turn what torch raises when another rank is gone into WorkerError E-RANK."""
    try:
        yield
    except RuntimeError as error:
        if not isinstance(error, dist.DistError) and not any(word in str(error) for word in _PEER_WORDS):
            raise
        reason = str(error).strip().splitlines()[0].rpartition("] ")[2].partition(". ")[0]
        raise WorkerError(
            "E-RANK",
            f"another rank ended, or was silent for {TIMEOUT_S} s ({reason}). "
            "See what it said; the same command goes on from the last saved state.",
        ) from error
