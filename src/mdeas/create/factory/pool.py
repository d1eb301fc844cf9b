"""Worker processes that turn items into results; a dead worker is replaced.

Workers write no files and keep no state, so any of them may be killed at any time: its items are made again.
Each worker has its own pipe, because a worker killed while it writes would leave a shared queue locked.
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
from typing import Any, TypeVar

from mdeas.errors import MdeasError, MemoryLimitError, WorkerError
from mdeas.system.signals import stop_signals_blocked

Item = TypeVar("Item")
Value = TypeVar("Value")

MAX_DEATHS = 3
PATIENCE_S = 100.0
"""A busy worker without a result for this many seconds counts as frozen."""
TICK_S = 0.25
"""Greatest time between two calls of `tick`."""
AHEAD = 2
"""Items sent to each worker: it works on one, and the next already waits in its pipe."""
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")


def results(
    function: Callable[[Item], Value], items: Iterable[Item], *, workers: int, tick: Callable[[], None]
) -> Generator[tuple[Item, Value], None, None]:
    """Yield (item, function(item)) in any order, from `workers` processes with one thread each.

    Input: function, items: picklable; tick: called at least every TICK_S, and may raise to stop.
    Errors: what `function` raises; WorkerError E-WORKER-DIED after more than MAX_DEATHS deaths,
        E-WORKER-FROZEN after PATIENCE_S without a result.
    """
    pending = iter(items)
    first = list(itertools.islice(pending, workers))  # at most one worker per item
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
            for worker in _workers_with_results(team):
                try:
                    yield worker.take()
                except (EOFError, ConnectionError):
                    deaths += 1
                    worker.kill()
                    _check_deaths(deaths, worker)
                    pending = itertools.chain(worker.items, pending)
                    team[team.index(worker)] = _Worker(function)
    finally:
        for worker in team:
            worker.kill()


class _Worker:
    """A worker process, as its parent sees it."""

    def __init__(self, function: Callable[[Any], Any]):
        context = multiprocessing.get_context("spawn")
        self.connection, far_end = context.Pipe()
        self.items: deque[Any] = deque()
        """Items sent to the process that have no result yet."""
        self.waited_s = 0.0
        """Time since the last result."""
        self.process = context.Process(target=_work, args=(far_end, function), daemon=True)
        with _worker_environment():
            self.process.start()
        far_end.close()  # so that reading fails when the process dies

    def feed(self, pending: Iterator[Any]) -> None:
        """Send items until AHEAD of them are with the worker."""
        for item in itertools.islice(pending, AHEAD - len(self.items)):
            self.items.append(item)
            with contextlib.suppress(ConnectionError):  # a dead worker is found when its result is read
                self.connection.send(item)

    def take(self) -> tuple[Any, Any]:
        """Read a result: (item, value). Raise the function's error, or EOFError when the process died."""
        self.waited_s = 0.0
        value, error = self.connection.recv()
        if error is not None:
            raise error
        return self.items.popleft(), value

    def kill(self) -> None:
        self.connection.close()
        self.process.kill()
        self.process.join()


def _workers_with_results(team: list[_Worker]) -> list[_Worker]:
    """Wait up to TICK_S for results; WorkerError E-WORKER-FROZEN when a busy worker took too long."""
    start = time.monotonic()
    ready = wait([worker.connection for worker in team], timeout=TICK_S)
    # A longer wait than TICK_S means that this process was suspended, and its workers perhaps too.
    passed_s = min(time.monotonic() - start, 2 * TICK_S)
    for worker in team:
        if worker.connection not in ready and worker.items:
            worker.waited_s += passed_s
            if worker.waited_s > PATIENCE_S:
                what = f"a worker gave no result for {PATIENCE_S:.0f} s at item {worker.items[0]}"
                raise WorkerError("E-WORKER-FROZEN", f"{what}. Run the same command again to go on.")
    return [worker for worker in team if worker.connection in ready]


def _check_deaths(deaths: int, worker: _Worker) -> None:
    """Raise WorkerError E-WORKER-DIED when this many workers have died, `worker` as the last."""
    if deaths > MAX_DEATHS:
        how = f"exit code {worker.process.exitcode} at item {worker.items[0] if worker.items else '-'}"
        advice = "When memory is short, use fewer workers. Run the same command again to go on."
        raise WorkerError("E-WORKER-DIED", f"workers died {deaths} times, the last with {how}. {advice}")


@contextlib.contextmanager
def _worker_environment() -> Iterator[None]:
    """Set what a new worker inherits: one thread, and blocked stop signals, because the parent ends it."""
    before = {name: os.environ.get(name) for name in _THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, "1"))
    try:
        with stop_signals_blocked():
            yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _work(connection: Connection, function: Callable[[Any], Any]) -> None:
    """Run a worker until its parent closes the pipe or dies."""
    import cv2

    cv2.setNumThreads(1)
    with contextlib.suppress(EOFError, ConnectionError):
        while True:
            connection.send(attempt(function, connection.recv()))


def attempt(function: Callable[[Item], Value], item: Item) -> tuple[Value | None, Exception | None]:
    """Return (function(item), None), or (None, an error that can be pickled)."""
    try:
        return function(item), None
    except MdeasError as error:
        return None, error
    except MemoryError:
        return None, MemoryLimitError("E-MEMORY", f"out of memory at item {item}. Use fewer workers.")
    except Exception:  # a bug; a traceback cannot be pickled, its text can
        return None, RuntimeError(f"item {item}: {traceback.format_exc()}")
