"""What could not be used while the rest was done: a list beside the results, and one error at the end."""

from collections.abc import Sequence
from pathlib import Path

from mdeas.errors import InputError
from mdeas.files import json_lines, quoted, storage, write_bytes

ERRORS = "errors.jsonl"


def tell_failures(out: Path, failures: Sequence[tuple[Path, InputError]], count: int) -> None:
    """Raise what went wrong with some of `count` pictures, after listing it in `out`.

    The list is of this run: that of an earlier one is replaced, or removed. Errors: InputError E-SOME-FAILED;
    with one picture in all its own error; StorageError.
    """
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
