"""Which of the known layouts a source has, and its entries."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mdeas.create.imports.entry import Entry, broken, unique
from mdeas.create.imports.source_folders import picture_folders, read_folders
from mdeas.create.imports.source_table import METADATA, read_table
from mdeas.create.imports.source_tar import read_tar
from mdeas.sample import SPLITS
from mdeas.system.files import quoted, read_json

LABELS = "label_data.csv"
ORIGIN = "export.json"
"""What `export-data` leaves beside the pictures: where they come from."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """Somebody else's data set."""

    name: str
    entries: list[Entry]
    provenance: list[dict[str, Any]]
    """Rows that came with it."""


def read_source(path: str | os.PathLike[str]) -> Source:
    """What is at `path`: a CSV, JSONL or tar file; or a folder with `label_data.csv`; with metadata.jsonl or
    metadata.csv, its own or those of folders called after splits; with tars; with folders of pictures.

    Errors: InputError E-IMPORT (none of these, or not whole), E-IMG-... when folders hold no pictures.
    """
    path = Path(path)
    entries = unique(_folder(path) if path.is_dir() else _file(path), path)
    root = path if path.is_dir() else path.parent
    return Source(name=path.resolve().name, entries=entries, provenance=_provenance(root / ORIGIN))


def _file(path: Path) -> list[Entry]:
    if path.suffix == ".tar":
        return read_tar(path)
    if path.suffix in (".csv", ".jsonl"):
        return read_table(path)
    raise broken(quoted(path), "not a folder, CSV, JSONL or tar", "See `mdeas import --help`.")


def _folder(root: Path) -> list[Entry]:
    if (root / LABELS).is_file():
        return read_table(root / LABELS)
    tables = [(split, root / split / name) for split in ("", *SPLITS) for name in METADATA]
    if found := [(split, table) for split, table in tables if table.is_file()]:
        return [entry for split, table in found for entry in read_table(table, split or None)]
    if tars := sorted(root.glob("*.tar")):
        return [entry for tar in tars for entry in read_tar(tar)]
    if {"background", "image"} <= picture_folders(root).keys():
        return read_folders(root)
    wanted = f"{LABELS}, metadata.jsonl, tars, or folders background and image (bg and fg_bg)"
    raise broken(quoted(root), f"holds none of {wanted}", "See `mdeas import --help`.")


def _provenance(origin: Path) -> list[dict[str, Any]]:
    if not origin.is_file():
        return []
    about = read_json(origin)
    rows = about.get("provenance") if isinstance(about, dict) else None
    if not isinstance(rows, list):
        raise broken(quoted(origin), "no list `provenance` in it", "Export the data set again.")
    return rows
