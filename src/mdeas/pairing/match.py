"""The background that a pair is predicted with: as it is, brought to fit, or refused."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from mdeas.errors import InputError
from mdeas.images.photo import Photo
from mdeas.pairing import fix, sanity, verdict
from mdeas.pairing.check import Check, examine
from mdeas.pairing.measure import Measured
from mdeas.pairing.sanity import PairWarning
from mdeas.system.files import quoted

Mode = Literal["auto", "strict", "off"]

_ENDS_IT = "E-PAIR-SCENE"  # in auto mode too: there is no true result


@dataclass(frozen=True, kw_only=True)
class Matched:
    """What to predict with."""

    background: np.ndarray
    """uint8, the shape of the image."""
    warnings: list[PairWarning]
    facts: dict[str, Any] | None
    """Check.to_json, or None when nothing was measured."""
    motion: np.ndarray | None = None
    """float64 (2, 3): how the background was moved, pixel of it -> pixel of the image, both at the image's
    shape; None: it was not."""


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
        mode: auto: size, motion and light are mended, another scene is refused, the rest is told;
            strict: whatever is not good is refused; off: the size alone is mended, nothing is measured.
    Errors: InputError E-PAIR-SIZE, E-PAIR-SCENE; in strict mode also E-PAIR-SWAPPED, -BLACK, -WHITE, -FLAT,
        and E-PAIR-UNFIT for what auto would have mended.
    """
    matched, warnings = sanity.match_background(background, image, background_size, size)
    if mode == "off":
        return Matched(background=matched, warnings=warnings + sanity.warnings(matched, image), facts=None)
    found, figures = examine(background, image, background_size, size)
    _refuse(found, mode)
    warnings = list(found.warnings)
    if found.code == "E-PAIR-SWAPPED":
        warnings.append(PairWarning("W-PAIR-SWAPPED", found.reason))
    motion = None
    if figures is not None:
        if verdict.must_move(figures):
            motion = fix.at_full_size(figures.matrix, size, image.shape[:2])
        matched, mended = _mended(matched, image, figures, motion)
        warnings += mended
    return Matched(background=matched, warnings=warnings, facts=found.to_json(), motion=motion)


def match_photos(background: Photo, image: Photo, mode: Mode) -> Matched:
    """`match` of two photos from disk, whose errors name them."""
    try:
        return match(background.view, image.view, background.size, image.size, mode)
    except InputError as error:
        photos = f"{quoted(background.path)} and {quoted(image.path)}"
        raise InputError(error.code, f"{photos}: {error}") from None


def _refuse(found: Check, mode: Mode) -> None:
    if found.code and (mode == "strict" or found.code == _ENDS_IT):
        raise InputError(found.code, f"{found.reason}, or pass --pair off.")
    if mode == "strict" and found.verdict == "fixed":
        raise InputError(
            "E-PAIR-UNFIT", f"{found.reason}. Photograph the background again, or pass --pair auto."
        )


def _mended(
    background: np.ndarray, image: np.ndarray, found: Measured, motion: np.ndarray | None
) -> tuple[np.ndarray, list[PairWarning]]:
    """The background moved and lit as the image is, where that is called for, and what was done."""
    done = verdict.what_differs(found)
    if not done:
        return background, []
    missing = np.zeros(image.shape[:2], bool)
    if motion is not None:
        background, missing = fix.move(background, motion, image.shape[:2])
    if verdict.must_light(found):
        background = fix.relight(background, image, found.light.gain)
    if missing.any():
        background[missing] = image[missing]  # nothing new there
    said = f"{done}: the background was brought to fit"
    if missing.any():
        said += f"; {missing.mean():.1%} of the view, which it does not show, count as unchanged"
    return background, [PairWarning("W-PAIR-FIXED", said)]
