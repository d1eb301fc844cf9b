"""Read and write files. A file is written as a whole or not at all, and stays after a power cut."""

import contextlib
import csv
import errno
import hashlib
import io
import json
import os
import re
import shutil
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping
from io import BufferedReader
from pathlib import Path
from typing import Any, TypedDict

from mdeas.errors import InputError, StorageError, UsageError

_TEMPORARY = re.compile(r"\..+\.\d+\.tmp(\.\w+)?")
_LONGEST_NAME = 255  # bytes; the limit of ext4, xfs, btrfs and tmpfs
_WINDOWS = sys.platform == "win32"
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FORBIDDEN = (errno.EROFS, errno.EACCES, errno.EPERM)


class FileRecord(TypedDict):
    """What an index says of a file."""

    name: str
    bytes: int
    sha256: str


def sha256_bytes(data: bytes) -> str:
    """Hexadecimal SHA-256 of `data`."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: str | os.PathLike[str]) -> str:
    """Hexadecimal SHA-256 of a file, read in pieces; InputError E-FILE when it cannot be read."""
    try:
        with open_input(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError("E-FILE", f"{quoted(path)}: {error.strerror}. Check the path.") from error


class NotRegularFileError(OSError):
    """A FIFO, a device or a socket where a file was expected."""


def open_input(path: str | os.PathLike[str]) -> BufferedReader:
    """Open a regular file for reading. A FIFO is not waited for and a device is not read.

    Errors: NotRegularFileError; any other OSError of `open`.
    """
    # Windows has no O_NONBLOCK, and no FIFO among its files.
    no_wait = getattr(os, "O_NONBLOCK", 0)
    file = open(path, "rb", opener=lambda name, flags: os.open(name, flags | no_wait))  # noqa: SIM115
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise NotRegularFileError(errno.EINVAL, "not a regular file", os.fspath(path))
    return file


def reopening_path(file: BufferedReader) -> str:
    """Return a path by which a library can open the same file again, even if it was renamed meanwhile.

    Output: a path in /dev/fd; the file's own name where the system has none (Windows).
    """
    path = f"/dev/fd/{file.fileno()}"
    return path if os.path.exists(path) else os.fsdecode(file.name)


def quoted(path: str | os.PathLike[str]) -> str:
    """A path as a message shows it: in quotes, on one line, printable whatever bytes its name has."""
    return repr(os.fspath(path))


def write_bytes(path: str | os.PathLike[str], data: bytes, *, force: bool = False) -> FileRecord:
    """Write `data` to `path`: temporary file in the same folder, fsync, rename, fsync of the folder.

    Missing folders are made.
    Output: the record of the file.
    Errors: StorageError E-EXISTS (without `force`), E-FULL, E-READ-ONLY, E-IO. The temporary file is removed.
    """
    with replacing(path, force=force, needed=len(data)) as temporary, open(temporary, "wb") as file:
        file.write(data)
    return {"name": Path(path).name, "bytes": len(data), "sha256": sha256_bytes(data)}


@contextlib.contextmanager
def replacing(
    path: str | os.PathLike[str], *, force: bool = False, needed: int = 0, ending: str = ""
) -> Iterator[Path]:
    """Yield a temporary path, which is renamed to `path` when the block ends without an error.

    Input:
        needed: bytes of the file, for the message of a full disk.
        ending: of the temporary name, for libraries that choose a format by it.
    Errors: as `write_bytes`, which writes in the same way.
    """
    path = Path(path)
    refuse_existing(path, force)
    temporary = _temporary(path, ending)
    with storage(path, needed):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
            _sync(temporary)
            reached("temporary")
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        reached("renamed")
        _sync(path.parent)


def refuse_existing(path: str | os.PathLike[str], force: bool) -> None:
    """StorageError E-EXISTS when something is at `path`, unless `force`."""
    if not force and os.path.lexists(path):
        raise StorageError(
            "E-EXISTS", f"{quoted(path)}: exists already. Choose another name or pass --force."
        )


def refuse_outputs(
    outputs: Iterable[str | os.PathLike[str]],
    inputs: Iterable[str | os.PathLike[str]],
    force: bool,
    advice: str = "Give another name with -o.",
) -> None:
    """Check the outputs before any work.

    Errors: UsageError E-OUT-IS-INPUT, E-OUT-TWICE; StorageError E-EXISTS without `force`.
    """
    protected = {os.path.realpath(path): "E-OUT-IS-INPUT" for path in inputs}
    what = {"E-OUT-IS-INPUT": "is an input", "E-OUT-TWICE": "would be written twice"}
    for output in outputs:
        place = os.path.realpath(output)
        if code := protected.get(place):
            raise UsageError(code, f"{quoted(output)} {what[code]}. {advice}")
        protected[place] = "E-OUT-TWICE"
        refuse_existing(output, force)


def write_json(path: str | os.PathLike[str], value: object, *, force: bool = False) -> FileRecord:
    """Write `value` as JSON: the same bytes for the same value. Output and errors: as `write_bytes`."""
    return write_bytes(path, json_bytes(value), force=force)


def json_bytes(value: object) -> bytes:
    """The one JSON form of mdeas: sorted keys, indent 1, ASCII because file names need not be UTF-8."""
    return (json.dumps(value, sort_keys=True, indent=1, allow_nan=False) + "\n").encode()


def json_lines(values: Iterable[object]) -> bytes:
    """One line of JSON per value: the same bytes for the same values."""
    return "".join(json.dumps(value, sort_keys=True, allow_nan=False) + "\n" for value in values).encode()


def csv_bytes(columns: Iterable[str], rows: Iterable[Mapping[str, object]]) -> bytes:
    """The one CSV form of mdeas: a header, then the rows; a column that a row lacks stays empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(columns), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def read_json_if_any(path: str | os.PathLike[str]) -> Any | None:
    """The value in a JSON file; None when the file is missing or is not JSON."""
    try:
        return read_json(path)
    except InputError:
        return None


