"""Pools of photos and cut-outs, divided among the splits by identity.

The split of an asset follows from the sha256 of its bytes and nothing else. So two data sets made from one
folder put the same assets into training, whatever the file names and their order.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from mdeas.errors import InputError
from mdeas.images.codec import SUFFIXES, list_images, read_rgb, read_rgba
from mdeas.images.resize import within
from mdeas.system.files import json_bytes, quoted, read_json_if_any, sha256_bytes, sha256_file

ALL = "all"
"""The split of an asset that every split may use."""
LONG_SIDE = 800
"""Pixels; larger assets are shrunk to this long side when they are loaded."""

_CACHED = 320  # decoded assets in the memory of a process; about 400 MB of photos at LONG_SIDE
_FAINT = 5  # of 255; lower alpha is noise of matting, not the object


@dataclass(frozen=True, kw_only=True)
class Asset:
    """One picture file."""

    path: Path
    sha256: str
    """Hash of the file's bytes, hexadecimal."""
    split: str
    """One of sample.SPLITS, or ALL."""

    @property
    def identity(self) -> str:
        """The asset's name in a sample's meta; copies of one file share it."""
        return self.sha256[:16]


@dataclass(frozen=True, kw_only=True)
class Pool:
    """The assets of one folder."""

    kind: str
    """Kind of the files: "background", "foreground" or "mesh"."""
    folder: Path
    assets: tuple[Asset, ...]
    """Ordered by sha256, so that renaming a file changes no sample."""
    left_out: tuple[dict[str, str], ...] = ()
    """{"kind", "name", "code", "message"} of every unusable file, for errors.jsonl."""

    def of(self, split: str) -> tuple[Asset, ...]:
        """Return the assets of a split. InputError E-POOL when there are none."""
        found = tuple(asset for asset in self.assets if asset.split in (split, ALL))
        if not found:
            raise InputError(
                "E-POOL",
                f"{quoted(self.folder)}: none of its {len(self.assets)} {_plural(self.kind)} falls to "
                f"{split!r}. Add files, or change validation_share or test_share.",
            )
        return found

    def describe(self) -> dict[str, object]:
        """Describe the folder by its name and content; its path may change."""
        hashes = [asset.sha256 for asset in self.assets]
        return {
            "folder": self.folder.resolve().name,
            "num": len(hashes),
            "sha256": sha256_bytes(json_bytes(hashes)),
        }

    def provenance(self) -> list[dict[str, str]]:
        """List kind, name, sha256 and split of each asset, and its licence where it is known.

        A licence comes from SOURCES.md in the folder or beside it, or meta.json in the asset's own folder.
        """
        licences = _licences(self.folder)
        rows = []
        for asset in self.assets:
            name = _name(asset.path, self.folder)
            row = {"kind": self.kind, "name": name, "sha256": asset.sha256, "split": asset.split}
            licence = licences.get(f"{self.folder.resolve().name}/{name}", licences.get(name))
            if not licence and asset.path.parent != self.folder:
                about = read_json_if_any(asset.path.with_name("meta.json"))
                licence = about.get("licence") if isinstance(about, dict) else None
            rows.append(row | ({"licence": licence} if licence else {}))
        return rows


def load_pool(
    folder: Path,
    kind: str,
    shares: Mapping[str, float] | None,
    skip_bad: bool = False,
    *,
    files: list[Path] | None = None,
    decode: Callable[[Asset], object] | None = None,
) -> Pool:
    """List and hash a folder's files; pictures are decoded later, when a sample needs them.

    Input: shares: shares of "validation" and "test" in [0, 1], None = every asset is in every split;
        skip_bad: decode every file now, and leave out those that fail; files: the files, None = the folder's
        pictures; decode: reads one asset, None = load_cutout for "foreground", else load_photo.
    Errors: InputError E-NO-IMAGES when the folder has no pictures or `skip_bad` leaves nothing; E-FILE.
    """
    folder = Path(folder)
    files = _pictures(folder) if files is None else files
    # Decoded without the cache: a folder may be larger than memory.
    decode = decode or (load_cutout if kind == "foreground" else load_photo).__wrapped__
    errors: dict[Path, InputError] = {}
    by_hash: dict[str, Asset] = {}
    for path in files:
        try:
            sha256 = sha256_file(path)
            asset = Asset(path=path, sha256=sha256, split=split_of(sha256, shares) if shares else ALL)
            if skip_bad and sha256 not in by_hash:
                decode(asset)
            by_hash.setdefault(sha256, asset)
        except InputError as error:
            if not skip_bad:
                raise
            errors[path] = error
    if not by_hash:
        first = errors[files[0]]
        what = f"none of its {len(files)} {_plural('mesh' if kind == 'mesh' else 'picture')} can be used"
        raise InputError("E-NO-IMAGES", f"{quoted(folder)}: {what}. The first: [{first.code}] {first}")
    left_out = tuple({"kind": kind, "name": _name(path, folder), **e.record()} for path, e in errors.items())
    assets = tuple(by_hash[sha256] for sha256 in sorted(by_hash))
    return Pool(kind=kind, folder=folder, assets=assets, left_out=left_out)


