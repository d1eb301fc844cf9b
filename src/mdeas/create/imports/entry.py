"""One row of a data set to import: the files of its pictures, and the facts from its table."""

from __future__ import annotations

import json
import math
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from mdeas.dataset.rows import PICTURES
from mdeas.errors import InputError
from mdeas.images.codec import read_bytes
from mdeas.sample import DEPTH_KINDS, SPLITS
from mdeas.system.files import quoted
from mdeas.system.names import printable

ALIASES = {
    **{name: name for name in PICTURES},
    "bg": "background",
    "overlay": "image",
    "fg_bg": "image",
    "file": "image",
    "fg_bg_mask": "mask",
    "fg_bg_depth": "depth",
}
"""Names of pictures in published data sets and on Hugging Face -> our names."""
_SPLIT_ALIASES = {**{name: name for name in SPLITS}, "val": "validation", "valid": "validation"}


class PictureFile(NamedTuple):
    """The place of one picture's bytes: a file, or a member of a tar."""

    path: str
    member: str | None = None
    """Name of the tar's member; None = the whole file."""
    offset: int = 0
    num_bytes: int = 0

    @property
    def name(self) -> str:
        """The path for messages, quoted."""
        return quoted(self.path if self.member is None else f"{self.path}/{self.member}")

    def read(self) -> bytes:
        """Read the picture's bytes. Errors: those of `images.codec.read_bytes`."""
        if self.member is None:
            return read_bytes(self.path)
        with open(self.path, "rb") as file:
            file.seek(self.offset)
            return file.read(self.num_bytes)


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportEntry:
    """The facts about one sample in a source; None or "" = unknown."""

    id: str
    files: dict[str, PictureFile]
    """By picture: background, image and, where they exist, mask and depth."""
    split: str | None
    depth_kind: str | None
    depth_scale: float | None
    """Depth per level of the depth picture: 0.001 for millimetres."""
    background_id: str
    foreground_ids: tuple[str, ...]
    source: str
    meta: dict[str, Any]
    """Other facts, which go into the sample's meta."""


def parse_entry(
    name: str, files: dict[str, PictureFile], facts: Mapping[str, Any], where: str
) -> ImportEntry:
    """Check the columns of a row, and make an entry.

    Input: name: the id if there is no column `id`; facts: columns id, split, depth_kind, depth_scale,
        background_id, foreground_ids (JSON list or words), source, meta (JSON object), each as JSON value or
        text, empty or missing where unknown; where: the row's place for messages.
    Errors: InputError E-IMPORT.
    """
    for picture in ("background", "image"):
        if picture not in files:
            raise import_error(where, f"no {picture}", "Give every row a background and an image.")
    split, kind = facts.get("split") or None, facts.get("depth_kind") or None
    if split is not None and split not in _SPLIT_ALIASES:
        raise import_error(where, f"split {split!r}", f"Use one of {', '.join(SPLITS)}.")
    if kind is not None and kind not in DEPTH_KINDS:
        raise import_error(where, f"depth_kind {kind!r}", f"Use one of {', '.join(DEPTH_KINDS)}.")
    return ImportEntry(
        id=printable(str(facts.get("id") or name)),
        files=files,
        split=split and _SPLIT_ALIASES[split],
        depth_kind=kind,
        depth_scale=_scale(facts.get("depth_scale"), where),
        background_id=printable(str(facts.get("background_id") or "")),
        foreground_ids=_words(facts.get("foreground_ids"), where),
        source=printable(str(facts.get("source") or "import")),
        meta=_object(facts.get("meta"), where),
    )


def check_ids(entries: Sequence[ImportEntry], source: str | os.PathLike[str]) -> None:
    """Raise InputError E-IMPORT when there is no entry, or when two entries have the same id."""
    if not entries:
        raise import_error(quoted(source), "no rows", "Give a source with at least one row.")
    name, times = Counter(entry.id for entry in entries).most_common(1)[0]
    if times > 1:
        raise import_error(quoted(source), f"{times} rows have the id {name!r}", "Give each row its own id.")


def import_error(where: str, what: str, advice: str) -> InputError:
    """Make an InputError E-IMPORT: where in the source, what is wrong, what to do."""
    return InputError("E-IMPORT", f"{where}: {what}. {advice}")


def _scale(value: Any, where: str) -> float | None:
    if value in (None, ""):
        return None
    try:
        scale = float(value)
    except (TypeError, ValueError):
        scale = math.nan
    if not 0 < scale < math.inf:
        raise import_error(where, f"depth_scale {value!r}", "Give a number above 0, such as 0.001.")
    return scale


def _words(value: Any, where: str) -> tuple[str, ...]:
    """Read a list, the text of a JSON list, or words separated by spaces."""
    if isinstance(value, str):
        value = _json(value, where) if value.startswith("[") else value.split()
    if not isinstance(value or [], list):
        raise import_error(where, f"foreground_ids {value!r}", "Give a JSON list or words.")
    return tuple(printable(str(word)) for word in value or [])


def _object(value: Any, where: str) -> dict[str, Any]:
    value = _json(value, where) if isinstance(value, str) and value else value or {}
    if not isinstance(value, dict):
        raise import_error(where, f"meta {value!r}", "Give a JSON object.")
    return value


def _json(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise import_error(where, f"not valid JSON ({error})", "Correct this JSON.") from error
