"""Folders of pictures with equal names: `bg fg_bg fg_bg_mask fg_bg_depth`, or background image mask depth.

Mask and depth have the image's name but for the ending. So has the background, or one background serves many
images: then its name stands in theirs as a whole, between ends, `_` or `-` (`fg3_bg12_7` has the background
`bg12`, not `bg1`); of several the longest counts, and two of one length are refused.
"""

from __future__ import annotations

import itertools
import re
from pathlib import Path

from mdeas.create.imports.entry import ALIASES, Blob, Entry, broken, entry_of
from mdeas.images.codec import list_images
from mdeas.system.files import quoted
from mdeas.system.names import output_names


def picture_folders(root: Path) -> dict[str, Path]:
    """The folders of `root` by the picture they hold."""
    return {ALIASES[name]: root / name for name in ALIASES if (root / name).is_dir()}


def read_folders(root: Path) -> list[Entry]:
    """An entry for each image. InputError E-IMPORT when pictures miss or meet."""
    folders = picture_folders(root)
    images = list_images(folders["image"])
    others = {name: _by_stem(folder) for name, folder in folders.items() if name != "image"}
    return [
        entry_of(name, _files(image, others), {}, quoted(image))
        for name, image in zip(output_names(images), images, strict=True)
    ]


def _by_stem(folder: Path) -> dict[str, Path]:
    files = list_images(folder)
    found = {file.stem: file for file in files}
    if len(found) < len(files):
        twice = next(file for file in files if found[file.stem] != file)
        raise broken(quoted(twice), "another picture has this name with another ending", "Keep one of them.")
    return found


def _files(image: Path, others: dict[str, dict[str, Path]]) -> dict[str, Blob]:
    files = {"image": image}
    for name, by_stem in others.items():
        stem = _background_stem(image, by_stem) if name == "background" else image.stem
        if stem not in by_stem:
            raise broken(quoted(image), f"no {name} is called like it", "See `mdeas import --help`.")
        files[name] = by_stem[stem]
    return {name: Blob(str(path)) for name, path in files.items()}


def _background_stem(image: Path, by_stem: dict[str, Path]) -> str:
    if image.stem in by_stem:
        return image.stem
    parts = re.split("([_-])", image.stem)
    spans = {
        "".join(parts[start : end + 1])
        for start, end in itertools.combinations_with_replacement(range(0, len(parts), 2), 2)
    }
    found = sorted(sorted(spans & by_stem.keys()), key=len, reverse=True)
    if len(found) > 1 and len(found[0]) == len(found[1]):
        which = f"both {found[0]!r} and {found[1]!r} may be its background"
        raise broken(quoted(image), which, "Write a label_data.csv that says which.")
    return found[0] if found else ""
