"""Progress of long work on stderr: a bar on a terminal, a line every ten seconds in a log."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

_EVERY_S = 10.0


@contextlib.contextmanager
def progress(what: str, total: int, done: int = 0, unit: str = "samples") -> Iterator[Callable[[], None]]:
    """Show progress with its rate and the remaining time while the block runs.

    Input:
        what: the work, such as "making samples".
        total: number of units; done: those that an earlier run has finished, which do not raise the rate.
    Output: a function to call after each unit.

    Example:
        >>> with progress("measuring", 3, unit="pictures") as advance:
        ...     for _ in range(3):
        ...         advance()
    """
    show = _bar if sys.stderr.isatty() else _lines
    with show(what, _Count(total, done, unit)) as advance:
        yield advance


@contextlib.contextmanager
def _bar(what: str, count: "_Count") -> Iterator[Callable[[], None]]:
    rate = TextColumn(f"{{task.fields[rate]:.1f}} {count.unit}/s")
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), rate, TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(what, total=count.total, completed=count.done, rate=0.0)

        def advance() -> None:
            count.made += 1
            bar.update(task, advance=1, rate=count.per_second)

        yield advance


@contextlib.contextmanager
def _lines(what: str, count: "_Count") -> Iterator[Callable[[], None]]:
    last = time.monotonic()

    def advance() -> None:
        nonlocal last
        count.made += 1
        if time.monotonic() - last > _EVERY_S:
            last = time.monotonic()
            print(f"{what}: {count}", file=sys.stderr, flush=True)

    yield advance
    print(f"{what}: {count}", file=sys.stderr, flush=True)


class _Count:
    """How many units there are, were done before, and were made since."""

    def __init__(self, total: int, done: int, unit: str):
        self.total, self.done, self.unit, self.made = total, done, unit, 0
        self.start = time.monotonic()

    @property
    def per_second(self) -> float:
        return self.made / max(time.monotonic() - self.start, 1e-9)

    def __str__(self) -> str:
        done, rate = self.done + self.made, self.per_second
        remaining_s = (self.total - done) / max(rate, 1e-9) if self.made else 0.0
        return f"{done}/{self.total} {self.unit}, {rate:.1f} {self.unit}/s, {remaining_s:.0f} s remain"
