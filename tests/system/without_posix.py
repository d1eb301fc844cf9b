"""The command line on a machine that has what Windows has: without_posix.py WORDS... .

POSIX modules and functions are hidden, and a stand-in for msvcrt locks files. Worker processes are spawned,
as on Windows; they import this file, so that it hides all that from them, too.
"""

import fcntl
import multiprocessing.popen_spawn_posix
import os
import signal
import sys
from multiprocessing import resource_tracker
from types import ModuleType

MODULES = ("fcntl", "grp", "pwd", "resource", "syslog", "termios")
OF_OS = (
    *("O_CLOEXEC", "O_DIRECTORY", "O_NONBLOCK", "chown", "fchmod", "fork", "getpgid", "getuid", "killpg"),
    *("mkfifo", "pread", "pwrite", "sched_getaffinity", "setsid", "statvfs", "sysconf", "uname"),
)
OF_SIGNAL = ("SIGALRM", "SIGHUP", "SIGUSR1", "SIGXFSZ", "alarm", "pthread_sigmask", "setitimer")


def hide() -> None:
    """Hide what Windows lacks."""
    sys.modules["msvcrt"] = _msvcrt()
    sys.modules.update(dict.fromkeys(MODULES))
    for module, names in ((os, OF_OS), (signal, OF_SIGNAL)):
        for name in names:
            delattr(module, name)
    resource_tracker._HAVE_SIGMASK = False  # it looked before
    from mdeas.system import files

    files._WINDOWS = True  # where no folder can be opened


def _msvcrt() -> ModuleType:
    """Its lock of a byte range, made with POSIX's."""
    module = ModuleType("msvcrt")
    module.LK_NBLCK = 2

    def locking(descriptor: int, mode: int, num_bytes: int) -> None:
        assert mode == module.LK_NBLCK
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, num_bytes, 0, os.SEEK_CUR)
        except OSError as error:
            raise PermissionError(*error.args) from error

    module.locking = locking
    return module


if __name__ in ("__main__", "__mp_main__"):
    # Third parties have code of their own for Windows: import them before anything is hidden.
    import onnxruntime  # noqa: F401

    if {"create", "train"} & set(sys.argv):
        import lightning_fabric  # noqa: F401
        import torch.utils.tensorboard  # noqa: F401
    hide()

if __name__ == "__main__":
    from mdeas import cli

    multiprocessing.set_start_method("spawn")
    sys.exit(cli.main(sys.argv[1:]))
