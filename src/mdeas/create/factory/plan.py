"""Plan a data set: its shards, and the plan with which a later run is compared."""

import importlib.metadata
import json
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mdeas.create.maker import Maker
from mdeas.dataset.dataset import FORMAT, VERSION
from mdeas.sample import SPLITS
from mdeas.system.files import json_bytes

_PACKAGES = ("mdeas", "numpy", "opencv-python-headless", "pyarrow")
_MAX_DIFFERENCES = 4


@dataclass(frozen=True, kw_only=True)
class Shard:
    """The samples of one file."""

    name: str
    split: str
    indices: "array[int]"
    """Of its samples, ascending; an array takes 8 bytes each, and there may be millions."""


def shards_of(maker: Maker, shard_rows: int) -> list[Shard]:
    """Divide the samples into files: each has at most `shard_rows` samples of one split, ordered by index."""
    members = {split: array("q") for split in SPLITS}
    for index in range(maker.count):
        members[maker.split_of(index)].append(index)
    return [
        Shard(
            name=f"{split}-{at // shard_rows:05d}.parquet",
            split=split,
            indices=indices[at : at + shard_rows],
        )
        for split, indices in members.items()
        for at in range(0, len(indices), shard_rows)
    ]


def plan_of(maker: Maker, shards: list[Shard], shard_rows: int, photo_format: str) -> dict[str, Any]:
    """Return the fields of index.json that are known before the first sample, as JSON values."""
    splits = {split: sum(len(s.indices) for s in shards if s.split == split) for split in SPLITS}
    plan = {
        "format": FORMAT,
        "version": VERSION,
        "recipe": maker.describe(),
        "seed": maker.seed,
        **_totals(splits),
        "shard_rows": shard_rows,
        "photo_format": photo_format,
        "provenance": maker.provenance(),
        "versions": versions(),
    }
    return json.loads(json_bytes(plan))


def versions() -> dict[str, str]:
    """Return the versions of the packages that decide the bytes of a sample."""
    return {name: importlib.metadata.version(name) for name in _PACKAGES}


def index_of(plan: dict[str, Any], records: list[dict[str, Any]], num_sources: int) -> dict[str, Any]:
    """Return index.json without its checksum: what was made and, if anything, how much was left out.

    Input: records: as from `shards.commit`, in order; num_sources: how many sources the maker left out.
    """
    missing = Counter(dict.fromkeys(plan["splits"], 0))
    for record in records:
        missing[record["split"]] += len(record["left_out"])
    shards = [{k: v for k, v in record.items() if k != "left_out"} for record in records if record["rows"]]
    made = _totals({split: number - missing[split] for split, number in plan["splits"].items()})
    left_out = {"sources": num_sources, "samples": _totals(missing)["splits"]}
    any_left_out = {"left_out": left_out} if any(left_out.values()) else {}
    return {**plan, **made, **any_left_out, "shards": shards}


def plan_behind(index: dict[str, Any]) -> dict[str, Any]:
    """Return the plan from which `index_of` made an index."""
    plan = {key: value for key, value in index.items() if key not in ("shards", "sha256", "left_out")}
    missing = index.get("left_out", {"samples": {}})["samples"]
    return plan | _totals(Counter(plan["splits"]) + Counter(missing))


def _totals(splits: Mapping[str, int]) -> dict[str, Any]:
    """Return the fields `count` and `splits` of index.json; empty splits are left out."""
    return {"count": sum(splits.values()), "splits": {split: n for split, n in splits.items() if n}}


def compare(before: Any, now: Any) -> str:
    """Describe the first few differences of two plans."""
    found = list(_differences(before, now, ""))
    more = f"; {len(found) - _MAX_DIFFERENCES} more" if len(found) > _MAX_DIFFERENCES else ""
    return "; ".join(found[:_MAX_DIFFERENCES]) + more


def _differences(before: Any, now: Any, name: str) -> Iterator[str]:
    """Yield one text per different value; `name`: the field that is compared, such as recipe.size."""
    if isinstance(before, list) and isinstance(now, list):
        before, now = dict(enumerate(before)), dict(enumerate(now))
    if isinstance(before, dict) and isinstance(now, dict):
        # Provenance comes last: it follows from the other fields, and one more file shifts all of its rows.
        for key in sorted(before.keys() | now.keys(), key=lambda key: (key == "provenance", key)):
            yield from _differences(before.get(key), now.get(key), f"{name}.{key}".lstrip("."))
    elif before != now:
        yield f"{name} was {before!r}, now {now!r}"
