"""`mdeas.check`: what is wrong with a pair, as numbers and a verdict.

Refusing a good pair is the worst mistake here. A pair is refused only on evidence: structure in both photos
that agrees nowhere, or light that hardly any place shares. Where the evidence is missing, a warning says so.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from mdeas.errors import InputError
from mdeas.images.photo import open_photo
from mdeas.pairing import sanity
from mdeas.pairing.measure import PairMeasurement, measure
from mdeas.pairing.sanity import PairWarning
from mdeas.pairing.structure import SIDE_PX, small_photo, small_size

_MAX_MOVED_SHARE = 1.5 / 224  # of the long side: the default network, which works at 224, tolerates that much
_MAX_LOG_GAIN = 0.1  # of light that is left as it is
_MAX_BLUR_PX = 2.0  # without a warning, at a long side of 640
_MIN_TILES, _MIN_STRUCTURED_TILES = 30, 12  # a small picture proves nothing
_MIN_STRUCTURED_SHARE = 0.12  # of all tiles, from which their disagreement is evidence
_MIN_AGREEING_SHARE = 0.1  # of the structured tiles: a foreground over 65 % of the view leaves .14 at least
_CHANCE_TILES = 6  # fewer tiles agree by chance
_MIN_LIGHT_SUPPORT, _MIN_LIGHT_USABLE = 0.2, 0.5
_SWAPPED_OUTLINE = -0.3  # none of 308 right pairs is below
_MIN_CHANGED, _MAX_CHANGED = 0.003, 0.5  # where more differs, texture outweighs outlines

_SCENE = (
    "they share no structure: another scene, a backdrop to put behind the subject, or a camera that moved too"
    " far. Give a photo of the same view without the subject"
)
_SWAPPED = "the outlines of what differs are in the background photo: the photos are swapped. Exchange them"

Verdict = Literal["good", "fixed", "refused"]


@dataclass(frozen=True, kw_only=True)
class Check:
    """The measurements of a pair and the verdict. What could not be measured is None."""

    verdict: Verdict
    """good: nothing to fix; fixed: `mdeas predict` fixes it; refused: the pair cannot give a true result."""
    reason: str
    """Why, in words; empty when the pair is good and there is nothing to say."""
    code: str = ""
    """E-PAIR-… when refused."""
    background_size: tuple[int, int]
    """(height, width) of the background photo."""
    size: tuple[int, int]
    """(height, width) of the image photo."""
    shift_px: tuple[float, float] | None = None
    """How far the middle of the background lies to the right and down in the image, pixels of the image."""
    rotation_deg: float | None = None
    """How far the background appears turned in the image, counter-clockwise."""
    scale: float | None = None
    """How much larger things are in the image."""
    gain: tuple[float, float, float] | None = None
    """How many times the light of the background, RGB; 1, 1, 1 where too little is usable to tell."""
    blur_px: float | None = None
    """Standard deviation, in pixels of the image, of the blur by which the image is softer; below 0 where the
    background is softer."""
    changed: float | None = None
    """Share of the view that differs after motion and light are fixed, 0 to 1."""
    warnings: tuple[PairWarning, ...] = ()
    """W-PAIR-…: what else makes the result doubtful."""

    def to_json(self) -> dict[str, object]:
        """The same as JSON values, rounded to their precision."""
        return {
            "verdict": self.verdict,
            "reason": self.reason,
            "code": self.code,
            "background_size": list(self.background_size),
            "size": list(self.size),
            "shift_px": _rounded(self.shift_px, 2),
            "rotation_deg": _rounded(self.rotation_deg, 3),
            "scale": _rounded(self.scale, 4),
            "gain": _rounded(self.gain, 3),
            "blur_px": _rounded(self.blur_px, 2),
            "changed": _rounded(self.changed, 4),
            "warnings": [f"{warning.code}: {warning.text}" for warning in self.warnings],
        }


def _rounded(value: float | tuple[float, ...] | None, digits: int) -> float | list[float] | None:
    if isinstance(value, tuple):
        return [round(item, digits) + 0.0 for item in value]  # no -0.0
    return None if value is None else round(value, digits) + 0.0


def check(background: np.ndarray, image: np.ndarray) -> Check:
    """Tell whether two photos are a pair, and what is wrong between them.

    Input: background, image: uint8 (H, W, 3) RGB, of any two sizes.
    Output: the Check. A bad pair is no error: its verdict is "refused".
    """
    return _check(background, image, background.shape[:2], image.shape[:2])


def check_files(background: str | Path, image: str | Path) -> Check:
    """`check` of two files. Errors: those of read_rgb."""
    first, second = open_photo(Path(background)), open_photo(Path(image))
    return _check(first.view, second.view, first.size, second.size)


def _check(
    background: np.ndarray, image: np.ndarray, background_size: tuple[int, int], size: tuple[int, int]
) -> Check:
    try:
        matched, resized = sanity.match_background(background, image, background_size, size)
    except InputError as error:
        reason = str(error).rstrip(".")
        return Check(
            verdict="refused", reason=reason, code=error.code, background_size=background_size, size=size
        )
    return examine(matched, image, background_size, size, resized)[0]


def examine(
    background: np.ndarray,
    image: np.ndarray,
    background_size: tuple[int, int],
    size: tuple[int, int],
    resized: list[PairWarning],
) -> tuple[Check, PairMeasurement | None]:
    """Check two photos of one size, and return what was measured.

    Input:
        background, image: uint8 (h, w, 3) RGB, the photos or smaller copies of them.
        background_size, size: (height, width) of the photos, before the background was resized.
        resized: the warning that it was resized, if it was.
    Output: the Check; the measurement, None of photos that show nothing or that are equal.
    """
    found = sanity.warnings(background, image)
    good = Check(
        verdict="good",
        reason="",
        background_size=background_size,
        size=size,
        warnings=tuple(resized + found),
    )
    useless = [warning for warning in found if warning.code != "W-PAIR-IDENTICAL"]
    if useless:
        code = useless[0].code.replace("W-", "E-", 1)
        return replace(good, verdict="refused", reason=useless[0].text, code=code), None
    if found:
        still = replace(good, shift_px=(0.0, 0.0), rotation_deg=0.0, scale=1.0, gain=(1.0, 1.0, 1.0))
        return replace(still, reason=found[0].text, changed=0.0), None
    small = small_size(*size)
    measured = measure(small_photo(background, size, small), small_photo(image, size, small))
    return _judged(measured, good, bool(resized)), measured


def _judged(measured: PairMeasurement, good: Check, resized: bool) -> Check:
    """The Check of a pair that has been measured; `good` knows its sizes and warnings."""
    red, green, blue = measured.light.gain.tolist()
    changed = measured.difference.share
    check = replace(
        good,
        shift_px=measured.shift_px,
        rotation_deg=measured.rotation_deg,
        scale=measured.scale,
        gain=(red, green, blue),
        blur_px=measured.blur_px,
        changed=changed,
        warnings=(*good.warnings, *_doubts(measured, max(good.size))),
    )
    if _is_another_scene(measured):
        unknown = replace(check, shift_px=None, rotation_deg=None, scale=None, gain=None)
        return replace(unknown, verdict="refused", reason=_SCENE, code="E-PAIR-SCENE")
    if measured.difference.outline < _SWAPPED_OUTLINE and _MIN_CHANGED < changed < _MAX_CHANGED:
        return replace(check, verdict="refused", reason=_SWAPPED, code="E-PAIR-SWAPPED")
    reasons = what_to_fix(measured) + ["the background has another resolution"] * resized
    return replace(check, verdict="fixed" if reasons else "good", reason="; ".join(reasons))


def _is_another_scene(measured: PairMeasurement) -> bool:
    """Whether there is evidence that the photos do not show one view."""
    both = measured.tiles.both
    if both.size < _MIN_TILES:
        return False
    structured, agreeing = int(both.sum()), int(measured.tiles.same.sum())
    enough = structured >= max(_MIN_STRUCTURED_TILES, _MIN_STRUCTURED_SHARE * both.size)
    other_structure = enough and agreeing < _MIN_AGREEING_SHARE * structured
    light = measured.light
    other_light = light.usable > _MIN_LIGHT_USABLE and light.support < _MIN_LIGHT_SUPPORT
    return other_structure or (other_light and agreeing < _CHANCE_TILES)


def must_move(measured: PairMeasurement) -> bool:
    """Whether the background has to be moved."""
    return measured.moved_share > _MAX_MOVED_SHARE


def must_relight(measured: PairMeasurement) -> bool:
    """Whether the background has to be given the image's light."""
    return measured.light_is_trusted and bool(np.abs(np.log(measured.light.gain)).max() > _MAX_LOG_GAIN)


