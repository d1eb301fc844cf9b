"""Cut foregrounds for `create photos` out of pairs of photos, with a mask that a model predicts."""

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

_LONG_SIDE = 2048  # pixels; models work at a few hundred, and compositing at 800
_NOTHING_NEW = PairWarning("W-PAIR-EMPTY", "nothing new was found, so there is no cut-out")


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
    """Write NAME.png for every picture in a folder; NAME-1.png, NAME-2.png, ... with `split_objects`.

    A pair with nothing new gets a warning and no file. Photos are first shrunk to a long side of at most
    2,048 pixels.

    Input:
        images: folder of photos with something new in them.
        backgrounds: folder with a picture of the same name for each image, or with one picture for all.
        model: predicts the masks; pair: see pairing.match.match; tell: gets the path of each file written.
    Errors: InputError E-NO-IMAGES; E-SOME-FAILED after the rest is done, when some pairs cannot be used
        (listed in errors.jsonl). StorageError E-EXISTS before any work; those of runtime.load.
    """
    paths, empty = list_images(images), list_images(backgrounds)
    names = output_names(paths)
    for name in names:
        refuse_existing(out / _file_name(name, 0, split_objects), force)
    refuse_other_list(out)
    predictor = model.load()
    errors: list[tuple[Path, InputError]] = []
    with locked(out):
        for path, name in zip(paths, names, strict=True):
            try:
                found = _cut_pair(predictor, _background_of(path, empty), path, pair, split_objects)
            except InputError as error:
                errors.append((path, error))
                continue
            for number, picture in enumerate(found):
                target = out / _file_name(name, number, split_objects)
                write_png(target, picture, force=force)
                tell(str(target))
        tell_failures(out, errors, len(paths))


def _file_name(name: str, number: int, split_objects: bool) -> str:
    return f"{name}-{number + 1}.png" if split_objects else f"{name}.png"


def _background_of(path: Path, empty: list[Path]) -> Path:
    """Return the only background, or the only one with the image's name; InputError E-NO-BACKGROUND."""
    same = [file for file in empty if file.stem == path.stem] if len(empty) > 1 else empty
    if len(same) != 1:
        what = f"{len(same)} of {len(empty)} backgrounds have its name"
        raise InputError(
            "E-NO-BACKGROUND",
            f"{quoted(path)}: {what}. Give one of this name, or a single one for all images.",
        )
    return same[0]


def _cut_pair(
    predictor: Predictor, empty: Path, path: Path, mode: Mode, split_objects: bool
) -> list[np.ndarray]:
    """Return the cut-outs of one pair, uint8 RGBA (h, w, 4) each; InputError E-IMG-..., E-PAIR-..."""
    photo = _open_shrunk(path)
    matched = match_photos(_open_shrunk(empty), photo, mode)
    mask = predictor.predict(matched.background, photo.view).mask
    found = cut_outs(matched.background, photo.view, mask, split_objects=split_objects)
    tell_warnings(path, matched.warnings if found else [*matched.warnings, _NOTHING_NEW])
    return found


def _open_shrunk(path: Path) -> Photo:
    photo = open_photo(path)
    return replace(photo, view=within(photo.view, _LONG_SIDE))
