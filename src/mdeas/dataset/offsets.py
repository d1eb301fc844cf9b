"""Where in its file the pictures of a shard lie: one row is read without the group of rows around it."""

import mmap
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mdeas.dataset.rows import PICTURES
from mdeas.errors import InputError
from mdeas.system.files import quoted, storage
from mdeas.system.optional import pyarrow_parquet

_FACTS = ("id", "depth_kind", "depth_scale")
_NONE = (0, -1)
_PREFIX = 4  # bytes of its length before each value (Apache Parquet, PLAIN encoding of BYTE_ARRAY)


@dataclass(frozen=True)
class Places:
    """What it takes to read the rows of a shard as training needs them: about 120 bytes a row."""

    path: Path
    version: tuple[int, ...]
    """Of the file when it was looked through."""
    facts: Any
    """A pyarrow Table with the columns id, depth_kind and depth_scale."""
    spans: np.ndarray
    """int64 (rows, 4, 2): start and length in bytes of each of rows.PICTURES; length -1 = there is none."""

    def row(self, number: int) -> dict[str, Any]:
        """What `rows.decode_row` needs of a row; InputError E-DATASET-DAMAGED when the file has changed."""
        with storage(self.path), open(self.path, "rb", buffering=0) as file:
            if _version(file.fileno()) != self.version:
                raise damaged(self.path, "another file than when it was opened")
            pictures = [_read(file.fileno(), *span) for span in self.spans[number].tolist()]
        facts = {name: self.facts[name][number].as_py() for name in _FACTS}
        return facts | dict(zip(PICTURES, pictures, strict=True))


def find_places(path: Path) -> Places:
    """Look through the shard at `path`, which write_shard wrote; InputError E-DATASET-DAMAGED if not."""
    parquet = pyarrow_parquet()
    with (
        open(path, "rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
        parquet.ParquetFile(path, memory_map=True, pre_buffer=False) as shard,
    ):
        try:
            spans = [_group_spans(data, shard, number) for number in range(shard.num_row_groups)]
        except ValueError as error:
            raise damaged(path, "not a shard that mdeas wrote") from error
        facts = shard.read(list(_FACTS), use_threads=False)
        return Places(path, _version(file.fileno()), facts, np.concatenate(spans))


def _version(descriptor: int) -> tuple[int, ...]:
    status = os.fstat(descriptor)
    return status.st_ino, status.st_size, status.st_mtime_ns


def _read(descriptor: int, start: int, length: int) -> dict[str, bytes] | None:
    return None if length < 0 else {"bytes": os.pread(descriptor, length, start)}


def _group_spans(data: mmap.mmap, shard: Any, number: int) -> np.ndarray:
    """int64 (rows of the group, 4, 2)."""
    about = shard.metadata.row_group(number)
    starts = {(column := about.column(i)).path_in_schema: _start(column) for i in range(about.num_columns)}
    names = [f"{name}.bytes" for name in PICTURES]
    table = shard.read_row_group(number, columns=names, use_threads=False)
    spans = [
        list(_spans(data, [value["bytes"] for value in _values(table, name)], starts[f"{name}.bytes"]))
        for name in PICTURES
    ]
    return np.array(spans, np.int64).swapaxes(0, 1)


def _values(table: Any, name: str) -> list[dict[str, bytes | None]]:
    return [value or {"bytes": None} for value in table[name].to_pylist()]


def _start(column: Any) -> int:
    return column.dictionary_page_offset or column.data_page_offset


def _spans(data: mmap.mmap, values: Sequence[bytes | None], start: int) -> Iterator[tuple[int, int]]:
    """Where each value lies, from `start` on; equal ones may lie there once. ValueError if one does not."""
    spans: dict[bytes | None, tuple[int, int]] = {None: _NONE}
    end = start
    for value in values:
        if value is not None and value not in spans:
            begin = _find(data, value, end)
            end = begin + len(value)
            spans[value] = begin, len(value)
        yield spans[value]


def _find(data: mmap.mmap, value: bytes, end: int) -> int:
    """A value follows the last one but for the head of a page; the bytes are compared in any case."""
    follows = end + _PREFIX
    if data[follows : follows + len(value)] == value:
        return follows
    begin = data.find(value, end)
    if begin < 0:
        raise ValueError("value not found")
    return begin


def damaged(path: str | os.PathLike[str], what: str) -> InputError:
    """The error for a file of a data set that is not as it was written."""
    return InputError("E-DATASET-DAMAGED", f"{quoted(path)}: {what}. Copy or make the data set again.")
