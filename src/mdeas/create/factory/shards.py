"""Make the rows of a shard, write its file, and record that it is finished."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mdeas.create.factory.plan import Shard
from mdeas.create.maker import Maker
from mdeas.dataset.rows import encode_row, write_shard
from mdeas.errors import InputError
from mdeas.sample import check
from mdeas.system.files import reached, read_json, sha256_file, storage, write_json

DATA, WORK = "data", ".work"

RowOrError = dict[str, Any] | InputError
"""A row of `dataset.rows.encode_row`, or the error for which it is left out."""


@dataclass(frozen=True)
class RowMaker:
    """The workers' function, index -> row; with `skip_bad` it returns an InputError instead of raising it."""

    maker: Maker
    photo_format: str
    skip_bad: bool

    def __call__(self, index: int) -> RowOrError:
        try:
            return encode_row(check(self.maker.make(index)), self.photo_format)
        except InputError as error:
            if not self.skip_bad:
                raise
            return error


def commit(out: Path, shard: Shard, made: dict[int, RowOrError], plan_digest: str) -> dict[str, Any]:
    """Write a shard, then its record.

    Output: the record: split, rows and left_out ({"index", "code", "message"} per sample without a row); and
        name, bytes and sha256, unless no row is left, so that no file is written.
    """
    rows = [row for i in shard.indices if not isinstance(row := made[i], InputError)]
    path = out / DATA / shard.name
    written: dict[str, Any] = {"rows": 0}
    if rows:
        written = write_shard(path, rows, force=True)
    else:
        with storage(path):
            path.unlink(missing_ok=True)
    reached("shard")
    errors = [(i, error) for i in shard.indices if isinstance(error := made[i], InputError)]
    left_out = [{"index": i, **error.record()} for i, error in errors]
    record = {**written, "split": shard.split, "left_out": left_out}
    write_json(_record_path(out, shard), {**record, "plan": plan_digest}, force=True)
    reached("record")
    return record


def finished(out: Path, shard: Shard, plan_digest: str, skip_bad: bool) -> dict[str, Any] | None:
    """Return the record of a shard that an earlier run of this plan finished, else None.

    Output: None, too, if its file was changed, or if samples were left out and `skip_bad` is now off.
    """
    try:
        record = read_json(_record_path(out, shard))
        whole = sha256_file(out / DATA / shard.name) == record["sha256"]
    except (InputError, KeyError):
        return None
    usable = whole and record.pop("plan") == plan_digest and (skip_bad or not record["left_out"])
    return record if usable else None


def _record_path(out: Path, shard: Shard) -> Path:
    return out / WORK / f"{shard.name}.json"
