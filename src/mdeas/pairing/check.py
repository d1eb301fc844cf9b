"""`mdeas.check`: what is wrong with a pair, as numbers and a verdict."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from mdeas.errors import InputError
from mdeas.images.photo import open_photo
from mdeas.pairing import sanity, verdict
from mdeas.pairing.measure import Measured, measure
from mdeas.pairing.sanity import PairWarning
from mdeas.pairing.view import view, view_size

_SCENE = (
    "they share no structure: another scene, a backdrop to put behind the subject, or a camera moved too far."
    " Give the empty shot of the same view"
)
_SWAPPED = "the outlines of what differs are in the background photo: the photos are swapped. Exchange them"

Verdict = Literal["good", "fixed", "refused"]


@dataclass(frozen=True, kw_only=True)
class Check:
    """What was found out about a pair. What could not be measured is None."""

    verdict: Verdict
    """good: nothing to mend; fixed: `mdeas predict` mends it; refused: the pair cannot give a true result."""
    reason: str
    """Why, in words; empty when it is good and there is nothing to say."""
    code: str = ""
    """E-PAIR-… when refused."""
    background_size: tuple[int, int]
    """(height, width) of the photo."""
    size: tuple[int, int]
    """(height, width) of the image photo."""
    shift_px: tuple[float, float] | None = None
    """How far the middle of the background lies to the right and down in the image, pixels of the image."""
    rotation_deg: float | None = None
    """How far the background appears turned in the image, counter-clockwise."""
    scale: float | None = None
    """How much larger things are in the image."""
    gain: tuple[float, float, float] | None = None
    """Times the light of the background, RGB. 1, 1, 1 when too little can tell."""
    blur_px: float | None = None
    """Deviation of the blur by which the image is softer (below 0: the background), pixels of the image."""
    changed: float | None = None
    """Share of the view that differs, once mended, 0 to 1."""
    warnings: tuple[PairWarning, ...] = ()
    """W-PAIR-…, what else makes the result doubtful."""

    def to_json(self) -> dict[str, Any]:
        """The same as values of JSON, rounded to what they mean."""
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


def _rounded(value: float | tuple[float, ...] | None, digits: int) -> Any:
    if isinstance(value, tuple):
        return [_rounded(item, digits) for item in value]
    return None if value is None else round(value, digits) + 0.0  # no -0.0


def check(background: np.ndarray, image: np.ndarray) -> Check:
    """Tell whether two photos are a pair, and what is wrong between them.

    Input: background, image: uint8 (H, W, 3) RGB, of any two sizes.
    Output: the Check. A bad pair is no error: its verdict is "refused".
    """
    return examine(background, image, background.shape[:2], image.shape[:2])[0]


def check_files(background: str | Path, image: str | Path) -> Check:
    """The same for two files. Errors: those of images.read_rgb."""
    first, second = open_photo(Path(background)), open_photo(Path(image))
    return examine(first.view, second.view, first.size, second.size)[0]


def examine(
    background: np.ndarray, image: np.ndarray, background_size: tuple[int, int], size: tuple[int, int]
) -> tuple[Check, Measured | None]:
    """`check` of photos, or of smaller copies whose photos have these (height, width); and the figures.

    There are no figures of photos that differ in aspect, that show nothing, or that are equal.
    """
    sizes: dict[str, Any] = {"background_size": background_size, "size": size}
    try:
        matched, resized = sanity.match_background(background, image, background_size, size)
    except InputError as error:
        return Check(verdict="refused", reason=str(error).rstrip("."), code=error.code, **sizes), None
    warnings = tuple(resized + sanity.warnings(matched, image))
    sizes["warnings"] = warnings
    useless = [warning for warning in warnings[len(resized) :] if warning.code != "W-PAIR-IDENTICAL"]
    if useless:
        code = useless[0].code.replace("W-", "E-", 1)
        return Check(verdict="refused", reason=useless[0].text, code=code, **sizes), None
    if len(warnings) > len(resized):
        same: dict[str, Any] = {"shift_px": (0.0, 0.0), "gain": (1.0, 1.0, 1.0), "rotation_deg": 0.0}
        return Check(verdict="good", reason=warnings[-1].text, scale=1.0, changed=0.0, **same, **sizes), None
    small = view_size(*size)
    found = measure(view(matched, size, small), view(image, size, small))
    return _judged(found, sizes, bool(resized)), found


def _judged(found: Measured, sizes: dict[str, Any], resized: bool) -> Check:
    differs = verdict.what_differs(found)
    figures: dict[str, Any] = {
        **sizes,
        "shift_px": found.shift_px,
        "rotation_deg": found.rotation_deg,
        "scale": found.scale,
        "gain": tuple(found.light.gain.tolist()),
        "blur_px": found.blur_px,
        "changed": found.change.share,
        "warnings": (*sizes["warnings"], *verdict.doubts(found, max(sizes["size"]))),
    }
    if verdict.another_scene(found):
        figures |= {"shift_px": None, "rotation_deg": None, "scale": None, "gain": None}
        return Check(verdict="refused", reason=_SCENE, code="E-PAIR-SCENE", **figures)
    if verdict.swapped(found):
        return Check(verdict="refused", reason=_SWAPPED, code="E-PAIR-SWAPPED", **figures)
    if differs or resized:
        said = "; ".join(filter(None, [differs, "the background has another resolution" if resized else ""]))
        return Check(verdict="fixed", reason=said, **figures)
    return Check(verdict="good", reason="", **figures)
