"""Byte offsets of the pictures in a parquet shard: a row is read without decoding its row group."""

import mmap
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Any

import numpy as np

from mdeas.dataset.rows import PICTURES, damaged
from mdeas.system.files import storage
from mdeas.system.optional import pyarrow_parquet

_VALUES = ("id", "depth_kind", "depth_scale")
_NO_PICTURE = (0, -1)
_PREFIX = 4  # bytes of its length before each value (Apache Parquet, PLAIN encoding of BYTE_ARRAY)


@dataclass(frozen=True)
class ShardOffsets:
    """What it takes to read the rows of a shard as training needs them: about 120 bytes a row."""

    path: Path
    version: tuple[int, ...]
    """Inode, size and time of the file when its offsets were read."""
    values: Any
    """A pyarrow Table with the columns id, depth_kind and depth_scale."""
    spans: np.ndarray
    """int64 (rows, 4, 2): start and length in bytes of each of rows.PICTURES; length -1 = no picture."""

    def row(self, number: int) -> dict[str, Any]:
        """The columns of a row that `rows.decode_row` needs.

        Errors: InputError E-DATASET-DAMAGED when the file has changed since its offsets were read.
        """
        with storage(self.path), open(self.path, "rb", buffering=0) as file:
            if _version(file.fileno()) != self.version:
                raise damaged(self.path, "another file than when it was opened")
            pictures = [_read(file, *span) for span in self.spans[number].tolist()]
        values = {name: self.values[name][number].as_py() for name in _VALUES}
        return values | dict(zip(PICTURES, pictures, strict=True))


def read_offsets(path: Path) -> ShardOffsets:
    """Find every picture in a shard that `rows.write_shard` wrote.

    Errors: InputError E-DATASET-DAMAGED when another program wrote the file.
    """
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
        values = shard.read(list(_VALUES), use_threads=False)
        return ShardOffsets(path, _version(file.fileno()), values, np.concatenate(spans))


def _version(descriptor: int) -> tuple[int, ...]:
    status = os.fstat(descriptor)
    return status.st_ino, status.st_size, status.st_mtime_ns


def _read(file: FileIO, start: int, length: int) -> dict[str, bytes] | None:
    if length < 0:
        return None
    file.seek(start)
    return {"bytes": file.read(length)}


def _group_spans(data: mmap.mmap, shard: Any, number: int) -> np.ndarray:
    """Spans of one row group: int64 (rows of the group, 4, 2)."""
    group = shard.metadata.row_group(number)
    columns = {(column := group.column(i)).path_in_schema: column for i in range(group.num_columns)}
    names = [f"{name}.bytes" for name in PICTURES]
    table = shard.read_row_group(number, columns=names, use_threads=False)
    spans = []
    for name in PICTURES:
        column = columns[f"{name}.bytes"]
        pictures = [value and value["bytes"] for value in table[name].to_pylist()]
        spans.append(list(_spans(data, pictures, column.dictionary_page_offset or column.data_page_offset)))
    return np.array(spans, np.int64).swapaxes(0, 1)


def _spans(data: mmap.mmap, pictures: Sequence[bytes | None], start: int) -> Iterator[tuple[int, int]]:
    """Start and length of each picture in a column that begins at `start`; equal pictures may lie there once.

    Errors: ValueError when a picture is not found.
    """
    spans: dict[bytes | None, tuple[int, int]] = {None: _NO_PICTURE}
    end = start
    for picture in pictures:
        if picture is not None and picture not in spans:
            begin = _find(data, picture, end)
            end = begin + len(picture)
            spans[picture] = begin, len(picture)
        yield spans[picture]


def _find(data: mmap.mmap, picture: bytes, end: int) -> int:
    """Where `picture` starts: right after the one before, which ends at `end`, or after a page header."""
    next_start = end + _PREFIX
    if data[next_start : next_start + len(picture)] == picture:
        return next_start
    begin = data.find(picture, end)
    if begin < 0:
        raise ValueError("picture not found")
    return begin
