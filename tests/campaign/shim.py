"""A file system that fails, in this process: the n-th call that changes something goes wrong.

What mdeas writes goes through mdeas.system.files and a few functions of os; these are replaced while the
shim is on.
A power cut leaves half of what was written since the last fsync, and lets nothing after it through, clean-up
included: the disk is then as a killed process on a failing machine would leave it. fsync itself is only
counted. A process that kills itself (tests/kill_at.py) ends in the same way.
"""

import builtins
import contextlib
import errno
import os
from pathlib import Path

from mdeas.system import files

_CALLS = ("open", "mkdir", "unlink", "rmdir", "replace", "fsync", "ftruncate", "write")
_TAKE_ROOM = ("open", "mkdir", "write", "fsync")


class PowerCut(BaseException):
    """Nothing can be done after this; no handler of errors catches it."""


class FailingDisk:
    """Counts calls; `fault(name, number)` raises to fail one."""

    def __init__(self, fault):
        self.fault, self.calls, self.cut = fault, [], False
        self._real = {name: getattr(os, name) for name in (*_CALLS, "close", "kill")}
        self._opened, self._unsynced = set(), set()

    def __enter__(self):
        for name in _CALLS:
            setattr(os, name, getattr(self, f"_{name}", None) or self._counted(name))
        os.close, os.kill = self._close, self._lose_power
        files.open = self._open_file
        return self

    def __exit__(self, *_):
        for name, function in self._real.items():
            setattr(os, name, function)
        del files.open
        for descriptor in self._opened:  # the kernel does this, and frees the locks, when a process dies
            os.close(descriptor)

    def count(self, name):
        """Let a call through, or raise."""
        if self.cut:
            raise PowerCut
        self.calls.append(name)
        try:
            self.fault(name, len(self.calls))
        except PowerCut:
            self._lose_power()

    def _lose_power(self, *_):
        self.cut = True
        for path in self._unsynced:
            with contextlib.suppress(FileNotFoundError):
                os.truncate(path, os.stat(path).st_size // 2)
        raise PowerCut

    def _counted(self, name):
        def call(*arguments, **options):
            self.count(name)
            return self._real[name](*arguments, **options)

        return call

    def _open(self, path, flags, *arguments, **options):
        if not flags & os.O_CREAT:
            return self._real["open"](path, flags, *arguments, **options)
        self.count("open")
        descriptor = self._real["open"](path, flags, *arguments, **options)
        self._opened.add(descriptor)
        return descriptor

    def _close(self, descriptor):
        self._opened.discard(descriptor)
        self._real["close"](descriptor)

    def _fsync(self, descriptor):
        self.count("fsync")
        self._unsynced.discard(os.readlink(f"/proc/self/fd/{descriptor}"))

    def _replace(self, source, target):
        self.count("replace")
        self._real["replace"](source, target)
        if os.path.realpath(source) in self._unsynced:
            self._unsynced.add(os.path.realpath(target))

    def _open_file(self, path, mode="r", **options):
        if "w" not in mode:
            return builtins.open(path, mode, **options)
        self.count("open")
        self._unsynced.add(os.path.realpath(path))
        return _File(self, path)


class _File:
    """A file open for writing, as far as mdeas.system.files uses it."""

    def __init__(self, disk, path):
        self._disk, self._file = disk, builtins.open(path, "wb", buffering=0)  # noqa: SIM115

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()

    def write(self, data):
        half = len(data) // 2
        self._file.write(data[:half])
        self._disk.count("write")
        self._file.write(data[half:])


def power_cut(at):
    """The machine stops at call number `at`."""

    def fault(name, number):
        if number == at:
            raise PowerCut

    return fault


def io_error(at, code=errno.EIO):
    """Call number `at` fails once."""

    def fault(name, number):
        if number == at:
            raise OSError(code, os.strerror(code))

    return fault


def full_disk(at, code=errno.ENOSPC):
    """From call number `at` on there is no room; removing and renaming still work."""

    def fault(name, number):
        if number >= at and name in _TAKE_ROOM:
            raise OSError(code, os.strerror(code))

    return fault


def read_only(at):
    """From call number `at` on nothing may be changed."""

    def fault(name, number):
        if number >= at:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    return fault


def healthy(name, number):
    """No fault."""


def temporaries(folder):
    """What interrupted writes have left in and below a folder."""
    return [path for path in Path(folder).rglob("*") if path.name.endswith(".tmp")]
