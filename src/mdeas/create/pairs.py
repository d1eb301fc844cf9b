"""Pairs that were photographed: folders of pictures become the samples of a test set, at their own size.

A pair is a folder, at any depth, that holds an `image.*` and may hold
    background.* or bg.*    without one, the image stands in for it: nothing is new, the mask is empty
    mask.* or mask_pseudo.* alpha; without one beside a background, the mask is unknown
    depth.png               16-bit millimetres, 0 = unknown; a smaller grid of the same view is allowed
    meta.json               its `licence` goes into the provenance
"""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mdeas.camera.sensor import read_depth_m, wrong_size
from mdeas.errors import InputError
from mdeas.images.codec import SUFFIXES, read_gray, read_rgb
from mdeas.sample import Sample
from mdeas.system.files import json_bytes, quoted, read_json, sha256_bytes, sha256_file
from mdeas.system.names import printable

_ROLES = {
    "image": ("image",),
    "background": ("background", "bg"),
    "mask": ("mask", "mask_pseudo"),
    "depth": ("depth",),
}


@dataclass(frozen=True, kw_only=True)
class Pair:
    """The files of one pair."""

    id: str
    """Its folder, relative to the given one, with "--" for the separator; numbered where two are equal."""
    files: dict[str, Path]
    """By role: image, and what there is of background, mask, depth."""
    sha256: dict[str, str]
    """Of the files' bytes, by role."""
    licence: str | None


class PairsMaker:
    """Makes the sample of every pair in a folder, in the order of their ids; all are test."""

    seed = 0

    def __init__(self, folder: str | os.PathLike[str], skip_bad: bool = False):
        """InputError E-NO-PAIRS when no folder in `folder` holds an image; E-FILE, E-PAIR-FILES, E-JSON.

        With `skip_bad` pairs whose files cannot be read become records in `left_out`.
        """
        self.folder = Path(folder)
        self.left_out: list[dict[str, str]] = []
        pairs = []
        for place, files in sorted(_leaves(folder), key=lambda leaf: os.fsencode(leaf[0])):
            try:
                pairs.append(_pair(self.folder, place, files))
            except InputError as error:
                if not skip_bad:
                    raise
                name = os.fspath(place.relative_to(folder))
                self.left_out.append({"kind": "pair", "name": name, **error.record()})
        self.pairs = _with_unique_ids(sorted(pairs, key=_id))
        if not self.pairs:
            raise InputError(
                "E-NO-PAIRS", f"{quoted(folder)}: no folder in it holds an image.jpg or image.png."
            )
        self.count = len(self.pairs)

    def split_of(self, index: int) -> str:
        """Always test: what was photographed for a check is not trained on."""
        return "test"

    def describe(self) -> dict[str, Any]:
        """The folder by name and content, so that it may move."""
        content = sha256_bytes(json_bytes([[pair.id, pair.sha256] for pair in self.pairs]))
        return {"maker": "pairs", "folder": self.folder.resolve().name, "sha256": content}

    def provenance(self) -> list[dict[str, Any]]:
        """One row per file."""
        return [
            {"kind": role, "name": f"{pair.id}/{path.name}", "sha256": pair.sha256[role], "split": "test"}
            | ({"licence": pair.licence} if pair.licence else {})
            for pair in self.pairs
            for role, path in pair.files.items()
        ]

    def make(self, index: int) -> Sample:
        """The sample at the photo's own size; depth in metres.

        InputError E-PAIR-SIZE when the pictures do not belong together, E-IMG-... when one does not decode.
        """
        pair = self.pairs[index]
        image = read_rgb(pair.files["image"])
        depth = _depth(pair, image.shape[:2])
        meta = {"id": pair.id, "source": "pairs", "split": "test", "seed": self.seed, "index": index}
        meta |= {"background_id": pair.sha256.get("background", pair.sha256["image"])[:16]}
        return Sample(
            background=_background(pair, image),
            image=image,
            mask=_mask(pair, image.shape[:2]),
            depth=depth,
            depth_kind="none" if depth is None else "metric",
            meta=meta | {"foreground_ids": [], "mask_kind": _mask_kind(pair)},
        )


def _id(pair: Pair) -> str:
    return pair.id


def _with_unique_ids(pairs: list[Pair]) -> list[Pair]:
    """The folders "a/b" and "a--b" meet, and so may names that are no text."""
    taken: set[str] = set()
    unique = []
    for pair in pairs:
        name, number = pair.id, 2
        while name in taken:
            name, number = f"{pair.id}-{number}", number + 1
        taken.add(name)
        unique.append(dataclasses.replace(pair, id=name))
    return unique


def _leaves(folder: str | os.PathLike[str]):
    """(folder, names of the pictures in it) of all folders that hold an image."""
    for place, _, files in os.walk(folder, onerror=_unreadable):
        pictures = sorted(name for name in files if name.lower().endswith(SUFFIXES))
        if "image" in map(_stem, pictures):
            yield Path(place), pictures


def _unreadable(error: OSError) -> None:
    raise InputError("E-FILE", f"{quoted(error.filename)}: {error.strerror}. Check the path.") from error


def _stem(name: str) -> str:
    return Path(name).stem


def _pair(root: Path, folder: Path, pictures: list[str]) -> Pair:
    stems = [_stem(name) for name in pictures]
    found = {role: next((s for s in names if s in stems), None) for role, names in _ROLES.items()}
    files = {role: folder / pictures[stems.index(stem)] for role, stem in found.items() if stem}
    for path in files.values():
        if stems.count(path.stem) > 1:
            what = f"{quoted(path)} is not the only file of this name"
            raise InputError("E-PAIR-FILES", f"{what}. Keep one {path.stem}.* in the folder.")
    about = read_json(folder / "meta.json") if (folder / "meta.json").is_file() else {}
    return Pair(
        id=printable("--".join(folder.relative_to(root).parts) or folder.resolve().name),
        files=files,
        sha256={role: sha256_file(path) for role, path in files.items()},
        licence=about.get("licence") if isinstance(about, dict) else None,
    )


def _background(pair: Pair, image: np.ndarray) -> np.ndarray:
    if "background" not in pair.files:
        return image.copy()
    return _same_size(pair, "background", read_rgb(pair.files["background"]), image.shape[:2])


def _mask(pair: Pair, size: tuple[int, int]) -> np.ndarray | None:
    if "background" not in pair.files:
        return np.zeros(size, np.float32)
    if "mask" not in pair.files:
        return None
    return _same_size(pair, "mask", read_gray(pair.files["mask"]), size) / np.float32(255)


def _mask_kind(pair: Pair) -> str:
    """empty: nothing can be new. unknown: no file. pseudo: computed, not the truth. given: alpha."""
    if "background" not in pair.files:
        return "empty"
    if "mask" not in pair.files:
        return "unknown"
    return "given" if pair.files["mask"].stem == "mask" else "pseudo"


def _depth(pair: Pair, size: tuple[int, int]) -> np.ndarray | None:
    """float32 (H, W) in metres, 0 = unknown."""
    return read_depth_m(pair.files["depth"], size) if "depth" in pair.files else None


def _same_size(pair: Pair, role: str, picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    if picture.shape[:2] != size:
        raise wrong_size(pair.files[role], picture.shape[:2], size)
    return picture
