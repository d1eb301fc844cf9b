"""Pools of photos and cut-outs, divided among the splits by identity.

The split of an asset follows from the sha256 of its bytes and nothing else. So two data sets made from one
folder never disagree about what may be trained on, whatever the files are called and in whichever order.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mdeas.errors import InputError
from mdeas.images.codec import SUFFIXES, list_images, read_rgb, read_rgba
from mdeas.images.resize import within
from mdeas.system.files import json_bytes, quoted, read_json_if_any, sha256_bytes, sha256_file

ALL = "all"  # the split of assets that every split may use
LONG_SIDE = 800
"""Pixels; larger assets are kept in memory at this size."""

_CACHED = 320  # decoded assets a process keeps; about 400 MB of photos at LONG_SIDE
_FAINT = 5  # alpha below this is haze that mattes leave behind, not an object


@dataclass(frozen=True, kw_only=True)
class Asset:
    """One picture file."""

    path: Path
    sha256: str
    """Of the file's bytes."""
    split: str
    """One of sample.SPLITS, or ALL."""

    @property
    def identity(self) -> str:
        """What a sample's meta names it by: copies of one file are one identity."""
        return self.sha256[:16]


@dataclass(frozen=True, kw_only=True)
class Pool:
    """The assets of one folder."""

    kind: str
    """What its files are, in one word: "background", "foreground", "mesh"."""
    folder: Path
    assets: tuple[Asset, ...]
    """In the order of their sha256, so that a renamed file changes no sample."""
    left_out: tuple[dict[str, str], ...] = ()
    """{"kind", "name", "code", "message"} of every file that cannot be used, for errors.jsonl."""

    def of(self, split: str) -> tuple[Asset, ...]:
        """The assets of a split. InputError E-POOL when there are none."""
        found = tuple(asset for asset in self.assets if asset.split in (split, ALL))
        if not found:
            raise InputError(
                "E-POOL",
                f"{str(self.folder)!r}: none of its {len(self.assets)} {_plural(self.kind)} falls to "
                f"{split!r}. Add files, or change validation_share or test_share.",
            )
        return found

    def describe(self) -> dict[str, Any]:
        """Name and content, so that the folder may move."""
        hashes = [asset.sha256 for asset in self.assets]
        return {
            "folder": self.folder.resolve().name,
            "num": len(hashes),
            "sha256": sha256_bytes(json_bytes(hashes)),
        }

    def provenance(self) -> list[dict[str, str]]:
        """One row per asset: kind, name, sha256, split, and licence where a SOURCES.md names it."""
        licences = _licences(self.folder)
        rows = []
        for asset in self.assets:
            name = _name(asset.path, self.folder)
            row = {"kind": self.kind, "name": name, "sha256": asset.sha256, "split": asset.split}
            licence = licences.get(f"{self.folder.resolve().name}/{name}", licences.get(name))
            if asset.path.parent != self.folder:
                licence = licence or _told_beside(asset.path)
            rows.append(row | ({"licence": licence} if licence else {}))
        return rows


def load_pool(
    folder: Path,
    kind: str,
    shares: Mapping[str, float] | None,
    skip_bad: bool = False,
    *,
    files: list[Path] | None = None,
    decode: Callable[[Asset], Any] | None = None,
) -> Pool:
    """Read a folder's file list and hashes; pictures are decoded when they are used.

    `shares` holds the shares of "validation" and "test", 0 to 1; None = every asset is in every split.
    With `skip_bad` all are decoded now, so that one that cannot be used spoils no sample.
    `files`: those of the folder to take, if not its pictures; `decode`: what reads one of them.
    InputError E-NO-IMAGES for an empty folder, or when `skip_bad` leaves nothing.
    """
    files, errors = _files(Path(folder)) if files is None else files, {}
    # Not kept: a folder may hold more than memory does.
    decode = decode or (cutout if kind == "foreground" else photo).__wrapped__
    by_hash: dict[str, Asset] = {}
    for path in files:
        try:
            asset = _asset(path, shares)
            if skip_bad and asset.sha256 not in by_hash:
                decode(asset)
            by_hash.setdefault(asset.sha256, asset)
        except InputError as error:
            if not skip_bad:
                raise
            errors[path] = error
    if not by_hash:
        first = errors[files[0]]
        what = f"none of its {len(files)} {_plural('mesh' if kind == 'mesh' else 'picture')} can be used"
        raise InputError("E-NO-IMAGES", f"{quoted(folder)}: {what}. The first: [{first.code}] {first}")
    left_out = tuple(
        {"kind": kind, "name": _name(path, Path(folder)), **e.record()} for path, e in errors.items()
    )
    assets = tuple(by_hash[sha256] for sha256 in sorted(by_hash))
    return Pool(kind=kind, folder=Path(folder), assets=assets, left_out=left_out)


