"""Ctrl-C and SIGTERM as a request that the work looks at where it can be saved."""

import contextlib
import ctypes
import signal
import sys
from collections.abc import Iterator

from mdeas.errors import Stopped

_PR_SET_PDEATHSIG = 1  # linux/prctl.h: which signal a process gets when its parent dies


class StopRequest:
    """Remembers the signal that asked this process to stop."""

    def __init__(self) -> None:
        self.signum: int | None = None

    def check(self) -> None:
        """Raise Stopped once a signal has come."""
        if self.signum is not None:
            name = signal.Signals(self.signum).name
            raise Stopped(self.signum, f"stopped by {name}. Run the same command again to go on.")


@contextlib.contextmanager
def stop_requests() -> Iterator[StopRequest]:
    """SIGINT and SIGTERM only set the StopRequest inside; outside the main thread they are left alone."""
    request = StopRequest()

    def remember(signum: int, _frame: object) -> None:
        request.signum = signum

    try:
        before = {number: signal.signal(number, remember) for number in (signal.SIGINT, signal.SIGTERM)}
    except ValueError:  # not the main thread
        before = {}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def follow_parent(signum: int) -> None:
    """From now on this process gets `signum` when the one that started it dies; only Linux can do that."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signum)
