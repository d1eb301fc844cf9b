"""Pairs that were photographed: folders of pictures become the samples of a test set, at their own size.

A pair is a folder, at any depth, that holds an `image.*` and may hold
    background.* or bg.*    without one, the image stands in for it: nothing is new, the mask is empty
    mask.* or mask_pseudo.* alpha; without one beside a background, the mask is unknown
    depth.png               16-bit millimetres, 0 = unknown; a smaller grid of the same view is allowed
    meta.json               its `licence` goes into the provenance
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mdeas.errors import InputError
from mdeas.files import json_bytes, quoted, read_json, sha256_bytes, sha256_file
from mdeas.images import SUFFIXES, read_depth16, read_gray, read_rgb
from mdeas.sample import Sample

_ROLES = {
    "image": ("image",),
    "background": ("background", "bg"),
    "mask": ("mask", "mask_pseudo"),
    "depth": ("depth",),
}
_SATURATED = 65535  # a 16-bit file says this for whatever is farther
_ASPECT_TOLERANCE = 0.02  # what rounding the sides of a small depth grid amounts to


@dataclass(frozen=True, kw_only=True)
class Pair:
    """The files of one pair."""

    id: str
    """Its folder, relative to the given one, with "--" for the separator."""
    files: dict[str, Path]
    """By role: image, and what there is of background, mask, depth."""
    sha256: dict[str, str]
    """Of the files' bytes, by role."""
    licence: str | None


class PairsMaker:
    """Makes the sample of every pair in a folder, in the order of their ids; all are test."""

    seed = 0

    def __init__(self, folder: str | os.PathLike[str]):
        """InputError E-NO-PAIRS when no folder in `folder` holds an image."""
        self.folder = Path(folder)
        self.pairs = sorted((_pair(self.folder, f, names) for f, names in _leaves(folder)), key=_id)
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


def _leaves(folder: str | os.PathLike[str]):
    """(folder, file names by stem) of all folders that hold an image."""
    for place, _, files in os.walk(folder):
        by_stem = {Path(name).stem: name for name in files if name.lower().endswith(SUFFIXES)}
        if "image" in by_stem:
            yield Path(place), by_stem


def _pair(root: Path, folder: Path, by_stem: dict[str, str]) -> Pair:
    found = {role: [by_stem[s] for s in stems if s in by_stem] for role, stems in _ROLES.items()}
    files = {role: folder / names[0] for role, names in found.items() if names}
    about = read_json(folder / "meta.json") if (folder / "meta.json").is_file() else {}
    return Pair(
        id="--".join(folder.relative_to(root).parts) or folder.resolve().name,
        files=files,
        sha256={role: sha256_file(path) for role, path in files.items()},
        licence=about.get("licence"),
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
    """float32 (H, W) in metres, 0 = unknown. Nearest: a mean across an edge is a depth that nothing has."""
    if "depth" not in pair.files:
        return None
    depth_mm = read_depth16(pair.files["depth"])
    (height, width), (h, w) = size, depth_mm.shape
    if abs(np.log(width / height * h / w)) > _ASPECT_TOLERANCE:
        raise _wrong_size(pair, "depth", (h, w), size)
    depth_mm = cv2.resize(depth_mm, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
    return np.where(depth_mm == _SATURATED, 0, depth_mm).astype(np.float32) / 1000


def _same_size(pair: Pair, role: str, picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    if picture.shape[:2] != size:
        raise _wrong_size(pair, role, picture.shape[:2], size)
    return picture


def _wrong_size(pair: Pair, role: str, got: tuple[int, ...], size: tuple[int, int]) -> InputError:
    return InputError(
        "E-PAIR-SIZE",
        f"{quoted(pair.files[role])} is {got[1]} x {got[0]}, the image is {size[1]} x {size[0]}. "
        "Both must show the same view at the same size.",
    )
