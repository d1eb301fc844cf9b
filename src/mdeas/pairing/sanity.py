"""Quick checks of a pair: sizes that fit, photos that show something; and how warnings are printed."""

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from mdeas.errors import InputError
from mdeas.images.resize import resize
from mdeas.system.files import quoted

_ASPECT_TOLERANCE = 0.01
_FLAT_LEVELS = 4  # a photo whose levels all lie within so many of 255 shows nothing
_SAMPLE_STEP = 16  # every 16th pixel of both axes is looked at first


@dataclass(frozen=True)
class PairWarning:
    """Something about a pair that makes its result doubtful."""

    code: str
    """W-PAIR-…, stable."""
    text: str


def tell(name: str | os.PathLike[str], warnings: Iterable[PairWarning]) -> list[str]:
    """Print warnings about the photo `name` on stderr; return them as "CODE: text" for result files."""
    warnings = list(warnings)
    for warning in warnings:
        print(f"mdeas: warning[{warning.code}] {quoted(name)}: {warning.text}", file=sys.stderr)
    return [f"{warning.code}: {warning.text}" for warning in warnings]


def match_background(
    background: np.ndarray, image: np.ndarray, background_size: tuple[int, int], size: tuple[int, int]
) -> tuple[np.ndarray, list[PairWarning]]:
    """Bring the background to the image's size when only the resolution differs.

    Input:
        background, image: uint8 (h, w, 3) RGB, each its photo or a smaller copy of it.
        background_size, size: (height, width) of the two photos.
    Output: the background at the shape of `image`; W-PAIR-RESIZED when the photos differ in size.
    Errors: InputError (E-PAIR-SIZE) when the aspects differ by more than 1 %.
    """
    if background_size == size:
        return background, []
    (bh, bw), (h, w) = background_size, size
    sizes = f"the background is {bw}×{bh} and the image {w}×{h}"
    if abs((bw * h) / (bh * w) - 1) > _ASPECT_TOLERANCE:
        raise InputError(
            "E-PAIR-SIZE", f"{sizes}, with another aspect ratio. Give two uncropped photos of the same view."
        )
    resized = resize(background, *image.shape[:2], enlarge=cv2.INTER_CUBIC)
    return resized, [PairWarning("W-PAIR-RESIZED", f"{sizes}; the background was resized")]


def warnings(background: np.ndarray, image: np.ndarray) -> list[PairWarning]:
    """Find what makes a pair useless; empty for a pair with nothing wrong.

    Input: uint8 (H, W, 3) RGB of one size.
    Output: W-PAIR-BLACK, -WHITE, -FLAT for a photo that shows nothing; W-PAIR-IDENTICAL.
    """
    found = [
        PairWarning(
            f"W-PAIR-{shows_nothing(photo)}", f"the {name} is one flat colour, so the result means nothing"
        )
        for name, photo in (("background", background), ("image", image))
        if shows_nothing(photo)
    ]
    if np.array_equal(background, image):
        found.append(PairWarning("W-PAIR-IDENTICAL", "both photos are equal, so the mask should be empty"))
    return found


def shows_nothing(photo: np.ndarray) -> str:
    """BLACK, WHITE or FLAT when a photo, uint8 (H, W, 3), is one flat colour, else ""."""
    # A sample decides nearly always, in a hundredth of the time.
    if _level_range(photo[::_SAMPLE_STEP, ::_SAMPLE_STEP]) > _FLAT_LEVELS:
        return ""
    low, high = int(photo.min()), int(photo.max())
    if high <= _FLAT_LEVELS:
        return "BLACK"
    if low >= 255 - _FLAT_LEVELS:
        return "WHITE"
    return "FLAT" if _level_range(photo) <= _FLAT_LEVELS else ""


def _level_range(photo: np.ndarray) -> int:
    """Largest over the channels of brightest minus darkest level."""
    return int(np.ptp(photo, axis=(0, 1)).max())
