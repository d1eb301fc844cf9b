"""From a maker to a finished data set: the same bytes for any number of workers and any interruption.

While it is made the folder has `.work/plan.json` (what is being made) and one record per finished shard.
`index.json` is written last and `.work` removed after it. So a folder is unfinished while it has a plan, and
finished when it has an index and no plan; the steps between are the same bytes when they are done again.
"""

import contextlib
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mdeas.create.plan import Maker, Shard, compare, plan_of, shards_of
from mdeas.create.pool import results
from mdeas.create.progress import progress
from mdeas.dataset import INDEX, read_index, seal, summary, verify
from mdeas.errors import InputError, StorageError, UsageError
from mdeas.files import (
    LOCK_NAME,
    json_bytes,
    kill_point,
    locked,
    quoted,
    read_json,
    remove_temporaries,
    sha256_bytes,
    sha256_file,
    storage,
    write_json,
)
from mdeas.rows import encode_row, pyarrow_parquet, write_shard
from mdeas.sample import SPLITS, check
from mdeas.signals import StopRequest, stop_requests

WORK, PLAN = ".work", "plan.json"
_SHARD_NAME = re.compile(rf"({'|'.join(SPLITS)})-\d{{5,}}\.parquet")


def build(
    maker: Maker,
    out: str | os.PathLike[str],
    *,
    workers: int = 1,
    force: bool = False,
    shard_rows: int = 250,
    photo_format: str = "jpeg",
) -> dict[str, Any]:
    """Make a data set in the folder `out`, or go on with one that was interrupted.

    Output: `dataset.summary`; a data set that is finished already is only reported.
    Errors: UsageError E-CHANGED (begun with other values; `force` starts over), StorageError E-EXISTS (the
    folder holds something else), E-LOCKED, E-FULL, ...; WorkerError; Stopped; what the maker raises.
    """
    pyarrow_parquet()
    if maker.count < 1 or workers < 1:
        raise UsageError(
            "E-COUNT", f"{maker.count} samples with {workers} workers. Ask for at least 1 of both."
        )
    out = Path(out)
    shards = shards_of(maker, shard_rows)
    plan = plan_of(maker, shards, shard_rows, photo_format)
    with stop_requests() as stop, locked(out):
        if not _begin(out, plan, force):
            _remove(out / WORK)
            return verify(out, deep=False)
        _remove_strays(out, {shard.name for shard in shards})
        records = _make(
            _Rows(maker, photo_format), out, shards, sha256_bytes(json_bytes(plan)), workers, stop
        )
        return summary(out, _finish(out, plan, [records[shard.name] for shard in shards]))


def _begin(out: Path, plan: dict[str, Any], force: bool) -> bool:
    """Bring the folder into the unfinished state; False when it is finished with this plan already."""
    before, finished = _state(out, force)
    if before is None:
        _refuse_foreign(out)
    if before == plan and not (finished and force):
        return not finished
    if before is not None and before != plan and not force:
        advice = "Use the same values, another folder, or --force to start over."
        raise UsageError(
            "E-CHANGED", f"{quoted(out)}: begun with other values: {compare(before, plan)}. {advice}"
        )
    write_json(out / WORK / PLAN, plan, force=True)
    kill_point("plan")
    return True


def _state(out: Path, force: bool) -> tuple[dict[str, Any] | None, bool]:
    """(The plan of what is in the folder or None, whether it is finished)."""
    if (out / WORK / PLAN).exists():
        return read_json(out / WORK / PLAN), False
    if not (out / INDEX).exists():
        return None, False
    try:
        index = read_index(out)
    except InputError:
        if not force:
            raise
        return {}, True
    return {key: value for key, value in index.items() if key not in ("shards", "sha256")}, True


def _refuse_foreign(out: Path) -> None:
    with storage(out):
        there = sorted(set(os.listdir(out)) - {LOCK_NAME, WORK})
    if there:
        what = f"holds {quoted(there[0])} and is not a data set"
        raise StorageError("E-EXISTS", f"{quoted(out)}: {what}. Choose an empty or new folder.")


def _remove_strays(out: Path, wanted: set[str]) -> None:
    """Remove what earlier data sets and interrupted writes of mdeas left here, and nothing else."""
    with storage(out):
        (out / "data").mkdir(exist_ok=True)
        (out / INDEX).unlink(missing_ok=True)
        for file in (out / "data").iterdir():
            if _SHARD_NAME.fullmatch(file.name) and file.name not in wanted:
                file.unlink()
    for folder in (out, out / "data", out / WORK):
        remove_temporaries(folder)


@dataclass(frozen=True)
class _Rows:
    """What the workers do: index -> encoded row."""

    maker: Maker
    photo_format: str

    def __call__(self, index: int) -> dict[str, Any]:
        return encode_row(check(self.maker.make(index)), self.photo_format)


def _make(
    rows: Callable[[int], dict[str, Any]],
    out: Path,
    shards: list[Shard],
    plan_digest: str,
    workers: int,
    stop: StopRequest,
) -> dict[str, dict[str, Any]]:
    """Write the shards that are not there yet; return the record of every shard by its name."""
    records = {shard.name: r for shard in shards if (r := _record(out, shard, plan_digest, stop))}
    left = [shard for shard in shards if shard.name not in records]
    home = {index: shard for shard in left for index in shard.indices}
    made: dict[str, dict[int, dict[str, Any]]] = {shard.name: {} for shard in left}
    total = sum(len(shard.indices) for shard in shards)
    with (
        progress("making samples", total, total - len(home)) as advance,
        contextlib.closing(results(rows, home, workers=workers, tick=stop.check)) as rows_made,
    ):
        for index, row in rows_made:
            shard = home[index]
            made[shard.name][index] = row
            advance()
            if len(made[shard.name]) == len(shard.indices):
                records[shard.name] = _commit(out, shard, made.pop(shard.name), plan_digest)
    return records


def _commit(out: Path, shard: Shard, rows: dict[int, dict[str, Any]], plan_digest: str) -> dict[str, Any]:
    written = write_shard(out / "data" / shard.name, [rows[i] for i in shard.indices], force=True)
    kill_point("shard")
    record = {**written, "split": shard.split}
    write_json(out / WORK / f"{shard.name}.json", {**record, "plan": plan_digest}, force=True)
    kill_point("record")
    return record


def _record(out: Path, shard: Shard, plan_digest: str, stop: StopRequest) -> dict[str, Any] | None:
    """The record of a shard that an earlier run of this plan finished and that is still as it was written."""
    stop.check()
    try:
        record = read_json(out / WORK / f"{shard.name}.json")
        whole = sha256_file(out / "data" / shard.name) == record["sha256"]
    except (InputError, KeyError):
        return None
    return record if whole and record.pop("plan") == plan_digest else None


def _finish(out: Path, plan: dict[str, Any], records: list[dict[str, Any]]) -> dict[str, Any]:
    index = seal({**plan, "shards": records})
    write_json(out / INDEX, index, force=True)
    kill_point("index")
    _remove(out / WORK)
    return index


def _remove(work: Path) -> None:
    with storage(work):
        # The plan goes first: without it the folder counts as finished, whatever else is still there.
        (work / PLAN).unlink(missing_ok=True)
        kill_point("cleaning")
        if work.exists():
            shutil.rmtree(work)