def _plural(kind: str) -> str:
    return f"{kind}es" if kind.endswith("sh") else f"{kind}s"


def _files(folder: Path) -> list[Path]:
    """The pictures in a folder; where it has none, the `image.*` of each folder in it."""
    try:
        return list_images(folder)
    except InputError:
        nested = [path for path in folder.glob("*/image.*") if path.suffix.lower() in SUFFIXES]
        if not nested:
            raise
        return sorted(nested, key=os.fsencode)


def _name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def _asset(path: Path, shares: Mapping[str, float] | None) -> Asset:
    sha256 = sha256_file(path)
    return Asset(path=path, sha256=sha256, split=split_of(sha256, shares) if shares else ALL)


def split_of(sha256: str, shares: Mapping[str, float]) -> str:
    """The split a content hash falls to.

    Test is cut from the low end and validation from the high end: with other shares the sets grow or shrink,
    but what is in test under a small share stays there under a larger one.
    """
    place = int(sha256[:13], 16) / 16**13
    if place < shares["test"]:
        return "test"
    return "validation" if place >= 1 - shares["validation"] else "train"


@lru_cache(maxsize=_CACHED)
def photo(asset: Asset) -> np.ndarray:
    """uint8 RGB (h, w, 3), long side at most LONG_SIDE; read only."""
    return _frozen(within(read_rgb(asset.path), LONG_SIDE))


@lru_cache(maxsize=_CACHED)
def cutout(asset: Asset) -> np.ndarray:
    """uint8 RGBA (h, w, 4) with premultiplied colours, trimmed to its alpha; read only.

    Premultiplied, because only then resizing mixes no colour from behind the object into its edge.
    InputError E-CUTOUT when the file has no transparent or no opaque pixel.
    """
    rgba = read_rgba(asset.path)
    alpha = np.where(rgba[..., 3] < _FAINT, np.uint8(0), rgba[..., 3])
    if not alpha.any() or alpha.all():
        what = "nothing opaque" if not alpha.any() else "no transparent pixel"
        raise InputError(
            "E-CUTOUT", f"{asset.path.name!r} has {what}. A foreground is an RGBA cut-out, such as a PNG."
        )
    rows, columns = (slice(*_extent(np.any(alpha, axis=axis, keepdims=True))) for axis in (1, 0))
    return _frozen(within(premultiply(rgba[rows, columns, :3], alpha[rows, columns]), LONG_SIDE))


def premultiply(rgb: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """uint8 RGB (h, w, 3) and alpha uint8 (h, w) -> uint8 RGBA (h, w, 4), colours times alpha / 255."""
    colours = cv2.multiply(rgb, cv2.merge([alpha] * 3), scale=1 / 255)
    return np.dstack([colours, alpha])


def _extent(used: np.ndarray) -> tuple[int, int]:
    places = np.flatnonzero(used)
    return int(places[0]), int(places[-1]) + 1


def _frozen(picture: np.ndarray) -> np.ndarray:
    picture = np.ascontiguousarray(picture)
    picture.flags.writeable = False
    return picture


def _told_beside(path: Path) -> str | None:
    """The licence in the meta.json of a picture that has a folder of its own, as create/pairs.py reads it."""
    about = read_json_if_any(path.with_name("meta.json"))
    return about.get("licence") if isinstance(about, dict) else None


def _licences(folder: Path) -> dict[str, str]:
    """Licence by file, from the Markdown tables of a SOURCES.md in the folder or beside it."""
    found: dict[str, str] = {}
    for place in (folder.resolve().parent, folder.resolve()):
        if (place / "SOURCES.md").is_file():
            found |= _table((place / "SOURCES.md").read_text(encoding="utf-8"))
    return found


def _table(markdown: str) -> dict[str, str]:
    column, found = None, {}
    for line in markdown.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        headings = [i for i, cell in enumerate(cells) if re.fullmatch("licen[cs]e", cell, re.IGNORECASE)]
        if headings:
            column = headings[0]
        elif column is not None and len(cells) > column:
            found[cells[0]] = cells[column]
    return found


def frozen(depth: np.ndarray) -> np.ndarray:
    """The same array, read only, for it is shared."""
    depth.flags.writeable = False
    return depth
