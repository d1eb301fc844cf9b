"""A library of foregrounds from pairs of photos: cut-outs by a model of ours, ready for `create photos`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from mdeas import pair
from mdeas.create.assets import shrunk
from mdeas.create.matte import cut_outs
from mdeas.errors import InputError
from mdeas.failures import ERRORS, tell_failures
from mdeas.files import locked, quoted, refuse_existing
from mdeas.images import list_images, read_rgb, write_png
from mdeas.names import output_names
from mdeas.predictor import Predictor
from mdeas.runtime import load

_LONG_SIDE = 2048  # px; models see a few hundred, and compositing uses 800


def cutout_files(
    images: Path,
    backgrounds: Path,
    out: Path,
    *,
    model: str | None = None,
    split_objects: bool = False,
    force: bool = False,
    tell: Callable[[str], None],
) -> None:
    """Write NAME.png, or NAME-1.png and so on with `split_objects`, for every picture in a folder.

    Input: backgrounds: folder with a picture of the same name for each image, or one for all; model: see
        runtime.load; tell: called with each path that was written. Pairs in which nothing is new are left
        out with a warning. Photos above 2048 px are shrunk to it.
    Errors: InputError E-NO-IMAGES; E-SOME-FAILED after the rest is done, when some pairs cannot be used
        (listed in errors.jsonl). StorageError E-EXISTS before any work; those of runtime.load.
    """
    paths, empty = list_images(images), list_images(backgrounds)
    names = output_names(paths)
    for target in [*(out / _file(name, 0, split_objects) for name in names), out / ERRORS]:
        refuse_existing(target, force)
    predictor = load(model)
    errors: list[tuple[Path, InputError]] = []
    with locked(out):
        for path, name in zip(paths, names, strict=True):
            try:
                found = _of_pair(predictor, _background(path, empty), path, split_objects)
            except InputError as error:
                errors.append((path, error))
                continue
            for number, picture in enumerate(found):
                target = out / _file(name, number, split_objects)
                write_png(target, picture, force=force)
                tell(str(target))
        tell_failures(out, errors, len(paths), force=force)


def _file(name: str, number: int, split_objects: bool) -> str:
    return f"{name}-{number + 1}.png" if split_objects else f"{name}.png"


def _background(path: Path, empty: list[Path]) -> Path:
    """The only background, or the only one that is called like the image."""
    same = [file for file in empty if file.stem == path.stem] if len(empty) > 1 else empty
    if len(same) != 1:
        what = f"{len(same)} of {len(empty)} backgrounds are called like it"
        raise InputError("E-NO-BACKGROUND", f"{quoted(path)}: {what}. Give one, or one for all images.")
    return same[0]


def _of_pair(predictor: Predictor, empty: Path, path: Path, split_objects: bool) -> list[np.ndarray]:
    """The cut-outs of one pair; InputError E-IMG-..., E-PAIR-SIZE."""
    photos = read_rgb(empty), read_rgb(path)
    background, image = (shrunk(photo, _LONG_SIDE) for photo in photos)
    background, warnings = pair.match_background(background, image, *(photo.shape[:2] for photo in photos))
    warnings += pair.warnings(background, image)
    found = cut_outs(
        background, image, predictor.predict(background, image).mask, split_objects=split_objects
    )
    if not found:
        warnings.append(pair.PairWarning("W-PAIR-EMPTY", "nothing new in it, so it has no cut-out"))
    for warning in warnings:
        print(f"mdeas: warning[{warning.code}] {quoted(path)}: {warning.text}", file=sys.stderr)
    return found
