"""SIGINT (Ctrl-C) and SIGTERM: set a flag that the work checks where its state can be saved."""

import contextlib
import ctypes
import signal
import sys
from collections.abc import Iterator

from mdeas.errors import Stopped

_STOP = (signal.SIGINT, signal.SIGTERM)
_PR_SET_PDEATHSIG = 1  # of linux/prctl.h: the signal that a process gets when its parent ends


class StopRequest:
    """Remembers the signal that asked this process to stop."""

    def __init__(self) -> None:
        self.signum: int | None = None

    def check(self) -> None:
        """Raise Stopped if a signal has come."""
        if self.signum is not None:
            name = signal.Signals(self.signum).name
            raise Stopped(self.signum, f"stopped by {name}. Run the same command again to go on.")


@contextlib.contextmanager
def stop_requests() -> Iterator[StopRequest]:
    """Inside, SIGINT and SIGTERM only set the StopRequest.

    Python lets only the main thread set handlers: in another thread signals do what they did before.
    """
    request = StopRequest()

    def remember(signum: int, _frame: object) -> None:
        request.signum = signum

    try:
        before = {number: signal.signal(number, remember) for number in _STOP}
    except ValueError:  # not the main thread
        before = {}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def stop_signals_blocked() -> Iterator[None]:
    """Block SIGINT and SIGTERM here and in the processes that are started inside; not on Windows."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # its first start, a part of the first spawn, would unblock them again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _STOP)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def ignore_stop_signals() -> None:
    """Ignore SIGINT and SIGTERM in this process from now on."""
    for signum in _STOP:
        signal.signal(signum, signal.SIG_IGN)


def end_with_parent(signum: int | None = None) -> None:
    """Have Linux send `signum` (None = SIGKILL) to this process when its parent ends; nothing elsewhere."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL if signum is None else signum)
