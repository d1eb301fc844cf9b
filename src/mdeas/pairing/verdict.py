"""From what was measured to a verdict: good, fixed or refused, and why.

Refusing a good pair is the worst mistake here, so a pair is refused only on evidence: structure that both
photos have and that nowhere agrees, or light that nothing shares. Where neither can be told, that is said.
"""

import numpy as np

from mdeas.pairing.measure import Measured
from mdeas.pairing.sanity import PairWarning

_MOVED = 1.5 / 224
"""Share of the long side by which the view may move: the default network, which works at 224, bears that."""
_LIT = 0.1  # natural logarithm of a gain that is left alone
_SOFT_PX = 2.0  # blur that is told, pixels at a long side of 640
_SOFT_SIDE = 640
_FEWEST_TILES, _FEWEST_BOTH = 30, 12  # in all and with structure in both: a small picture proves nothing
_STRUCTURED = 0.12  # share of tiles with structure in both photos, from which it can speak against a pair
_AGREEING = 0.1  # share of those that a foreground over 65 % of the view leaves: .14 at least
_NOWHERE = 6  # tiles that agree by chance
_LIGHT_SHARED, _LIGHT_KNOWN = 0.2, 0.5
_RIM = -0.3  # evidence of swapped photos that none of 308 right pairs shows
_LEAST_CHANGED, _MOST_CHANGED = 0.003, 0.5  # where more differs, its texture counts and not its outline


def another_scene(found: Measured) -> bool:
    """Evidence that the photos do not show one view."""
    both = found.tiles.both
    if both.size < _FEWEST_TILES:
        return False
    structured, agreeing = int(both.sum()), int(found.tiles.seen.sum())
    differs = agreeing < _AGREEING * structured and structured >= max(_FEWEST_BOTH, _STRUCTURED * both.size)
    other_light = found.light.known > _LIGHT_KNOWN and found.light.support < _LIGHT_SHARED
    return differs or (other_light and agreeing < _NOWHERE)


def swapped(found: Measured) -> bool:
    """Evidence that the things stand in the background photo: their outlines are in it."""
    return found.change.rim < _RIM and _LEAST_CHANGED < found.change.share < _MOST_CHANGED


def must_move(found: Measured) -> bool:
    """The background has to be moved."""
    return found.moved_share > _MOVED


def must_light(found: Measured) -> bool:
    """The background has to be given the image's light."""
    return found.trusted and bool(np.abs(np.log(found.light.gain)).max() > _LIT)


def what_differs(found: Measured) -> str:
    """What has to be mended, in words; empty when nothing has."""
    said = []
    if must_move(found):
        (right, down), turn = found.shift_px, found.rotation_deg
        said.append(f"the camera moved by ({right:.1f}, {down:.1f}) px and {turn:.2f}°")
    if must_light(found):
        said.append("the light changed × " + ", ".join(f"{gain:.2f}" for gain in found.light.gain) + " (RGB)")
    return "; ".join(said)


def doubts(found: Measured, side: int) -> list[PairWarning]:
    """What cannot be mended and is no reason to refuse; side: long side of the image photo, pixels."""
    warnings = []
    if found.tiles.image.any() and not found.tiles.seen.any():
        said = "nothing in the image agrees with the background, which shows too little to be sure of that"
        warnings.append(PairWarning("W-PAIR-UNSURE", f"{said}: check that both are of one view"))
    if found.blur_px is not None and abs(found.blur_px) > _SOFT_PX * side / _SOFT_SIDE:
        softer = "image" if found.blur_px > 0 else "background"
        said = f"the {softer} is softer by a blur of {abs(found.blur_px):.1f} px"
        warnings.append(PairWarning("W-PAIR-BLUR", f"{said}: fine differences mean nothing"))
    return warnings
