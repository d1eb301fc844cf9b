"""Read tables of paths: a CSV such as label_data.csv, or the metadata.jsonl of a Hugging Face imagefolder.

A column has the name of a picture (background image mask depth, bg overlay, fg_bg fg_bg_mask fg_bg_depth),
optionally followed by `_file_name`; `file_name` alone is the image. Paths are relative to the table's folder
and must stay inside it. `entry.parse_entry` lists the other columns.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from mdeas.create.imports.entry import ALIASES, ImportEntry, PictureFile, import_error, parse_entry
from mdeas.system.files import quoted
from mdeas.system.names import output_names

METADATA = ("metadata.jsonl", "metadata.csv")


def read_table(path: Path, split: str | None = None) -> list[ImportEntry]:
    """Read the entries of a CSV or JSONL file; `split` is the split of rows without one.

    Without a column `id`, a row takes its id from the file name of its image.
    Errors: InputError E-IMPORT, which names the row.
    """
    read = _jsonl if path.suffix == ".jsonl" else _csv
    rows = [(where, _named(row)) for where, row in _numbered(path, read(path))]
    images = [str(row.get("image") or "") for _, row in rows]
    names = output_names([Path(image) for image in images])
    return [
        parse_entry(name, _files(row, path.parent, where), {"split": split, **row}, where)
        for name, (where, row) in zip(names, rows, strict=True)
    ]


def _numbered(path: Path, rows: Iterator[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (the row's place for messages, row). InputError E-IMPORT when the table is damaged."""
    number = 0
    try:
        for number, row in enumerate(rows, 1):
            yield f"{quoted(path)} row {number}", row
    except OSError as error:
        raise import_error(quoted(path), str(error.strerror), "Check the path.") from error
    except (csv.Error, ValueError, RecursionError) as error:
        raise import_error(f"{quoted(path)} after row {number}", str(error), "Correct the table.") from error


def _csv(path: Path) -> Iterator[dict[str, Any]]:
    # File names may be any bytes; utf-8-sig, because spreadsheets write a byte order mark.
    with open(path, newline="", encoding="utf-8-sig", errors="surrogateescape") as file:
        for row in csv.DictReader(file, strict=True):
            if None in row or None in row.values():
                raise csv.Error("a row with more or fewer fields than the header")
            yield row


def _jsonl(path: Path) -> Iterator[dict[str, Any]]:
    with open(path, encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            if not isinstance(row, dict):
                raise ValueError("a line that is not a JSON object")
            yield row


def _named(row: dict[str, Any]) -> dict[str, Any]:
    """Rename the columns of a row to our names."""
    bare = {key: key.strip().lower().removesuffix("_name").removesuffix("_file") for key in row}
    return {ALIASES.get(bare[key], bare[key]): value for key, value in row.items()}


def _files(row: dict[str, Any], folder: Path, where: str) -> dict[str, PictureFile]:
    return {
        picture: PictureFile(str(folder / _inside(row[picture], where)))
        for picture in dict.fromkeys(ALIASES.values())
        if row.get(picture)
    }


def _inside(name: Any, where: str) -> str:
    """Return a relative path that stays inside its folder; InputError E-IMPORT for any other."""
    if not isinstance(name, str) or PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
        raise import_error(
            where, f"path {name!r} leaves the folder of the table", "Move the table above its pictures."
        )
    return name
