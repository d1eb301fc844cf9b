"""One shard on its way to disk: the rows that workers make, the file, and the record that it is finished."""

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

Made = dict[str, Any] | InputError
"""A row of `rows.encode_row`, or why there is none."""


@dataclass(frozen=True)
class Rows:
    """What the workers do: index -> row. With `skip_bad` the error of bad sources stands for the row."""

    maker: Maker
    photo_format: str
    skip_bad: bool

    def __call__(self, index: int) -> Made:
        try:
            return encode_row(check(self.maker.make(index)), self.photo_format)
        except InputError as error:
            if not self.skip_bad:
                raise
            return error


def commit(out: Path, shard: Shard, made: dict[int, Made], plan_digest: str) -> dict[str, Any]:
    """Write a shard and then its record, which is the output.

    The record: split, rows and left_out ({"index", "code", "message"} per sample without a row); name, bytes
    and sha256 too, unless no row is left and therefore no file is written.
    """
    rows = [row for i in shard.indices if not isinstance(row := made[i], InputError)]
    written = _write(out / DATA / shard.name, rows)
    reached("shard")
    errors = [(i, error) for i in shard.indices if isinstance(error := made[i], InputError)]
    left_out = [{"index": i, **error.record()} for i, error in errors]
    record = {**written, "split": shard.split, "left_out": left_out}
    write_json(_record_path(out, shard), {**record, "plan": plan_digest}, force=True)
    reached("record")
    return record


def finished(out: Path, shard: Shard, plan_digest: str, skip_bad: bool) -> dict[str, Any] | None:
    """The record of a shard that an earlier run of this plan finished and that is still as it was written.

    None also where samples were left out and now, without `skip_bad`, must not be.
    """
    try:
        record = read_json(_record_path(out, shard))
        whole = sha256_file(out / DATA / shard.name) == record["sha256"]
    except (InputError, KeyError):
        return None
    usable = whole and record.pop("plan") == plan_digest and (skip_bad or not record["left_out"])
    return record if usable else None


def _write(path: Path, rows: list[dict[str, Any]]) -> dict[str, Any]:
    if rows:
        return write_shard(path, rows, force=True)
    with storage(path):
        path.unlink(missing_ok=True)
    return {"rows": 0}


def _record_path(out: Path, shard: Shard) -> Path:
    return out / WORK / f"{shard.name}.json"
