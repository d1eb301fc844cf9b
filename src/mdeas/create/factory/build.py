"""From a maker to a finished data set: the same bytes for any number of workers and any interruption.

While it is made the folder has `.work/plan.json` (what is being made) and one record per finished shard.
`index.json` is written last and `.work` removed after it. So a folder is unfinished while it has a plan, and
finished when it has an index and no plan; the steps between are the same bytes when they are done again.

A sample whose sources are bad stops the run with its error, or, with `skip_bad`, becomes a line of
`errors.jsonl` and is missing in its shard: that too depends on nothing but the plan.
"""

import contextlib
import itertools
import os
import re
import shutil
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from mdeas.create.factory.engine import Engine, open_engine
from mdeas.create.factory.options import BuildOptions
from mdeas.create.factory.plan import Shard, compare, index_of, plan_behind, plan_of, shards_of
from mdeas.create.factory.shards import DATA, WORK, Made, Rows, commit, finished
from mdeas.create.maker import Maker
from mdeas.dataset.dataset import INDEX, read_index, seal, summary, verify
from mdeas.errors import InputError, StorageError, UsageError
from mdeas.sample import SPLITS
from mdeas.system.failures import ERRORS
from mdeas.system.files import (
    json_bytes,
    json_lines,
    quoted,
    reached,
    read_json,
    remove_temporaries,
    sha256_bytes,
    storage,
    write_bytes,
    write_json,
)
from mdeas.system.lock import LOCK_NAME, locked
from mdeas.system.optional import pyarrow_parquet
from mdeas.system.progress import progress
from mdeas.system.signals import StopRequest, stop_requests

PLAN = "plan.json"
_SHARD_NAME = re.compile(rf"({'|'.join(SPLITS)})-\d{{5,}}\.parquet")


def build(
    maker: Maker,
    options: BuildOptions,
    engine: Engine | None = None,
) -> dict[str, Any]:
    """Make a data set in the folder `options.out`, or go on with one that was interrupted.

    Input: engine: one that is open already; None opens the one that `options` name.
    Output: `dataset.summary`; a data set that is finished already is only reported.
    Errors: UsageError E-CHANGED (begun with other values; `force` starts over), StorageError E-EXISTS (the
    folder holds something else), E-LOCKED, E-FULL, ...; WorkerError; Stopped; what the maker raises;
    InputError E-ALL-BAD when `skip_bad` leaves nothing.
    """
    pyarrow_parquet()
    workers, out = options.workers, Path(options.out)
    if maker.count < 1 or workers < 1:
        raise UsageError(
            "E-COUNT", f"{maker.count} samples with {workers} workers. Ask for at least 1 of both."
        )
    if engine is None:
        with open_engine(options.engine, address=options.address, workers=workers) as opened:
            return build(maker, options, opened)
    shards = shards_of(maker, options.shard_rows)
    plan = plan_of(maker, shards, options.shard_rows, options.photo_format)
    with stop_requests() as stop, locked(out):
        if not _begin(out, plan, options.force):
            _remove(out / WORK)
            return verify(out, deep=False)
        _remove_strays(out, {shard.name for shard in shards})
        rows = Rows(maker, options.photo_format, options.skip_bad)
        records = _make(rows, out, shards, sha256_bytes(json_bytes(plan)), engine, workers, stop)
        return summary(out, _finish(out, plan, [records[shard.name] for shard in shards], maker.left_out))


def _begin(out: Path, plan: dict[str, Any], force: bool) -> bool:
    """Bring the folder into the unfinished state; False when it is finished with this plan already."""
    before, is_finished = _state(out, force)
    if before is None:
        _refuse_foreign(out)
    if before == plan and not (is_finished and force):
        return not is_finished
    if before is not None and before != plan and not force:
        advice = "Use the same values, another folder, or --force to start over."
        raise UsageError(
            "E-CHANGED", f"{quoted(out)}: begun with other values: {compare(before, plan)}. {advice}"
        )
    write_json(out / WORK / PLAN, plan, force=True)
    reached("plan")
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
    return plan_behind(index), True


