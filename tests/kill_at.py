"""Kill a process by SIGKILL at a named step of a write, such as "index", or its second time, "index:2".

The steps are those that mdeas.system.files.reached announces.

In this process and its forks: `with kill_at("index:2"): ...`.
In another: python kill_at.py STEP PROGRAM.py ARGUMENTS..., or python kill_at.py STEP mdeas ARGUMENTS... .
"""

import contextlib
import os
import runpy
import signal
import sys

_wanted = ""
_times_left = 0
_listening = False


@contextlib.contextmanager
def kill_at(step):
    """Inside, the process dies at `step`."""
    global _wanted, _times_left, _listening
    if not _listening:  # an audit hook cannot be removed again
        sys.addaudithook(_kill)
        _listening = True
    _wanted, _, times = step.partition(":")
    _times_left = int(times or 1)
    try:
        yield
    finally:
        _wanted = ""


def command(step, *words):
    """The command line of a Python program, or of mdeas, that dies at `step`."""
    return [sys.executable, __file__, step, *map(str, words)]


def _kill(event, arguments):
    global _times_left
    if event == "mdeas.reached" and arguments == (_wanted,):
        _times_left -= 1
        if _times_left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    del sys.argv[0]
    with kill_at(sys.argv.pop(0)):
        if sys.argv[0] == "mdeas":
            runpy.run_module("mdeas", run_name="__main__", alter_sys=True)
        else:
            runpy.run_path(sys.argv[0], run_name="__main__")
