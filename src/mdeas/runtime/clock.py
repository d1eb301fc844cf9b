"""Names for the stages of a prediction, and a clock for them: what is measured is the code that ships.

`with stage("decode"): ...` costs nothing unless somebody measures: `with measured() as seconds: ...`.
"""

import contextlib
import time
from collections.abc import Iterator
from contextvars import ContextVar

STAGES = ("decode", "check", "prepare", "network", "restore", "closer", "encode")

_seconds: ContextVar[dict[str, float] | None] = ContextVar("seconds", default=None)


@contextlib.contextmanager
def stage(name: str) -> Iterator[None]:
    """What happens inside belongs to the stage `name`, one of STAGES."""
    assert name in STAGES, name
    start = time.perf_counter()
    yield
    if (seconds := _seconds.get()) is not None:
        seconds[name] = seconds.get(name, 0.0) + time.perf_counter() - start


@contextlib.contextmanager
def measured() -> Iterator[dict[str, float]]:
    """Collects the wall time of every stage that this thread goes through inside, seconds."""
    seconds: dict[str, float] = {}
    token = _seconds.set(seconds)
    try:
        yield seconds
    finally:
        _seconds.reset(token)
