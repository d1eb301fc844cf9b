"""Read folders of pictures with equal names: bg fg_bg fg_bg_mask fg_bg_depth, or background image mask depth.

Mask and depth have the image's name, apart from the file ending. A background has the image's name too, or
it serves many images: then its name is a whole part of theirs, separated by `_` or `-` (`fg3_bg12_7` has the
background `bg12`, not `bg1`). The longest name wins; two of the same length are refused.
"""

from __future__ import annotations

import itertools
import re
from pathlib import Path

from mdeas.create.imports.entry import ALIASES, ImportEntry, PictureFile, import_error, parse_entry
from mdeas.images.codec import list_images
from mdeas.system.files import quoted
from mdeas.system.names import output_names


def picture_folders(root: Path) -> dict[str, Path]:
    """Return the sub-folders of `root` by the picture they hold: background, image, mask, depth."""
    return {ALIASES[name]: root / name for name in ALIASES if (root / name).is_dir()}


def read_folders(root: Path) -> list[ImportEntry]:
    """Make one entry of each image. InputError E-IMPORT when a picture is missing or a name is ambiguous."""
    folders = picture_folders(root)
    images = list_images(folders["image"])
    others = {name: _by_stem(folder) for name, folder in folders.items() if name != "image"}
    return [
        parse_entry(name, _files(image, others), {}, quoted(image))
        for name, image in zip(output_names(images), images, strict=True)
    ]


def _by_stem(folder: Path) -> dict[str, Path]:
    """List the pictures of a folder by name without ending; InputError E-IMPORT when two have the same."""
    files = list_images(folder)
    found = {file.stem: file for file in files}
    if len(found) < len(files):
        twice = next(file for file in files if found[file.stem] != file)
        raise import_error(
            quoted(twice), "another picture has this name with another ending", "Keep one of them."
        )
    return found


def _files(image: Path, others: dict[str, dict[str, Path]]) -> dict[str, PictureFile]:
    """Find the files that belong to an image; `others`: by picture, the files of its folder by stem."""
    files = {"image": image}
    for name, by_stem in others.items():
        stem = _background_stem(image, by_stem) if name == "background" else image.stem
        if stem not in by_stem:
            raise import_error(quoted(image), f"no {name} has its name", "See `mdeas import --help`.")
        files[name] = by_stem[stem]
    return {name: PictureFile(str(path)) for name, path in files.items()}


def _background_stem(image: Path, by_stem: dict[str, Path]) -> str:
    """Find the stem of an image's background; "" if there is none."""
    if image.stem in by_stem:
        return image.stem
    parts = re.split("([_-])", image.stem)
    spans = {
        "".join(parts[start : end + 1])
        for start, end in itertools.combinations_with_replacement(range(0, len(parts), 2), 2)
    }
    found = sorted(sorted(spans & by_stem.keys()), key=len, reverse=True)
    if len(found) > 1 and len(found[0]) == len(found[1]):
        which = f"its background may be {found[0]!r} or {found[1]!r}"
        raise import_error(quoted(image), which, "Write a label_data.csv that names it.")
    return found[0] if found else ""
