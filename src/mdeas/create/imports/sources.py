"""Recognise the layout of a data set to import, and read its entries."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mdeas.create.imports.entry import ImportEntry, check_ids, import_error
from mdeas.create.imports.source_folders import picture_folders, read_folders
from mdeas.create.imports.source_table import METADATA, read_table
from mdeas.create.imports.source_tar import read_tar
from mdeas.sample import SPLITS
from mdeas.system.files import quoted, read_json

LABELS = "label_data.csv"
ORIGIN = "export.json"
"""File that `export-data` writes beside the pictures: their provenance."""


@dataclass(frozen=True, kw_only=True)
class ImportSource:
    """A data set to import."""

    name: str
    entries: list[ImportEntry]
    provenance: list[dict[str, Any]]
    """Provenance rows from its export.json."""


def read_source(path: str | os.PathLike[str]) -> ImportSource:
    """Read the entries of a CSV, JSONL or tar file, or of a folder.

    A folder holds label_data.csv; or metadata.jsonl or metadata.csv, itself or in sub-folders named after
    splits; or tars; or sub-folders of pictures. The first layout that is found is read.
    Errors: InputError E-IMPORT for another layout or a damaged source, E-NO-IMAGES for folders without
        pictures.
    """
    path = Path(path)
    entries = _read_folder(path) if path.is_dir() else _read_file(path)
    check_ids(entries, path)
    root = path if path.is_dir() else path.parent
    return ImportSource(name=path.resolve().name, entries=entries, provenance=_provenance(root / ORIGIN))


def _read_file(path: Path) -> list[ImportEntry]:
    if path.suffix == ".tar":
        return read_tar(path)
    if path.suffix in (".csv", ".jsonl"):
        return read_table(path)
    raise import_error(quoted(path), "not a folder, .csv, .jsonl or .tar", "See `mdeas import --help`.")


def _read_folder(root: Path) -> list[ImportEntry]:
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
    raise import_error(quoted(root), f"holds none of {wanted}", "See `mdeas import --help`.")


def _provenance(origin: Path) -> list[dict[str, Any]]:
    if not origin.is_file():
        return []
    about = read_json(origin)
    rows = about.get("provenance") if isinstance(about, dict) else None
    if not isinstance(rows, list):
        raise import_error(quoted(origin), "it has no list `provenance`", "Export the data set again.")
    return rows