def _plural(kind: str) -> str:
    """Return the plural of "background", "mesh" or the like."""
    return f"{kind}es" if kind.endswith("sh") else f"{kind}s"


def _pictures(folder: Path) -> list[Path]:
    """List the pictures in a folder; where it has none, the `image.*` of each sub-folder."""
    try:
        return list_images(folder)
    except InputError:
        nested = [path for path in folder.glob("*/image.*") if path.suffix.lower() in SUFFIXES]
        if not nested:
            raise
        return sorted(nested, key=os.fsencode)


def _name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def split_of(sha256: str, shares: Mapping[str, float]) -> str:
    """Assign a content hash (at least 13 hexadecimal digits) to a split.

    Test takes the lowest hashes and validation the highest. So an asset that is in test with a small share
    stays there with a larger one.

    Example:
        >>> split_of("4ccccccccccccccc", {"validation": 0.1, "test": 0.3})
        'test'
        >>> split_of("f000000000000000", {"validation": 0.1, "test": 0.3})
        'validation'
    """
    position = int(sha256[:13], 16) / 16**13
    if position < shares["test"]:
        return "test"
    return "validation" if position >= 1 - shares["validation"] else "train"


@lru_cache(maxsize=_CACHED)
def load_photo(asset: Asset) -> np.ndarray:
    """Decode a photo: uint8 RGB (h, w, 3), long side at most LONG_SIDE; read only.

    Errors: InputError E-IMG-...
    """
    return read_only(np.ascontiguousarray(within(read_rgb(asset.path), LONG_SIDE)))


@lru_cache(maxsize=_CACHED)
def load_cutout(asset: Asset) -> np.ndarray:
    """Decode a cut-out: uint8 RGBA (h, w, 4), trimmed to its alpha, long side at most LONG_SIDE; read only.

    Colours are premultiplied by alpha. Then resizing mixes no colour of the old background into the edge.
    Errors: InputError E-IMG-...; E-CUTOUT when the file has no transparent or no opaque pixel.
    """
    rgba = read_rgba(asset.path)
    alpha = np.where(rgba[..., 3] < _FAINT, np.uint8(0), rgba[..., 3])
    if not alpha.any() or alpha.all():
        what = "nothing opaque" if not alpha.any() else "no transparent pixel"
        raise InputError(
            "E-CUTOUT",
            f"{quoted(asset.path.name)} has {what}. Use an RGBA cut-out, such as a PNG with alpha.",
        )
    left, top, width, height = cv2.boundingRect(alpha)
    box = slice(top, top + height), slice(left, left + width)
    trimmed = premultiply(rgba[box][..., :3], alpha[box])
    return read_only(np.ascontiguousarray(within(trimmed, LONG_SIDE)))


def premultiply(rgb: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Join RGB uint8 (h, w, 3) times alpha / 255 with alpha uint8 (h, w): RGBA uint8 (h, w, 4)."""
    colours = cv2.multiply(rgb, cv2.merge([alpha] * 3), scale=1 / 255)
    return np.dstack([colours, alpha])


def read_only(array: np.ndarray) -> np.ndarray:
    """Make an array read only and return it; for arrays that a cache shares."""
    array.flags.writeable = False
    return array


def _licences(folder: Path) -> dict[str, str]:
    """Read licences by file name from the Markdown tables of a SOURCES.md in the folder or beside it."""
    found: dict[str, str] = {}
    for parent in (folder.resolve().parent, folder.resolve()):
        if (parent / "SOURCES.md").is_file():
            found |= _licence_table((parent / "SOURCES.md").read_text(encoding="utf-8"))
    return found


def _licence_table(markdown: str) -> dict[str, str]:
    """Map the first cell of each table row to the cell under the heading `licence`."""
    column, found = None, {}
    for line in markdown.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        headings = [i for i, cell in enumerate(cells) if re.fullmatch("licen[cs]e", cell, re.IGNORECASE)]
        if headings:
            column = headings[0]
        elif column is not None and len(cells) > column:
            found[cells[0]] = cells[column]
    return found
