"""Export a data set as files for other programs: pictures with a CSV table, or webdataset tars.

While an export runs, its folder holds its plan, `.export.json`. A finished export has `export.json` instead.
`mdeas import` reads both forms.
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
_OTHER_COLUMNS = ("depth_kind", "depth_scale", "background_id", "foreground_ids", "source", "meta")
_COLUMNS = ("id", "split", *PICTURES, *_OTHER_COLUMNS)


def export_data(dataset: Path, out: Path, *, form: str, split: str | None) -> dict[str, Any]:
    """Write the samples of a data set, or of one split, into the folder `out`.

    Pictures keep their bytes. An interrupted export starts again; a finished one is left as it is.
    Input: form: "folder": `label_data.csv` and a file for each picture. "webdataset": `SPLIT-00000.tar` and
        so on, with ROWS_PER_TAR samples each.
    Output: path, samples.
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
    """Write the plan into an empty folder; accept a folder that holds the same plan."""
    remove_temporaries(out)
    if read_json_if_any(out / PLAN) == plan:
        return
    with storage(out):
        names = sorted(set(os.listdir(out)) - {LOCK_NAME})
    if names:
        what = f"holds {quoted(names[0])}, which is not of this export"
        raise StorageError("E-EXISTS", f"{quoted(out)}: {what}. Choose an empty or new folder.")
    write_json(out / PLAN, plan)
    reached("plan")


def _rows(samples: Dataset) -> Iterator[dict[str, Any]]:
    """Every row of the data set, in order, with progress on stderr."""
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
    # One sync for all pictures: a sync for each would take ten times as long as all the rest. After a power
    # cut pictures may be missing, but then the table is missing too, and the export starts again.
    if hasattr(os, "sync"):  # Windows has none
        os.sync()
    write_bytes(out / TABLE, table, force=True)


def _table_row(row: dict[str, Any], out: Path) -> dict[str, Any]:
    """Write the pictures of a row and return its line of the table."""
    files = {}
    for name, data in _pictures(row).items():
        files[name] = f"{name}/{_file_name(row, name)}"
        with storage(out / files[name], len(data)):
            (out / files[name]).write_bytes(data)
        reached("picture")
    other = {name: row[name] for name in ("id", "split", *_OTHER_COLUMNS)}
    return other | files | {"foreground_ids": json.dumps(row["foreground_ids"])}


def _webdataset(rows: Iterator[dict[str, Any]], out: Path) -> None:
    """Write tars that hold one split each; equal rows give equal bytes."""
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
            files = {}
            for name, data in _pictures(row).items():
                stem, suffix = os.path.splitext(_file_name(row, name))
                files[f"{stem}.{name}{suffix}"] = data
            other = {name: row[name] for name in ("id", "split", *_OTHER_COLUMNS)}
            files[f"{row['index']:08d}.json"] = json.dumps(other, sort_keys=True).encode()
            for name, data in files.items():
                entry = tarfile.TarInfo(name)  # no owner, no time: the same bytes everywhere
                entry.size = len(data)
                tar.addfile(entry, io.BytesIO(data))


def _pictures(row: dict[str, Any]) -> dict[str, bytes]:
    return {name: row[name]["bytes"] for name in PICTURES if row[name] is not None}


def _file_name(row: dict[str, Any], name: str) -> str:
    """A name from the row's index, because ids may hold any character and differ in case alone."""
    return f"{row['index']:08d}{Path(row[name]['path']).suffix}"


FORMS: dict[str, Callable[[Iterator[dict[str, Any]], Path], None]] = {
    "folder": _folder,
    "webdataset": _webdataset,
}
