"""A library of foregrounds from pairs of photos: cut-outs by a model of ours, ready for `create photos`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from mdeas.errors import InputError
from mdeas.images.codec import list_images, write_png
from mdeas.images.photo import Photo, open_photo
from mdeas.images.resize import within
from mdeas.pairing.match import Mode, match_photos
from mdeas.pairing.sanity import PairWarning
from mdeas.pairing.sanity import tell as tell_warnings
from mdeas.runtime.choice import DEFAULT_MODEL, ModelChoice
from mdeas.runtime.predictor import Predictor
from mdeas.subject.cutouts import cut_outs
from mdeas.system.failures import refuse_other_list, tell_failures
from mdeas.system.files import quoted, refuse_existing
from mdeas.system.lock import locked
from mdeas.system.names import output_names

_LONG_SIDE = 2048  # px; models see a few hundred, and compositing uses 800


def cutout_files(
    images: Path,
    backgrounds: Path,
    out: Path,
    *,
    model: ModelChoice = DEFAULT_MODEL,
    pair: Mode = "auto",
    split_objects: bool = False,
    force: bool = False,
    tell: Callable[[str], None],
) -> None:
    """Write NAME.png, or NAME-1.png and so on with `split_objects`, for every picture in a folder.

    Input: backgrounds: folder with a picture of the same name for each image, or one for all; model: which
        to predict with; pair: see pairing.match.match; tell: called with each path that was written. Pairs in
        which nothing is new are left out with a warning. Photos above 2048 px are shrunk to it.
    Errors: InputError E-NO-IMAGES; E-SOME-FAILED after the rest is done, when some pairs cannot be used
        (listed in errors.jsonl). StorageError E-EXISTS before any work; those of runtime.load.
    """
    paths, empty = list_images(images), list_images(backgrounds)
    names = output_names(paths)
    for target in (out / _file(name, 0, split_objects) for name in names):
        refuse_existing(target, force)
    refuse_other_list(out)
    predictor = model.load()
    errors: list[tuple[Path, InputError]] = []
    with locked(out):
        for path, name in zip(paths, names, strict=True):
            try:
                found = _of_pair(predictor, _background(path, empty), path, pair, split_objects)
            except InputError as error:
                errors.append((path, error))
                continue
            for number, picture in enumerate(found):
                target = out / _file(name, number, split_objects)
                write_png(target, picture, force=force)
                tell(str(target))
        tell_failures(out, errors, len(paths))


def _file(name: str, number: int, split_objects: bool) -> str:
    return f"{name}-{number + 1}.png" if split_objects else f"{name}.png"


def _background(path: Path, empty: list[Path]) -> Path:
    """The only background, or the only one that is called like the image."""
    same = [file for file in empty if file.stem == path.stem] if len(empty) > 1 else empty
    if len(same) != 1:
        what = f"{len(same)} of {len(empty)} backgrounds are called like it"
        raise InputError("E-NO-BACKGROUND", f"{quoted(path)}: {what}. Give one, or one for all images.")
    return same[0]


def _of_pair(
    predictor: Predictor, empty: Path, path: Path, mode: Mode, split_objects: bool
) -> list[np.ndarray]:
    """The cut-outs of one pair; InputError E-IMG-..., E-PAIR-..."""
    photo = _small(path)
    matched = match_photos(_small(empty), photo, mode)
    mask = predictor.predict(matched.background, photo.view).mask
    found = cut_outs(matched.background, photo.view, mask, split_objects=split_objects)
    nothing = PairWarning("W-PAIR-EMPTY", "nothing new in it, so it has no cut-out")
    tell_warnings(path, matched.warnings + ([] if found else [nothing]))
    return found


def _small(path: Path) -> Photo:
    photo = open_photo(path)
    return replace(photo, view=within(photo.view, _LONG_SIDE))
