"""The maker of imported data sets: one sample per row."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, replace
from functools import lru_cache
from typing import Any

import numpy as np

from mdeas.create.imports.entry import ImportEntry, PictureFile, import_error
from mdeas.create.imports.pictures import read_depth, read_mask, read_photo
from mdeas.create.imports.recipe import ImportRecipe, splits_of
from mdeas.create.imports.sources import ImportSource
from mdeas.errors import InputError
from mdeas.sample import Sample
from mdeas.system.files import json_bytes, sha256_bytes

_CACHED_HASHES = 4096  # files that many rows share, such as backgrounds, are hashed once


class ImportMaker:
    """Make one sample of each row of a source, in the source's order and at each row's own size.

    A row without a `background_id` gets the first 16 digits of the sha256 of its background.
    """

    def __init__(self, source: ImportSource, recipe: ImportRecipe, seed: int):
        """Hash every file. InputError E-IMPORT when the split leaves out every row."""
        self.source, self.recipe, self.seed = source.name, recipe, seed
        entries, self.sha256 = _hashed(source.entries)
        splits = splits_of(entries, recipe, seed)
        self.rows = [(entry, split) for entry, split in zip(entries, splits, strict=True) if split]
        self.count, self.num_left_out = len(self.rows), splits.count(None)
        self.left_out: list[dict[str, Any]] = []  # bad pictures are found when their sample is made
        self._provenance = source.provenance
        if not self.rows:
            what = f"the background and foregrounds of each of {len(entries)} rows fall into different splits"
            raise import_error(repr(source.name), what, "Pass --set split=rows, or other shares.")

    def split_of(self, index: int) -> str:
        """Return the split of row `index` by the recipe's rule."""
        return self.rows[index][1]

    def describe(self) -> dict[str, Any]:
        """Describe the recipe, and the source by its name and content; its path may change."""
        about = {"maker": "import", "source": self.source, "sha256": self.sha256}
        return about | {"rows_left_out": self.num_left_out} | asdict(self.recipe)

    def provenance(self) -> list[dict[str, Any]]:
        """List one row for the source, and the source's own provenance."""
        return [{"kind": "source", "name": self.source, "sha256": self.sha256}, *self._provenance]

    def warnings(self) -> list[str]:
        """Tell how many rows the split leaves out, and how many rows name no foregrounds."""
        found = []
        if self.num_left_out:
            total = self.count + self.num_left_out
            why = "their pictures belong to more than one split"
            found.append(f"{self.num_left_out} of {total} rows left out: {why}")
        nameless = sum(not entry.foreground_ids for entry, _ in self.rows)
        if self.recipe.split == "identity" and nameless:
            found.append(f"{nameless} rows name no foreground_ids: split by their background alone")
        return found

    def make(self, index: int) -> Sample:
        """Make the sample of row `index`, with the bytes to store.

        Errors: InputError E-PAIR-SIZE when its pictures differ in size, E-DEPTH-SCALE, E-IMG-...
        """
        entry, split = self.rows[index]
        background, background_bytes = read_photo(entry.files["background"])
        image, image_bytes = read_photo(entry.files["image"])
        mask, mask_bytes = read_mask(entry.files["mask"]) if "mask" in entry.files else (None, None)
        depth, depth_kind, depth_bytes, depth_scale = self._depth(entry)
        _check_sizes(entry, {"background": background, "image": image, "mask": mask, "depth": depth})
        encoded: dict[str, Any] = {"background": background_bytes, "image": image_bytes, "mask": mask_bytes}
        encoded |= {"depth": depth_bytes, "depth_scale": depth_scale}
        meta = {**entry.meta, "id": entry.id, "source": entry.source, "split": split, "seed": self.seed}
        meta |= {"index": index, "background_id": entry.background_id}
        return Sample(
            background=background,
            image=image,
            mask=mask,
            depth=depth,
            depth_kind=depth_kind,
            meta=meta | {"foreground_ids": list(entry.foreground_ids)},
            encoded=encoded,
        )

    def _depth(self, entry: ImportEntry) -> tuple[np.ndarray | None, str, bytes | None, float | None]:
        """Return what `read_depth` does; (None, "none", None, None) for a row without depth."""
        kind = entry.depth_kind or self.recipe.depth_kind
        if "depth" not in entry.files or kind == "none":
            return None, "none", None, None
        return read_depth(entry.files["depth"], kind, entry.depth_scale or self.recipe.depth_scale)


def _check_sizes(entry: ImportEntry, arrays: dict[str, np.ndarray | None]) -> None:
    """Raise InputError E-PAIR-SIZE unless all arrays have the (H, W) of the image."""
    assert arrays["image"] is not None
    height, width = arrays["image"].shape[:2]
    for name, array in arrays.items():
        if array is not None and array.shape[:2] != (height, width):
            got = f"{array.shape[1]} x {array.shape[0]}, the image of {entry.id!r} is {width} x {height}"
            raise InputError("E-PAIR-SIZE", f"{entry.files[name].name} is {got}. Give both the same size.")


def _hashed(entries: Iterable[ImportEntry]) -> tuple[list[ImportEntry], str]:
    """Fill in missing background_ids; also return one sha256 over all facts and files of the entries."""
    digest, known = hashlib.sha256(), []
    sha256 = lru_cache(maxsize=_CACHED_HASHES)(_sha256)
    for entry in entries:
        hashes = {name: sha256(file) for name, file in entry.files.items()}
        known.append(replace(entry, background_id=entry.background_id or hashes["background"][:16]))
        # Without paths, because they may change.
        digest.update(json_bytes(asdict(replace(known[-1], files={})) | {"files": hashes}))
    return known, digest.hexdigest()


def _sha256(file: PictureFile) -> str:
    """Return the sha256 in hexadecimal, or for an unreadable file the error code; `make` raises the error."""
    try:
        return sha256_bytes(file.read())
    except InputError as error:
        return error.code
