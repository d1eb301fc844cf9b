"""Turn folders of photographed pairs into a test set; every picture keeps its own size.

A pair is a folder, at any depth, that holds an `image.*` and may hold
    background.* or bg.*    without one, the background is a copy of the image and the mask is empty
    mask.* or mask_pseudo.* alpha; without one beside a background, the mask is unknown
    depth.png               16-bit millimetres, 0 = unknown; it may have fewer pixels than the image
    meta.json               its `licence` goes into the provenance
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
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
    """The pair's folder relative to the root, with "--" as separator; a number is added to a repeated id."""
    files: dict[str, Path]
    """By role: image and, where they exist, background, mask, depth."""
    sha256: dict[str, str]
    """Hash of each file's bytes, by role."""
    licence: str | None
    """From meta.json; None = unknown."""


class PairsMaker:
    """Make one sample of each pair in a folder, ordered by id; all samples are in the test split."""

    seed = 0

    def __init__(self, folder: str | os.PathLike[str], skip_bad: bool = False):
        """Find the pairs and hash their files; with `skip_bad` unusable pairs become records in `left_out`.

        Errors: InputError E-NO-PAIRS when no sub-folder holds an image; E-FILE, E-PAIR-FILES, E-JSON.
        """
        self.folder = Path(folder)
        self.left_out: list[dict[str, str]] = []
        pairs = []
        for path, pictures in sorted(_pair_folders(self.folder), key=lambda found: os.fsencode(found[0])):
            try:
                pairs.append(_pair(self.folder, path, pictures))
            except InputError as error:
                if not skip_bad:
                    raise
                name = os.fspath(path.relative_to(self.folder))
                self.left_out.append({"kind": "pair", "name": name, **error.record()})
        self.pairs = _with_unique_ids(sorted(pairs, key=lambda pair: pair.id))
        if not self.pairs:
            what = "no folder in it holds an image.jpg or image.png"
            raise InputError(
                "E-NO-PAIRS", f"{quoted(folder)}: {what}. Put each pair into a folder of its own."
            )
        self.count = len(self.pairs)

    def split_of(self, index: int) -> str:
        """Return "test": photographed pairs are for evaluation, not for training."""
        return "test"

    def describe(self) -> dict[str, Any]:
        """Describe the folder by its name and content; its path may change."""
        content = sha256_bytes(json_bytes([[pair.id, pair.sha256] for pair in self.pairs]))
        return {"maker": "pairs", "folder": self.folder.resolve().name, "sha256": content}

    def provenance(self) -> list[dict[str, Any]]:
        """List one row per file."""
        return [
            {"kind": role, "name": f"{pair.id}/{path.name}", "sha256": pair.sha256[role], "split": "test"}
            | ({"licence": pair.licence} if pair.licence else {})
            for pair in self.pairs
            for role, path in pair.files.items()
        ]

    def make(self, index: int) -> Sample:
        """Read the pictures of pair `index` at the image's size; depth in metres, 0 = unknown.

        `mask_kind` in the meta is empty (no background, so nothing is new), unknown (no mask file), pseudo
        (mask_pseudo.*, computed by a method) or given (mask.*).
        Errors: InputError E-PAIR-SIZE when the pictures differ in size, E-IMG-... when one does not decode.
        """
        pair = self.pairs[index]
        image = read_rgb(pair.files["image"])
        background, mask, mask_kind = _background_and_mask(pair, image)
        depth = read_depth_m(pair.files["depth"], image.shape[:2]) if "depth" in pair.files else None
        meta = {"id": pair.id, "source": "pairs", "split": "test", "seed": self.seed, "index": index}
        meta |= {"background_id": pair.sha256.get("background", pair.sha256["image"])[:16]}
        return Sample(
            background=background,
            image=image,
            mask=mask,
            depth=depth,
            depth_kind="none" if depth is None else "metric",
            meta=meta | {"foreground_ids": [], "mask_kind": mask_kind},
        )


def _pair_folders(root: Path) -> Iterator[tuple[Path, list[str]]]:
    """Yield (folder, names of the pictures in it) for every folder that holds an `image.*`."""
    for path, _, files in os.walk(root, onerror=_refuse_unreadable):
        pictures = sorted(name for name in files if name.lower().endswith(SUFFIXES))
        if any(Path(name).stem == "image" for name in pictures):
            yield Path(path), pictures


def _refuse_unreadable(error: OSError) -> None:
    raise InputError("E-FILE", f"{quoted(error.filename)}: {error.strerror}. Check the path.") from error


def _pair(root: Path, folder: Path, pictures: list[str]) -> Pair:
    """Assign the pictures of a folder to roles and hash them; InputError E-PAIR-FILES, E-FILE, E-JSON."""
    stems = [Path(name).stem for name in pictures]
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


def _with_unique_ids(pairs: list[Pair]) -> list[Pair]:
    """Add a number to repeated ids: "a/b" and "a--b" give one id, and so can names that are not UTF-8."""
    taken: set[str] = set()
    unique = []
    for pair in pairs:
        name, number = pair.id, 2
        while name in taken:
            name, number = f"{pair.id}-{number}", number + 1
        taken.add(name)
        unique.append(dataclasses.replace(pair, id=name))
    return unique


def _background_and_mask(pair: Pair, image: np.ndarray) -> tuple[np.ndarray, np.ndarray | None, str]:
    """Read background uint8 RGB (H, W, 3), mask float32 (H, W) in [0, 1] or None, and the mask's kind."""
    size = image.shape[0], image.shape[1]
    if "background" not in pair.files:
        return image.copy(), np.zeros(size, np.float32), "empty"
    background = _checked_size(pair.files["background"], read_rgb(pair.files["background"]), size)
    if "mask" not in pair.files:
        return background, None, "unknown"
    path = pair.files["mask"]
    mask = _checked_size(path, read_gray(path), size) / np.float32(255)
    return background, mask, "given" if path.stem == "mask" else "pseudo"


def _checked_size(path: Path, picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    if picture.shape[:2] != size:
        raise wrong_size(path, picture.shape[:2], size)
    return picture
