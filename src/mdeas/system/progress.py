"""How far the making of a data set is: a bar on a terminal, a line every ten seconds in a log."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

_EVERY_S = 10.0


@contextlib.contextmanager
def progress(what: str, total: int, done: int = 0) -> Iterator[Callable[[], None]]:
    """A function to call after each of the `total` - `done` samples that remain; shown on stderr."""
    show = _bar if sys.stderr.isatty() else _lines
    with show(what, total, done) as advance:
        yield advance


@contextlib.contextmanager
def _bar(what: str, total: int, done: int) -> Iterator[Callable[[], None]]:
    rate = TextColumn("{task.fields[rate]:.1f} samples/s")
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), rate, TimeRemainingColumn())
    clock = _Clock(total, done)
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(what, total=total, completed=done, rate=0.0)

        def advance() -> None:
            clock.count()
            bar.update(task, advance=1, rate=clock.per_second)

        yield advance


@contextlib.contextmanager
def _lines(what: str, total: int, done: int) -> Iterator[Callable[[], None]]:
    clock = _Clock(total, done)
    told = time.monotonic()

    def advance() -> None:
        nonlocal told
        clock.count()
        if time.monotonic() - told > _EVERY_S:
            told = time.monotonic()
            print(f"{what}: {clock}", file=sys.stderr, flush=True)

    yield advance
    print(f"{what}: {clock}", file=sys.stderr, flush=True)


class _Clock:
    """Counts what this run has made; what an earlier run made does not raise the rate."""

    def __init__(self, total: int, done: int):
        self.total, self.done, self.made = total, done, 0
        self.start = time.monotonic()

    def count(self) -> None:
        self.made += 1

    @property
    def per_second(self) -> float:
        return self.made / max(time.monotonic() - self.start, 1e-9)

    def __str__(self) -> str:
        done = self.done + self.made
        remaining_s = (self.total - done) / max(self.per_second, 1e-9) if self.made else 0.0
        return f"{done}/{self.total} samples, {self.per_second:.1f} samples/s, {remaining_s:.0f} s remain"
