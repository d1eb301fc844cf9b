"""Somebody else's pictures as a data set."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, replace
from functools import lru_cache
from typing import Any

import numpy as np

from mdeas.create.imports.entry import Blob, Entry, broken
from mdeas.create.imports.pictures import read_depth, read_mask, read_photo
from mdeas.create.imports.recipe import ImportRecipe, splits_of
from mdeas.create.imports.sources import Source
from mdeas.errors import InputError
from mdeas.sample import Sample
from mdeas.system.files import json_bytes, sha256_bytes

_SHARED = 4096  # files that serve many rows, as backgrounds do, are hashed once


class ImportMaker:
    """Makes the sample of every row of a source, in its order and at its own size.

    A row that names no `background_id` has the start of the sha256 of its background.
    """

    def __init__(self, source: Source, recipe: ImportRecipe, seed: int):
        """Reads every file once, for its hash. InputError E-IMPORT when the split leaves nothing."""
        self.source, self.recipe, self.seed = source.name, recipe, seed
        entries, self.sha256 = _known(source.entries)
        splits = splits_of(entries, recipe, seed)
        self.rows = [(entry, split) for entry, split in zip(entries, splits, strict=True) if split]
        self.count, self.num_left_out = len(self.rows), splits.count(None)
        self.left_out: list[dict[str, Any]] = []  # a bad picture costs its sample, no more
        self._provenance = source.provenance
        if not self.rows:
            what = f"the background and foregrounds of each of {len(entries)} rows fall into different splits"
            raise broken(repr(source.name), what, "Pass --set split=rows, or other shares.")

    def split_of(self, index: int) -> str:
        """As `recipe.split` says."""
        return self.rows[index][1]

    def describe(self) -> dict[str, Any]:
        """The source by name and content, so that it may move."""
        about = {"maker": "import", "source": self.source, "sha256": self.sha256}
        return about | {"rows_left_out": self.num_left_out} | asdict(self.recipe)

    def provenance(self) -> list[dict[str, Any]]:
        """A row for the source, and those that came with it."""
        return [{"kind": "source", "name": self.source, "sha256": self.sha256}, *self._provenance]

    def warnings(self) -> list[str]:
        """What the split could not keep: rows, or foregrounds apart."""
        found = []
        if self.num_left_out:
            total = self.count + self.num_left_out
            found.append(f"{self.num_left_out} of {total} rows left out: they would join two splits")
        nameless = sum(not entry.foreground_ids for entry, _ in self.rows)
        if self.recipe.split == "identity" and nameless:
            found.append(f"{nameless} rows name no foreground_ids: split by their background alone")
        return found

    def make(self, index: int) -> Sample:
        """The sample, and the bytes that are stored of it.

        InputError E-PAIR-SIZE when its pictures differ in size, E-DEPTH-SCALE, E-IMG-...
        """
        entry, split = self.rows[index]
        background, image = (read_photo(entry.files[name]) for name in ("background", "image"))
        mask = read_mask(entry.files["mask"]) if "mask" in entry.files else (None, None)
        depth, depth_kind, *stored = self._depth(entry)
        _same_size(entry, {"background": background[0], "image": image[0], "mask": mask[0], "depth": depth})
        encoded = {"background": background[1], "image": image[1], "mask": mask[1]}
        meta = {**entry.meta, "id": entry.id, "source": entry.source, "split": split, "seed": self.seed}
        meta |= {"index": index, "background_id": entry.background_id}
        return Sample(
            background=background[0],
            image=image[0],
            mask=mask[0],
            depth=depth,
            depth_kind=depth_kind,
            meta=meta | {"foreground_ids": list(entry.foreground_ids)},
            encoded=encoded | dict(zip(("depth", "depth_scale"), stored, strict=True)),
        )

    def _depth(self, entry: Entry) -> tuple[np.ndarray | None, str, bytes | None, float | None]:
        """As `read_depth`; "none" and None where the row has none."""
        kind = entry.depth_kind or self.recipe.depth_kind
        if "depth" not in entry.files or kind == "none":
            return None, "none", None, None
        return read_depth(entry.files["depth"], kind, entry.depth_scale or self.recipe.depth_scale)


def _same_size(entry: Entry, arrays: dict[str, Any]) -> None:
    height, width = arrays["image"].shape[:2]
    for name, array in arrays.items():
        if array is not None and array.shape[:2] != (height, width):
            got = f"{array.shape[1]} x {array.shape[0]}, the image of {entry.id!r} is {width} x {height}"
            raise InputError("E-PAIR-SIZE", f"{entry.files[name].name} is {got}. All must have one size.")


def _known(entries: Iterable[Entry]) -> tuple[list[Entry], str]:
    """(The entries with the identity of their background, SHA-256 over all that decides the samples)."""
    digest, known, sha256 = hashlib.sha256(), [], lru_cache(maxsize=_SHARED)(_sha256)
    for entry in entries:
        hashes = {name: sha256(blob) for name, blob in entry.files.items()}
        known.append(replace(entry, background_id=entry.background_id or hashes["background"][:16]))
        # Not where its files are: the source may move.
        digest.update(json_bytes(asdict(replace(known[-1], files={})) | {"files": hashes}))
    return known, digest.hexdigest()


def _sha256(blob: Blob) -> str:
    """Hexadecimal; of a file that cannot be read the code of its error, which comes when it is used."""
    try:
        return sha256_bytes(blob.read())
    except InputError as error:
        return error.code
