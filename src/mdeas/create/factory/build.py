"""Build a data set with a maker: the same bytes for any number of workers and any interruption.

During the build, `.work` holds plan.json (see plan.py) and one record per finished shard. `index.json` is
written last; then `.work` is removed. So a folder with a plan is unfinished, and a folder with an index and
without a plan is finished. Repeating any step writes the same bytes.

A sample with bad sources stops the build with its error. With `skip_bad` it is left out of its shard and
becomes a line of `errors.jsonl`; this, too, depends on the plan alone.
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
from mdeas.create.factory.shards import DATA, WORK, RowMaker, RowOrError, commit, finished
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


def build(maker: Maker, options: BuildOptions, engine: Engine | None = None) -> dict[str, Any]:
    """Make a data set in the folder `options.out`, or continue an interrupted one.

    Input: engine: an open engine; None = open the engine that `options` names.
    Output: `dataset.summary`. A finished data set is not made again, only summarised.
    Errors: UsageError E-CHANGED (begun with other values; `force` starts over), E-COUNT; StorageError
        E-EXISTS (the folder holds something else), E-LOCKED, E-FULL, ...; WorkerError; Stopped; what the
        maker raises; InputError E-ALL-BAD when `skip_bad` leaves no sample.
    """
    pyarrow_parquet()
    workers, out = options.workers, Path(options.out)
    if maker.count < 1 or workers < 1:
        raise UsageError(
            "E-COUNT", f"{maker.count} samples with {workers} workers. Ask for at least 1 of each."
        )
    if engine is None:
        with open_engine(options.engine, address=options.address, workers=workers) as opened:
            return build(maker, options, opened)
    shards = shards_of(maker, options.shard_rows)
    plan = plan_of(maker, shards, options.shard_rows, options.photo_format)
    with stop_requests() as stop, locked(out):
        if not _begin(out, plan, options.force):
            _remove_work(out / WORK)
            return verify(out, deep=False)
        _remove_strays(out, {shard.name for shard in shards})
        make_row = RowMaker(maker, options.photo_format, options.skip_bad)
        records = _make_shards(make_row, out, shards, sha256_bytes(json_bytes(plan)), engine, workers, stop)
        return summary(out, _finish(out, plan, [records[shard.name] for shard in shards], maker.left_out))


def _begin(out: Path, plan: dict[str, Any], force: bool) -> bool:
    """Mark the folder as unfinished; return False if it is finished already with this plan."""
    before, is_finished = _found_plan(out, force)
    if before is None:
        _refuse_foreign_files(out)
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


def _found_plan(out: Path, force: bool) -> tuple[dict[str, Any] | None, bool]:
    """Return (plan of the data set in the folder, None = no data set; whether the data set is finished)."""
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


def _refuse_foreign_files(out: Path) -> None:
    """Raise StorageError E-EXISTS when a folder without a data set is not empty."""
    with storage(out):
        there = sorted(set(os.listdir(out)) - {LOCK_NAME, WORK})
    if there:
        what = f"holds {quoted(there[0])} and is not a data set"
        raise StorageError("E-EXISTS", f"{quoted(out)}: {what}. Choose an empty or new folder.")


def _remove_strays(out: Path, wanted: set[str]) -> None:
    """Remove files of earlier data sets and of interrupted writes of mdeas; keep all other files."""
    with storage(out):
        (out / DATA).mkdir(exist_ok=True)
        for name in (INDEX, ERRORS):
            (out / name).unlink(missing_ok=True)
        for file in (out / DATA).iterdir():
            if _SHARD_NAME.fullmatch(file.name) and file.name not in wanted:
                file.unlink()
    for folder in (out, out / DATA, out / WORK):
        remove_temporaries(folder)


def _make_shards(
    make_row: RowMaker,
    out: Path,
    shards: list[Shard],
    plan_digest: str,
    engine: Engine,
    workers: int,
    stop: StopRequest,
) -> dict[str, dict[str, Any]]:
    """Write the missing shards; return the record of every shard by its name."""
    records = {}
    for shard in shards:
        stop.check()
        if record := finished(out, shard, plan_digest, make_row.skip_bad):
            records[shard.name] = record
    left = [shard.indices for shard in shards if shard.name not in records]
    items = itertools.chain.from_iterable(left)
    count = make_row.maker.count
    with (
        progress("making samples", count, count - sum(map(len, left))) as advance,
        contextlib.closing(engine.results(make_row, items, workers=workers, tick=stop.check)) as made,
    ):
        complete = _complete_shards(made, shards, advance)
        for shard, rows in engine.labelled(make_row.maker, complete, stop.check):
            records[shard.name] = commit(out, shard, rows, plan_digest)
    return records


def _complete_shards(
    made: Iterable[tuple[int, RowOrError]], shards: list[Shard], advance: Callable[[], None]
) -> Iterator[tuple[Shard, dict[int, RowOrError]]]:
    """Collect rows in any order; yield (shard, its rows by index) as soon as a shard is complete."""
    shard_of = array("q", bytes(8 * sum(len(shard.indices) for shard in shards)))
    for number, shard in enumerate(shards):
        for index in shard.indices:
            shard_of[index] = number
    collected: dict[str, dict[int, RowOrError]] = defaultdict(dict)
    for index, row in made:
        shard = shards[shard_of[index]]
        collected[shard.name][index] = row
        advance()
        if len(collected[shard.name]) == len(shard.indices):
            yield shard, collected.pop(shard.name)


def _finish(
    out: Path, plan: dict[str, Any], records: list[dict[str, Any]], sources: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """Write errors.jsonl if a source or sample was left out, then index.json; return the index."""
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
    _remove_work(out / WORK)
    return index


def _remove_work(work: Path) -> None:
    """Remove the folder `.work`."""
    with storage(work):
        # The plan goes first: without it the folder counts as finished, whatever else `.work` still holds.
        (work / PLAN).unlink(missing_ok=True)
        reached("cleaning")
        if work.exists():
            shutil.rmtree(work)
