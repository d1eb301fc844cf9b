"""Time the stages of a prediction in the code that ships.

The code says `with stage("decode"): ...`. Times are collected only inside `with measured() as seconds: ...`.
"""

import contextlib
import time
from collections.abc import Iterator
from contextvars import ContextVar

STAGES = ("decode", "check", "prepare", "network", "restore", "second_look", "encode")

_seconds: ContextVar[dict[str, float] | None] = ContextVar("seconds", default=None)


@contextlib.contextmanager
def stage(name: str) -> Iterator[None]:
    """Count the time spent inside as the stage `name`, one of STAGES."""
    assert name in STAGES, name
    start = time.perf_counter()
    yield
    if (seconds := _seconds.get()) is not None:
        seconds[name] = seconds.get(name, 0.0) + time.perf_counter() - start


@contextlib.contextmanager
def measured() -> Iterator[dict[str, float]]:
    """Collect the wall time in seconds of every stage that this thread runs inside."""
    seconds: dict[str, float] = {}
    token = _seconds.set(seconds)
    try:
        yield seconds
    finally:
        _seconds.reset(token)