def _refuse_foreign(out: Path) -> None:
    with storage(out):
        there = sorted(set(os.listdir(out)) - {LOCK_NAME, WORK})
    if there:
        what = f"holds {quoted(there[0])} and is not a data set"
        raise StorageError("E-EXISTS", f"{quoted(out)}: {what}. Choose an empty or new folder.")


def _remove_strays(out: Path, wanted: set[str]) -> None:
    """Remove what earlier data sets and interrupted writes of mdeas left here, and nothing else."""
    with storage(out):
        (out / DATA).mkdir(exist_ok=True)
        for name in (INDEX, ERRORS):
            (out / name).unlink(missing_ok=True)
        for file in (out / DATA).iterdir():
            if _SHARD_NAME.fullmatch(file.name) and file.name not in wanted:
                file.unlink()
    for folder in (out, out / DATA, out / WORK):
        remove_temporaries(folder)


def _make(
    rows: Rows,
    out: Path,
    shards: list[Shard],
    plan_digest: str,
    engine: Engine,
    workers: int,
    stop: StopRequest,
) -> dict[str, dict[str, Any]]:
    """Write the shards that are not there yet; return the record of every shard by its name."""
    records = {}
    for shard in shards:
        stop.check()
        if record := finished(out, shard, plan_digest, rows.skip_bad):
            records[shard.name] = record
    left = [shard.indices for shard in shards if shard.name not in records]
    items = itertools.chain.from_iterable(left)
    with (
        progress("making samples", _num(shards), _num(shards) - sum(map(len, left))) as advance,
        contextlib.closing(engine.results(rows, items, workers=workers, tick=stop.check)) as rows_made,
    ):
        whole = _whole(rows_made, shards, advance)
        for shard, made in engine.labelled(rows.maker, whole, stop.check):
            records[shard.name] = commit(out, shard, made, plan_digest)
    return records


def _num(shards: Iterable[Shard]) -> int:
    return sum(len(shard.indices) for shard in shards)


def _whole(
    rows_made: Iterable[tuple[int, Made]], shards: list[Shard], advance: Callable[[], None]
) -> Iterator[tuple[Shard, dict[int, Made]]]:
    """Each shard once all of its samples are there, and they."""
    home = array("q", bytes(8 * _num(shards)))
    for number, shard in enumerate(shards):
        for index in shard.indices:
            home[index] = number
    made: dict[str, dict[int, Made]] = defaultdict(dict)
    for index, row in rows_made:
        shard = shards[home[index]]
        made[shard.name][index] = row
        advance()
        if len(made[shard.name]) == len(shard.indices):
            yield shard, made.pop(shard.name)


def _finish(
    out: Path, plan: dict[str, Any], records: list[dict[str, Any]], sources: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """Write errors.jsonl when something was left out, then index.json."""
    samples = sorted((e for record in records for e in record["left_out"]), key=lambda error: error["index"])
    if errors := [*sources, *samples]:
        write_bytes(out / ERRORS, json_lines(errors), force=True)
        reached("errors")
    if len(samples) == plan["count"]:
        what = f"none of the {plan['count']} samples can be made, see {quoted(out / ERRORS)}. The first"
        raise InputError("E-ALL-BAD", f"{what}: [{samples[0]['code']}] {samples[0]['message']}")
    index = seal(index_of(plan, records, len(sources)))
    write_json(out / INDEX, index, force=True)
    reached("index")
    _remove(out / WORK)
    return index


def _remove(work: Path) -> None:
    with storage(work):
        # The plan goes first: without it the folder counts as finished, whatever else is still there.
        (work / PLAN).unlink(missing_ok=True)
        reached("cleaning")
        if work.exists():
            shutil.rmtree(work)
