"""Pictures that could not be used: list them in errors.jsonl beside the results, then raise one error."""

import json
from collections.abc import Sequence
from pathlib import Path

from mdeas.errors import InputError, StorageError
from mdeas.system.files import json_lines, quoted, storage, write_bytes

ERRORS = "errors.jsonl"


def refuse_other_list(out: Path) -> None:
    """StorageError E-EXISTS if `out` holds an errors.jsonl that tell_failures did not write."""
    path = out / ERRORS
    if path.exists() and not (path.is_file() and _is_ours(path)):
        raise StorageError("E-EXISTS", f"{quoted(path)} was written by something else. Give another folder.")


def _is_ours(path: Path) -> bool:
    with storage(path), path.open(encoding="utf-8", errors="replace") as file:
        line = file.readline()
    try:
        record = json.loads(line)
    except ValueError:
        return False
    return isinstance(record, dict) and {"image", "code"} <= record.keys()


def tell_failures(out: Path, failures: Sequence[tuple[Path, InputError]], count: int) -> None:
    """List `failures` in errors.jsonl of `out`, in place of the list of an earlier run, then raise an error.

    Without failures remove an earlier list and return.
    Input: count: number of pictures, those without an error included.
    Errors: InputError E-SOME-FAILED, or the picture's own error if `count` is 1; StorageError.
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