def what_to_fix(measured: PairMeasurement) -> list[str]:
    """What has to be fixed, in words; empty when nothing has."""
    reasons = []
    if must_move(measured):
        (right, down), turn = measured.shift_px, measured.rotation_deg
        reasons.append(f"the camera moved by ({right:.1f}, {down:.1f}) px and {turn:.2f}°")
    if must_relight(measured):
        gains = ", ".join(f"{gain:.2f}" for gain in measured.light.gain)
        reasons.append(f"the light changed × {gains} (RGB)")
    return reasons


def _doubts(measured: PairMeasurement, side: int) -> list[PairWarning]:
    """What cannot be fixed and is no reason to refuse; side: long side of the image photo, pixels."""
    warnings = []
    if measured.tiles.image.any() and not measured.tiles.same.any():
        text = "nothing in the image agrees with the background, which shows too little to be sure of that"
        warnings.append(PairWarning("W-PAIR-UNSURE", f"{text}: check that both are of one view"))
    if measured.blur_px is not None and abs(measured.blur_px) > _MAX_BLUR_PX * side / SIDE_PX:
        softer = "image" if measured.blur_px > 0 else "background"
        text = f"the {softer} is softer by a blur of {abs(measured.blur_px):.1f} px"
        warnings.append(PairWarning("W-PAIR-BLUR", f"{text}: fine differences mean nothing"))
    return warnings
