"""One row of somebody else's data: which pictures belong together, and what is known about them."""

from __future__ import annotations

import json
import math
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from mdeas.dataset.rows import PICTURES
from mdeas.errors import InputError
from mdeas.images.codec import read_bytes
from mdeas.sample import DEPTH_KINDS, SPLITS
from mdeas.system.files import quoted
from mdeas.system.names import printable

# How published data sets, Hugging Face and the world call our words.
ALIASES = {
    **{name: name for name in PICTURES},
    "bg": "background",
    "overlay": "image",
    "fg_bg": "image",
    "file": "image",
    "fg_bg_mask": "mask",
    "fg_bg_depth": "depth",
}
_SPLIT_ALIASES = {**{name: name for name in SPLITS}, "val": "validation", "valid": "validation"}


class Blob(NamedTuple):
    """Where the bytes of one picture are: a file, or a piece of a tar."""

    path: str
    member: str | None = None
    """The name of the piece; None = the whole file."""
    offset: int = 0
    num_bytes: int = 0

    @property
    def name(self) -> str:
        """What messages call it, quoted."""
        return quoted(self.path if self.member is None else f"{self.path}/{self.member}")

    def read(self) -> bytes:
        """Its bytes, never written anywhere. Errors as `images.read_bytes`."""
        if self.member is None:
            return read_bytes(self.path)
        with open(self.path, "rb") as file:
            file.seek(self.offset)
            return file.read(self.num_bytes)


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """What a table says of one sample; None and "" = it does not say."""

    id: str
    files: dict[str, Blob]
    """By picture: background, image, and what there is of mask and depth."""
    split: str | None
    depth_kind: str | None
    depth_scale: float | None
    """Depth per step of the picture: 0.001 for millimetres."""
    background_id: str
    foreground_ids: tuple[str, ...]
    source: str
    meta: dict[str, Any]
    """What else is known, kept in the sample's meta."""


def entry_of(name: str, files: dict[str, Blob], facts: Mapping[str, Any], where: str) -> Entry:
    """The entry of a row; `where` is the row's place for messages.

    Input: facts: columns id, split, depth_kind, depth_scale, background_id, foreground_ids (JSON list or
        words), source, meta (JSON object), each as JSON value or text, empty or missing where unknown.
    Errors: InputError E-IMPORT.
    """
    for picture in ("background", "image"):
        if picture not in files:
            raise broken(where, f"no {picture}", "Every row needs a background and an image.")
    split, kind = facts.get("split") or None, facts.get("depth_kind") or None
    if split is not None and split not in _SPLIT_ALIASES:
        raise broken(where, f"split {split!r}", f"It is one of {', '.join(SPLITS)}.")
    if kind is not None and kind not in DEPTH_KINDS:
        raise broken(where, f"depth_kind {kind!r}", f"It is one of {', '.join(DEPTH_KINDS)}.")
    return Entry(
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


def unique(entries: Iterable[Entry], source: str | os.PathLike[str]) -> list[Entry]:
    """The entries, at least one; InputError E-IMPORT when there is none or two have one id."""
    found = list(entries)
    if not found:
        raise broken(quoted(source), "no rows", "Give a source with at least one.")
    name, times = Counter(entry.id for entry in found).most_common(1)[0]
    if times > 1:
        raise broken(quoted(source), f"{times} rows have the id {name!r}", "Give each its own.")
    return found


def broken(where: str, what: str, advice: str) -> InputError:
    """InputError E-IMPORT: what is wrong with a source, and what to do."""
    return InputError("E-IMPORT", f"{where}: {what}. {advice}")


def _scale(value: Any, where: str) -> float | None:
    if value in (None, ""):
        return None
    try:
        scale = float(value)
    except (TypeError, ValueError):
        scale = math.nan
    if not 0 < scale < math.inf:
        raise broken(where, f"depth_scale {value!r}", "It is a number above 0, such as 0.001.")
    return scale


def _words(value: Any, where: str) -> tuple[str, ...]:
    """A list, a JSON list, or words between blanks."""
    if isinstance(value, str):
        value = _json(value, where) if value.startswith("[") else value.split()
    if not isinstance(value or [], list):
        raise broken(where, f"foreground_ids {value!r}", "Give a JSON list or words.")
    return tuple(printable(str(word)) for word in value or [])


def _object(value: Any, where: str) -> dict[str, Any]:
    value = _json(value, where) if isinstance(value, str) and value else value or {}
    if not isinstance(value, dict):
        raise broken(where, f"meta {value!r}", "Give a JSON object.")
    return value


def _json(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise broken(where, f"not valid JSON ({error})", "Correct it.") from error
