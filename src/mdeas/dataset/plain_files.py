"""A data set as files that other programs read: pictures with a table, or webdataset tars.

The folder is unfinished while it has `.export.json`, which says what is being written, and finished when it
has `export.json` with the same. `mdeas import` reads both forms back.
"""

import io
import itertools
import json
import operator
import os
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from mdeas.dataset.dataset import Dataset
from mdeas.dataset.rows import PICTURES
from mdeas.errors import StorageError
from mdeas.sample import SPLITS
from mdeas.system.files import (
    csv_bytes,
    json_bytes,
    quoted,
    reached,
    read_json_if_any,
    remove_temporaries,
    replacing,
    storage,
    write_bytes,
    write_json,
)
from mdeas.system.lock import LOCK_NAME, locked
from mdeas.system.progress import progress
from mdeas.system.signals import stop_requests

PLAN, RECORD, TABLE = ".export.json", "export.json", "label_data.csv"
ROWS_PER_TAR = 1000
_FACTS = ("depth_kind", "depth_scale", "background_id", "foreground_ids", "source", "meta")
_COLUMNS = ("id", "split", *PICTURES, *_FACTS)


def export_data(dataset: Path, out: Path, *, form: str, split: str | None) -> dict[str, Any]:
    """Write the samples of a data set, or of one split of it, into the folder `out`.

    Input: form: "folder": `label_data.csv` and a file per picture. "webdataset": `SPLIT-00000.tar` of
        ROWS_PER_TAR samples each. Pictures are the bytes of the data set.
    Output: path, samples; what is finished already is only reported.
    Errors: StorageError E-EXISTS (the folder holds something else), E-FULL, ...; Stopped; those of Dataset.
    """
    samples = Dataset(dataset, split)
    plan = {"dataset": samples.fingerprint, "form": form, "split": split, "samples": len(samples)}
    about = {name: samples.index[name] for name in ("recipe", "seed", "provenance")}
    record = json.loads(json_bytes(plan | about))
    with locked(out):
        if read_json_if_any(out / RECORD) != record:
            _begin(out, plan)
            FORMS[form](_rows(samples), out)
            write_json(out / RECORD, record, force=True)
            reached("record")
        with storage(out):
            (out / PLAN).unlink(missing_ok=True)
    return {"path": os.fspath(out), "samples": len(samples)}


def _begin(out: Path, plan: dict[str, Any]) -> None:
    """Say what is being written, in an empty folder or one where this was said before."""
    remove_temporaries(out)
    if read_json_if_any(out / PLAN) == plan:
        return
    with storage(out):
        there = sorted(set(os.listdir(out)) - {LOCK_NAME})
    if there:
        what = f"holds {quoted(there[0])} and is not this export, unfinished"
        raise StorageError("E-EXISTS", f"{quoted(out)}: {what}. Choose an empty or new folder.")
    write_json(out / PLAN, plan)
    reached("plan")


def _rows(samples: Dataset) -> Iterator[dict[str, Any]]:
    """Every row, split by split."""
    with progress("writing samples", len(samples)) as advance, stop_requests() as stop:
        for index in range(len(samples)):
            stop.check()
            yield samples.row(index)
            advance()


def _folder(rows: Iterator[dict[str, Any]], out: Path) -> None:
    for name in PICTURES:
        with storage(out):
            (out / name).mkdir(exist_ok=True)
    table = csv_bytes(_COLUMNS, (_table_row(row, out) for row in rows))
    # One wait for the disk instead of one per picture, which would take ten times as long as all the rest:
    # without its table the folder is unfinished, whatever of the pictures a power cut has left.
    os.sync()
    write_bytes(out / TABLE, table, force=True)


def _table_row(row: dict[str, Any], out: Path) -> dict[str, Any]:
    """Write the pictures of a row; return its line of the table."""
    files = {}
    for name, data in _pictures(row).items():
        files[name] = f"{name}/{_file_name(row, name)}"
        with storage(out / files[name], len(data)):
            (out / files[name]).write_bytes(data)
        reached("picture")
    facts = {name: row[name] for name in ("id", "split", *_FACTS)}
    return facts | files | {"foreground_ids": json.dumps(row["foreground_ids"])}


def _webdataset(rows: Iterator[dict[str, Any]], out: Path) -> None:
    """Tars of one split each; equal rows give equal bytes."""
    number = dict.fromkeys(SPLITS, 0)
    for split, part in _parts(rows):
        with replacing(out / f"{split}-{number[split]:05d}.tar", force=True) as temporary:
            _write_tar(temporary, part)
        number[split] += 1


def _parts(rows: Iterator[dict[str, Any]]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """(Split, up to ROWS_PER_TAR rows of it), in order."""
    for split, same in itertools.groupby(rows, key=operator.itemgetter("split")):
        while part := list(itertools.islice(same, ROWS_PER_TAR)):
            yield split, part


def _write_tar(path: Path, rows: list[dict[str, Any]]) -> None:
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for row in rows:
            for name, data in _pictures(row).items():
                stem, suffix = os.path.splitext(_file_name(row, name))
                _add(tar, f"{stem}.{name}{suffix}", data)
            facts = {name: row[name] for name in ("id", "split", *_FACTS)}
            _add(tar, f"{row['index']:08d}.json", json.dumps(facts, sort_keys=True).encode())


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    entry = tarfile.TarInfo(name)  # the owner and the time of nobody: the same bytes everywhere
    entry.size = len(data)
    tar.addfile(entry, io.BytesIO(data))


def _pictures(row: dict[str, Any]) -> dict[str, bytes]:
    return {name: row[name]["bytes"] for name in PICTURES if row[name] is not None}


def _file_name(row: dict[str, Any], name: str) -> str:
    """By the row's number: ids may be anything, and equal where case does not count."""
    return f"{row['index']:08d}{Path(row[name]['path']).suffix}"


FORMS: dict[str, Callable[[Iterator[dict[str, Any]], Path], None]] = {
    "folder": _folder,
    "webdataset": _webdataset,
}