def read_json(path: str | os.PathLike[str]) -> Any:
    """The value in a JSON file; InputError E-JSON when the file is missing or is not JSON."""
    try:
        return json.loads(Path(path).read_bytes())
    except OSError as error:
        raise InputError("E-JSON", f"{quoted(path)}: {error.strerror}. Check the path.") from error
    except (ValueError, RecursionError) as error:
        raise InputError(
            "E-JSON",
            f"{quoted(path)}: not a JSON file, or a damaged one ({error}). Check the path, or make it again.",
        ) from error


def remove_temporaries(folder: str | os.PathLike[str]) -> None:
    """Delete the temporary files of interrupted writes in `folder`, not below it. Hold its lock first."""
    with storage(folder):
        for entry in os.scandir(folder):
            if _TEMPORARY.fullmatch(entry.name):
                os.unlink(entry.path)


@contextlib.contextmanager
def storage(path: str | os.PathLike[str], needed: int = 0) -> Iterator[None]:
    """Turn an OSError in the block into a StorageError that names `path` and the cause.

    Input: needed: bytes to be written, for the message of a full disk.
    Errors: StorageError E-FULL, E-READ-ONLY, E-IO.
    """
    try:
        yield
    except OSError as error:
        raise _storage_error(path, needed, error) from error


def reached(step: str) -> None:
    """Announce a step of a write: audit event "mdeas.reached" (PEP 578). Tests kill the process there."""
    sys.audit("mdeas.reached", step)


def _temporary(path: Path, ending: str) -> Path:
    """A hidden name in the folder of `path`, with this process's number, cut to what a file system allows."""
    tail = f".{os.getpid()}.tmp{ending}"
    name = os.fsencode(path.name)[: _LONGEST_NAME - 1 - len(tail)]
    return path.with_name("." + os.fsdecode(name) + tail)


def _sync(path: Path) -> None:
    """Wait until a file's content, or the names in a folder, are on the disk."""
    if _WINDOWS and path.is_dir():
        return  # Windows opens no folder; NTFS writes names to its journal itself
    descriptor = os.open(path, os.O_RDWR if _WINDOWS else os.O_RDONLY)  # Windows flushes no read-only file
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _storage_error(path: str | os.PathLike[str], needed: int, error: OSError) -> StorageError:
    reason = f"{quoted(path)}: {error.strerror}"
    if error.errno in _FULL:
        room = f"needed {needed:,} bytes, {_free_bytes(path):,} free"
        return StorageError("E-FULL", f"{reason} ({room}). Make room and run the same command again.")
    if error.errno in _FORBIDDEN:
        return StorageError("E-READ-ONLY", f"{reason}. Choose a folder that you may write to.")
    if isinstance(error, FileExistsError | NotADirectoryError):
        return StorageError("E-IO", f"{quoted(path)}: a file is where a folder is needed. Give another name.")
    if isinstance(error, IsADirectoryError):
        return StorageError("E-IO", f"{quoted(path)}: a folder is where a file is needed. Give another name.")
    return StorageError("E-IO", f"{reason}. Check the path and the disk, then run the same command again.")


def _free_bytes(path: str | os.PathLike[str]) -> int:
    for place in (Path(path), *Path(path).absolute().parents):
        if place.exists():
            return shutil.disk_usage(place).free
    return 0
