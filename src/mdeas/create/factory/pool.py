"""Worker processes that turn items into results, and survive the loss of some of them.

Workers write nothing and hold nothing, so any of them may be killed at any time; what it had is made again.
Each has a pipe of its own: a queue shared by all would stay locked by a worker killed while it wrote.
"""

import contextlib
import itertools
import multiprocessing
import os
import time
import traceback
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from multiprocessing.connection import Connection, wait
from typing import Any

from mdeas.errors import MdeasError, MemoryLimitError, WorkerError
from mdeas.system.signals import stop_signals_blocked

MAX_DEATHS = 3
PATIENCE_S = 100.0
"""Without a result from a busy worker for this long it counts as frozen."""
TICK_S = 0.25
AHEAD = 2
"""Items at each worker: one that it works on and one that waits, so that it never waits itself."""
_MEANS_OF_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")


def results(
    function: Callable[[Any], Any], items: Iterable[Any], *, workers: int, tick: Callable[[], None]
) -> Generator[tuple[Any, Any], None, None]:
    """Yield (item, function(item)) in any order, from `workers` processes with one thread each.

    Input: `function` and items picklable; `tick` is called at least every quarter of a second and may raise.
    Errors: what `function` raises; WorkerError E-WORKER-DIED (more than 3 deaths), E-WORKER-FROZEN (100 s).
    """
    pending = iter(items)
    first = list(itertools.islice(pending, workers))  # no more workers than there are items
    pending = itertools.chain(first, pending)
    team = [_Worker(function) for _ in first]
    deaths = 0
    try:
        while True:
            tick()
            for worker in team:
                worker.feed(pending)
            if not any(worker.items for worker in team):
                return
            for worker in _heard(team):
                try:
                    yield worker.take()
                except (EOFError, ConnectionError):
                    deaths += 1
                    _mourn(worker, deaths)
                    pending = itertools.chain(worker.items, pending)
                    team[team.index(worker)] = _Worker(function)
    finally:
        for worker in team:
            worker.kill()


class _Worker:
    """The parent's side of one process."""

    def __init__(self, function: Callable[[Any], Any]):
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.items: deque[Any] = deque()
        self.silent_s = 0.0
        self.process = context.Process(target=_serve, args=(theirs, function), daemon=True)
        with _quiet_start():
            self.process.start()
        theirs.close()  # so that the death of the process ends the pipe

    def feed(self, pending: Iterator[Any]) -> None:
        for item in itertools.islice(pending, AHEAD - len(self.items)):
            self.items.append(item)
            with contextlib.suppress(ConnectionError):  # a dead worker is noticed when it is heard
                self.connection.send(item)

    def take(self) -> tuple[Any, Any]:
        self.silent_s = 0.0
        value, error = self.connection.recv()
        if error is not None:
            raise error
        return self.items.popleft(), value

    def kill(self) -> None:
        self.connection.close()
        self.process.kill()
        self.process.join()


def _heard(team: list[_Worker]) -> list[_Worker]:
    """The workers with something to say; WorkerError when one of the others has been silent too long."""
    start = time.monotonic()
    ready = wait([worker.connection for worker in team], timeout=TICK_S)
    # A time that is longer than asked for is one in which this process was stopped, not the workers.
    waited_s = min(time.monotonic() - start, 2 * TICK_S)
    for worker in team:
        if worker.connection not in ready and worker.items:
            worker.silent_s += waited_s
            if worker.silent_s > PATIENCE_S:
                what = f"a worker gave no result for {PATIENCE_S:.0f} s at item {worker.items[0]}"
                raise WorkerError("E-WORKER-FROZEN", f"{what}. Run the same command again to go on.")
    return [worker for worker in team if worker.connection in ready]


def _mourn(worker: _Worker, deaths: int) -> None:
    worker.kill()
    if deaths > MAX_DEATHS:
        how = f"exit code {worker.process.exitcode} at item {worker.items[0] if worker.items else '-'}"
        advice = "When memory is short, use fewer workers. Run the same command again to go on."
        raise WorkerError("E-WORKER-DIED", f"workers died {deaths} times, the last with {how}. {advice}")


@contextlib.contextmanager
def _quiet_start() -> Iterator[None]:
    """What a worker inherits: one thread, and Ctrl-C and SIGTERM blocked (the parent decides, then kills)."""
    before = {name: os.environ.get(name) for name in _MEANS_OF_THREADS}
    os.environ.update(dict.fromkeys(_MEANS_OF_THREADS, "1"))
    try:
        with stop_signals_blocked():
            yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _serve(connection: Connection, function: Callable[[Any], Any]) -> None:
    """The worker: ends when its parent closes the pipe or dies."""
    import cv2

    cv2.setNumThreads(1)
    with contextlib.suppress(EOFError, ConnectionError):
        while True:
            connection.send(attempt(function, connection.recv()))


def attempt(function: Callable[[Any], Any], item: Any) -> tuple[Any, Exception | None]:
    """(function(item), None), or None and an error that can cross to another process."""
    try:
        return function(item), None
    except MdeasError as error:
        return None, error
    except MemoryError:
        return None, MemoryLimitError("E-MEMORY", f"out of memory at item {item}. Use fewer workers.")
    except Exception:  # a bug: its traceback cannot cross the pipe, its text can
        return None, RuntimeError(f"item {item}: {traceback.format_exc()}")
