"""The pool: dead workers are replaced a few times; a bug shows its traceback."""

import os
import signal

import pytest

from mdeas.create.factory import pool
from mdeas.errors import WorkerError


def die(item):
    os.kill(os.getpid(), signal.SIGKILL)


def test_workers_that_keep_dying_end_with_exit_8():
    with pytest.raises(WorkerError, match="workers died 4 times") as caught:
        list(pool.results(die, [1, 2], workers=1, tick=lambda: None))
    assert (caught.value.code, caught.value.exit_code) == ("E-WORKER-DIED", 8)


def crash(item):
    return 1 // item


def test_a_bug_in_a_worker_shows_its_traceback():
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        list(pool.results(crash, [0], workers=1, tick=lambda: None))
