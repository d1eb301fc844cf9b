"""Prepare the background for a prediction: leave it, give it the image's frame and light, or refuse it."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from mdeas.errors import InputError
from mdeas.images.photo import Photo
from mdeas.pairing import sanity
from mdeas.pairing.check import Check, examine, must_move, must_relight, what_to_fix
from mdeas.pairing.light import relight
from mdeas.pairing.measure import PairMeasurement
from mdeas.pairing.register import at_full_size, move_photo
from mdeas.pairing.sanity import PairWarning
from mdeas.system.files import quoted

Mode = Literal["auto", "strict", "off"]


@dataclass(frozen=True, kw_only=True)
class Matched:
    """The background to predict with, and what was found out about the pair."""

    background: np.ndarray
    """uint8, the shape of the image."""
    warnings: list[PairWarning]
    facts: dict[str, object] | None
    """Check.to_json, or None when nothing was measured."""
    motion: np.ndarray | None = None
    """float64 (2, 3): how the background was moved, pixel of it -> pixel of the image, both at the image's
    shape; None where it was not moved."""


def match(
    background: np.ndarray,
    image: np.ndarray,
    background_size: tuple[int, int],
    size: tuple[int, int],
    mode: Mode,
) -> Matched:
    """Bring the background to the image.

    Input:
        background, image: uint8 (h, w, 3) RGB, each its photo or a smaller copy of it.
        background_size, size: (height, width) of the two photos.
        mode: auto: fix size, motion and light, refuse another scene, warn of the rest; strict: refuse every
            pair that is not good; off: fix the size alone, measure nothing.
    Errors: InputError E-PAIR-SIZE, E-PAIR-SCENE; in strict mode also E-PAIR-SWAPPED, -BLACK, -WHITE, -FLAT,
        and E-PAIR-UNFIT for what auto would have fixed.
    """
    background, resized = sanity.match_background(background, image, background_size, size)
    if mode == "off":
        warnings = resized + sanity.warnings(background, image)
        return Matched(background=background, warnings=warnings, facts=None)
    check, measured = examine(background, image, background_size, size, resized)
    _refuse(check, mode)
    warnings = list(check.warnings)
    if check.code == "E-PAIR-SWAPPED":
        warnings.append(PairWarning("W-PAIR-SWAPPED", check.reason))
    motion = None
    if measured is not None and what_to_fix(measured):
        if must_move(measured):
            motion = at_full_size(measured.matrix, size, image.shape[:2])
        background, text = _fixed(background, image, measured, motion)
        warnings.append(PairWarning("W-PAIR-FIXED", text))
    return Matched(background=background, warnings=warnings, facts=check.to_json(), motion=motion)


def match_photos(background: Photo, image: Photo, mode: Mode) -> Matched:
    """`match` of two photos from disk, whose errors name them."""
    try:
        return match(background.view, image.view, background.size, image.size, mode)
    except InputError as error:
        photos = f"{quoted(background.path)} and {quoted(image.path)}"
        raise InputError(error.code, f"{photos}: {error}") from None


def _refuse(check: Check, mode: Mode) -> None:
    # Another scene is refused in auto mode, too: it has no true result.
    if check.code and (mode == "strict" or check.code == "E-PAIR-SCENE"):
        advice = "" if check.code in ("E-PAIR-SCENE", "E-PAIR-SWAPPED") else ". Give another photo"
        raise InputError(check.code, f"{check.reason}{advice}, or pass --pair off.")
    if mode == "strict" and check.verdict == "fixed":
        raise InputError(
            "E-PAIR-UNFIT", f"{check.reason}. Photograph the background again, or pass --pair auto."
        )


def _fixed(
    background: np.ndarray, image: np.ndarray, measured: PairMeasurement, motion: np.ndarray | None
) -> tuple[np.ndarray, str]:
    """The background moved by `motion` and with the image's light, and what was done."""
    missing = np.zeros(image.shape[:2], bool)
    if motion is not None:
        background, missing = move_photo(background, motion, image.shape[:2])
    if must_relight(measured):
        background = relight(background, image, measured.light.gain)
    text = f"{'; '.join(what_to_fix(measured))}: the background was brought to fit"
    if missing.any():
        background[missing] = image[missing]  # there, the network sees no difference
        text += f"; {missing.mean():.1%} of the view, which it does not show, count as unchanged"
    return background, text
