"""A data set on disk: `data/*.parquet` shards and the `index.json` that says what each must contain."""

import functools
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from mdeas.dataset.offsets import ShardOffsets, read_offsets
from mdeas.dataset.picture_cache import PictureCache
from mdeas.dataset.rows import damaged, decode_row, encode_row, write_shard
from mdeas.errors import InputError
from mdeas.images.codec import decode_rgb
from mdeas.sample import SPLITS, Sample, check
from mdeas.system.files import json_bytes, quoted, read_json, sha256_bytes, sha256_file
from mdeas.system.optional import pyarrow_parquet

__all__ = [
    "FORMAT",
    "INDEX",
    "VERSION",
    "Dataset",
    "decode_row",
    "encode_row",
    "read_index",
    "seal",
    "summary",
    "verify",
    "write_shard",
]

FORMAT, VERSION = "mdeas-dataset", 1
INDEX = "index.json"
# An open shard takes a file descriptor, of which a process often has 1024, and 0.2 MB.
_MAX_OPEN = 256


class Dataset:
    """Random access to the samples of one split, or of all splits.

    Opening checks the index and the presence and size of every shard. The sha256 of a shard is checked when
    a process first uses it. Safe to pickle and to use after a fork.
    Input: path: the folder; split: one of sample.SPLITS, None = all.
    Errors: InputError E-DATASET-MISSING (no data set, no such split), E-DATASET-DAMAGED.

    Example, after `mdeas create scenes -o scenes --count 4`:
        samples = Dataset("scenes", "train")
        sample = samples[0]
        sample.image.shape, sample.depth_kind  # ((224, 224, 3), "metric")
    """

    def __init__(self, path: str | os.PathLike[str], split: str | None = None):
        self.path = Path(path)
        self.index = read_index(path)
        self.split = split
        self._shards = [s for s in self.index["shards"] if split in (None, s["split"])]
        if not self._shards:
            there = ", ".join(self.index["splits"])
            raise _missing(path, f"no samples in split {split!r}; it has {there}", "Name one of these.")
        _check_files(self.path, self.index)
        self._ends = np.cumsum([shard["rows"] for shard in self._shards])
        self._open: dict[int, Any] = {}
        self._checked: set[int] = set()
        self._offsets: dict[int, ShardOffsets] = {}
        self._decode_background = PictureCache(decode_rgb)

    def __len__(self) -> int:
        return int(self._ends[-1])

    def __getitem__(self, index: int) -> Sample:
        """The sample at a position; `verify` checks its values, this does not.

        `background` is read-only, because samples with the same background share the array.
        """
        return self.decode(self.row(index))

    def __iter__(self) -> Iterator[Sample]:
        return (self[i] for i in range(len(self)))

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_open": {}, "_checked": set(), "_offsets": {}}

    def bare(self, index: int) -> Sample:
        """The sample with nothing in `meta` but its id; reads its row in a tenth of the time."""
        number, within = self._find(index)
        if number not in self._offsets:
            self._check(number)
            self._offsets[number] = read_offsets(self._path(number))
        return self.decode(self._offsets[number].row(within))

    def decode(self, row: dict[str, Any]) -> Sample:
        """The sample of a row; a background in the cache is not decoded again."""
        return decode_row(row, self._decode_background)

    def row(self, index: int) -> dict[str, Any]:
        """The encoded columns of one sample, as `rows.encode_row` made them."""
        number, within = self._find(index)
        file = self._shard(number)
        group_rows = file.metadata.row_group(0).num_rows
        group = file.read_row_group(within // group_rows, use_threads=False)
        return group.slice(within % group_rows, 1).to_pylist()[0]

    def ids(self) -> list[str]:
        """The id of every sample, in order."""
        columns = (self._shard(n).read(["id"], use_threads=False)["id"] for n in range(len(self._shards)))
        return [name for column in columns for name in column.to_pylist()]

    @functools.cached_property
    def fingerprint(self) -> str:
        """Hexadecimal SHA-256 over the shards: equal exactly when the samples are."""
        return _fingerprint(self._shards)

    def _find(self, index: int) -> tuple[int, int]:
        """(Number of the shard, row in it)."""
        if not 0 <= index < len(self):
            raise IndexError(index)
        number = int(np.searchsorted(self._ends, index, side="right"))
        return number, index - int(self._ends[number]) + self._shards[number]["rows"]

    def _shard(self, number: int) -> Any:
        # After a fork the parent's open files are shared, mapped and read only: safe to keep.
        if number not in self._open:
            self._check(number)
            if len(self._open) == _MAX_OPEN:
                del self._open[next(iter(self._open))]
            open_file = pyarrow_parquet().ParquetFile
            self._open[number] = open_file(self._path(number), memory_map=True, pre_buffer=False)
        return self._open[number]

    def _check(self, number: int) -> None:
        if number not in self._checked:
            _check_content(self.path, self._shards[number])
            self._checked.add(number)

    def _path(self, number: int) -> Path:
        return self.path / "data" / self._shards[number]["name"]


def read_index(path: str | os.PathLike[str]) -> dict[str, Any]:
    """`index.json` of the data set at `path`, checked against the digest in it.

    Errors: InputError E-DATASET-MISSING (none there, unfinished, of another version), E-DATASET-DAMAGED.
    """
    file = Path(path) / INDEX
    if not file.is_file():
        raise _missing(path, f"no finished data set (no {INDEX})", "Run its `mdeas create` command again.")
    index = read_json(file)
    if not isinstance(index, dict) or index.get("format") != FORMAT:
        raise damaged(file, "not the index of a data set")
    if index.get("version") != VERSION:
        raise _missing(path, f"format version {index.get('version')}, not {VERSION}", "Make it again.")
    if not _is_sealed(index, file):
        raise damaged(file, "edited after it was made")
    return index


def _is_sealed(index: dict[str, Any], file: Path) -> bool:
    """Whether the file has the bytes that mdeas wrote: a value in another spelling is an edit, too."""
    try:
        return file.read_bytes() == json_bytes(seal(index))
    except ValueError:  # NaN and infinity, which mdeas never writes
        return False


def seal(index: dict[str, Any]) -> dict[str, Any]:
    """`index` with a sha256 over all its other fields, by which `read_index` notices an edit."""
    content = {key: value for key, value in index.items() if key != "sha256"}
    return {**content, "sha256": sha256_bytes(json_bytes(content))}


def summary(path: str | os.PathLike[str], index: dict[str, Any]) -> dict[str, Any]:
    """The main facts of a data set, for people.

    Output: path, samples, samples in each split, samples and sources left out, shards, bytes, fingerprint.
    """
    left_out = {}
    if "left_out" in index:
        left_out["samples left out"] = sum(index["left_out"]["samples"].values())
        left_out["sources left out"] = index["left_out"]["sources"]
    return {
        "path": os.fspath(path),
        "samples": index["count"],
        **{f"samples in {split}": number for split, number in index["splits"].items()},
        **left_out,
        "shards": len(index["shards"]),
        "bytes": sum(shard["bytes"] for shard in index["shards"]),
        "fingerprint": _fingerprint(index["shards"]),
    }


def verify(path: str | os.PathLike[str], *, deep: bool = True) -> dict[str, Any]:
    """Check a data set against its `index.json`; return `summary`.

    It finds shards that are missing, additional, duplicated, swapped, truncated or changed, and an edited
    index. With `deep` it also finds rows that do not decode, that break `sample.check`, or whose id or index
    occurs twice.
    Errors: InputError E-DATASET-MISSING, E-DATASET-DAMAGED, E-SAMPLE, E-IMG-….
    """
    path, index = Path(path), read_index(path)
    _check_files(path, index)
    for shard in index["shards"]:
        _check_content(path, shard)
    if deep:
        _check_samples(Dataset(path))
    return summary(path, index)


def _fingerprint(shards: list[dict[str, Any]]) -> str:
    return hashlib.sha256("".join(shard["sha256"] for shard in shards).encode()).hexdigest()


def _check_files(path: Path, index: dict[str, Any]) -> None:
    """Check that the folder holds the shards of the index and no others, each of its size."""
    wanted = {shard["name"]: shard["bytes"] for shard in index["shards"]}
    there = {file.name: file.stat().st_size for file in (path / "data").glob("*.parquet")}
    for name in sorted(wanted.keys() | there.keys()):
        if name not in there:
            raise damaged(path / "data" / name, "missing")
        if name not in wanted:
            raise damaged(path / "data" / name, "a shard that the index does not name; remove it")
        if there[name] != wanted[name]:
            raise damaged(path / "data" / name, f"{there[name]:,} bytes long instead of {wanted[name]:,}")


def _check_content(path: Path, shard: dict[str, Any]) -> None:
    file = path / "data" / shard["name"]
    if sha256_file(file) != shard["sha256"]:
        raise damaged(file, "not the bytes that were written")


def _check_samples(dataset: Dataset) -> None:
    seen: set[tuple[str, Any]] = set()
    splits = dict.fromkeys(SPLITS, 0)
    for sample in dataset:
        check(sample)
        keys = {("id", sample.meta["id"]), ("index", sample.meta["index"])}
        if seen & keys:
            raise damaged(dataset.path, f"sample {sample.meta['id']!r} is there twice")
        seen |= keys
        splits[sample.meta["split"]] += 1
    if {k: n for k, n in splits.items() if n} != {k: n for k, n in dataset.index["splits"].items() if n}:
        raise damaged(dataset.path, f"samples per split {splits} instead of {dataset.index['splits']}")


def _missing(path: str | os.PathLike[str], what: str, advice: str) -> InputError:
    return InputError("E-DATASET-MISSING", f"{quoted(path)}: {what}. {advice}")
