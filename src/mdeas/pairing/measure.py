"""Everything that can be measured between two photos of one size, and how sure it is."""

from dataclasses import dataclass

import numpy as np

from mdeas.pairing import blur, change, fix, light, register
from mdeas.pairing.change import Change
from mdeas.pairing.light import Light
from mdeas.pairing.tiles import Tiles
from mdeas.pairing.view import View

_SUPPORT, _SUPPORT_ALONE = 0.2, 0.5
_FEWEST_TILES = 3


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What was found. Lengths are in pixels of the image photo."""

    matrix: np.ndarray
    """float64 (2, 3): pixel of the background -> pixel of the image, at the image's size."""
    shift_px: tuple[float, float]
    """How far the middle of the background lies to the right and down in the image."""
    rotation_deg: float
    """How far it is turned, counter-clockwise."""
    scale: float
    """How much larger things are in the image."""
    moved_share: float
    """Root mean square of how far the view moved, as a share of its long side."""
    light: Light
    trusted: bool
    """The light was measured well enough to act on it."""
    change: Change
    blur_px: float | None
    tiles: Tiles


def measure(background: View, image: View) -> Measured:
    """Input: two Views of one size."""
    motion = register.register(background, image)
    rgb, valid = register.warp(background.rgb, motion.matrix, image.size)
    log, _ = register.warp(background.log, motion.matrix, image.size)
    found = light.fit_light(rgb, image.rgb, valid, motion.tiles)
    changed = change.measure(rgb, image.rgb, valid)
    lit = change.measure(fix.relight(rgb, image.rgb, found.gain), image.rgb, valid)
    trusted = _trusted(found, motion.tiles) and lit.level <= changed.level
    softness = blur.blur_px(log, image.log, motion.tiles)
    scale, rotation_deg = register.similarity(motion.matrix)
    matrix = fix.at_full_size(motion.matrix, image.size, image.full)
    return Measured(
        matrix=matrix,
        shift_px=_middle_shift(matrix, image.full),
        rotation_deg=rotation_deg,
        scale=scale,
        moved_share=register.moved_px(motion.matrix, image.size) / max(image.size),
        light=found,
        trusted=trusted,
        change=lit if trusted else changed,
        blur_px=None if softness is None else softness * image.scale,
        tiles=motion.tiles,
    )


def _trusted(found: Light, tiles: Tiles) -> bool:
    """Structure that agrees says that the background is seen; without, its light must be most of what is."""
    agreeing = np.count_nonzero(tiles.seen)
    return found.support > (_SUPPORT if agreeing >= _FEWEST_TILES else _SUPPORT_ALONE)


def _middle_shift(matrix: np.ndarray, size: tuple[int, int]) -> tuple[float, float]:
    middle = np.array([(size[1] - 1) / 2, (size[0] - 1) / 2])
    right, down = matrix[:, :2] @ middle + matrix[:, 2] - middle
    return float(right), float(down)
