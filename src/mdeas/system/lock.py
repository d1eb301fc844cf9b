"""A lock that gives one folder to one process and says who holds it."""

import contextlib
import importlib.util
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

from mdeas.errors import StorageError
from mdeas.system.files import quoted, storage

LOCK_NAME = ".mdeas.lock"
_POSIX = importlib.util.find_spec("fcntl") is not None
_LOCKED_BYTE = 2**20  # Windows lets nobody read a locked byte: lock one far behind the holder's name


@contextlib.contextmanager
def locked(folder: str | os.PathLike[str]) -> Iterator[None]:
    """Hold `folder` for this process; a missing folder is made.

    The system holds the lock (flock on POSIX, a locked byte on Windows): when a process is killed, its
    lock is free at once. The file in the folder names the holder.
    Errors: StorageError E-LOCKED, which names the holder; E-FULL, E-READ-ONLY, E-IO.
    """
    path = Path(folder) / LOCK_NAME
    with storage(folder):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = _acquire(path)
    try:
        yield
    finally:
        _release(path, descriptor)


def _acquire(path: Path) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            if not _try_lock(descriptor):
                holder = os.read(descriptor, 1000).decode(errors="replace").strip() or "another process"
                raise StorageError("E-LOCKED", f"{quoted(path.parent)}: in use by {holder}. Wait for it.")
            if _is_still_at(path, descriptor):
                os.ftruncate(descriptor, 0)
                since = time.strftime("%Y-%m-%d %H:%M:%S")
                holder = f"process {os.getpid()} on {socket.gethostname()} since {since}"
                os.write(descriptor, f"{holder}\n".encode())
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # the last holder removed this file after we opened it: open the new one


def _try_lock(descriptor: int) -> bool:
    """Lock an open file; False when another process holds it. The file's position stays 0."""
    if _POSIX:
        import fcntl

        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
    import msvcrt

    os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
    try:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]  # only on Windows
    except PermissionError:
        return False
    finally:
        os.lseek(descriptor, 0, os.SEEK_SET)
    return True


def _is_still_at(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _release(path: Path, descriptor: int) -> None:
    """Remove the file and free the lock. A file that cannot be removed stays; the next holder takes it."""
    # POSIX: remove first, so that a process that waits with this file open sees that it is gone.
    # Windows removes no open file: close first. Removal then fails where another process has the file.
    if not _POSIX:
        os.close(descriptor)
    with contextlib.suppress(OSError):
        path.unlink()
    if _POSIX:
        os.close(descriptor)
