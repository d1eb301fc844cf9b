"""What could not be used while the rest was done: a list beside the results, and one error at the end."""

import json
from collections.abc import Sequence
from pathlib import Path

from mdeas.errors import InputError, StorageError
from mdeas.system.files import json_lines, quoted, storage, write_bytes

ERRORS = "errors.jsonl"


def refuse_other_list(out: Path) -> None:
    """StorageError E-EXISTS where `out` has an errors.jsonl that tell_failures did not write."""
    path = out / ERRORS
    if path.exists() and not (path.is_file() and _is_ours(path)):
        raise StorageError("E-EXISTS", f"{quoted(path)} is not of this command. Give another folder.")


def _is_ours(path: Path) -> bool:
    with storage(path), path.open(encoding="utf-8", errors="replace") as file:
        line = file.readline()
    try:
        record = json.loads(line)
    except ValueError:
        return False
    return isinstance(record, dict) and {"image", "code"} <= record.keys()


def tell_failures(out: Path, failures: Sequence[tuple[Path, InputError]], count: int) -> None:
    """Raise what went wrong with some of `count` pictures, after listing it in `out`.

    The list is of this run: that of an earlier one is replaced, or removed. Errors: InputError E-SOME-FAILED;
    with one picture in all its own error; StorageError, also that of refuse_other_list.
    """
    refuse_other_list(out)
    path = out / ERRORS
    if not failures:
        with storage(path):
            path.unlink(missing_ok=True)
        return
    lines = json_lines({"image": str(image), **error.record()} for image, error in failures)
    write_bytes(path, lines, force=True)
    first = failures[0][1]
    if count == 1:
        raise first
    what = f"{len(failures)} of {count} pictures could not be used, listed in {quoted(path)}"
    raise InputError("E-SOME-FAILED", f"{what}. The first: [{first.code}] {first}")
