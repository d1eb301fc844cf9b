"""Things that stand: on a surface of the background, as large and as far as it is there, partly hidden."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from mdeas.create.photos import paint
from mdeas.create.photos.composite_depth import SOLID
from mdeas.create.photos.ground import Ground, find_ground
from mdeas.create.photos.placement import Placement
from mdeas.create.photos.studio import Studio, View
from mdeas.create.photos.things import Thing, coloured, surface

HEIGHT_M = (0.1, 1.9)
"""What stands is this tall; the logarithm is uniform, as far as the picture has room."""
WIDEST_M = 2.5

_APPARENT = (0.1, 0.9)  # height and width in the picture, as a share of its side
_TRIES = 24
_FOOT = 0.2  # of the cut-out's height: the rows that touch the ground, the farther legs too
_SUPPORTED = 0.8  # share of the foot's width that must be on a surface
_MATCH = (0.1, 0.5)  # how far its mean colour is moved towards the picture's
_HIDES = 1.06  # what is nearer than a thing by this factor hides it; sensors err by less
_UNDERSIDE = 0.2  # of its height: what shades the surface
_VISIBLE = 0.6  # share of a thing that must be seen
_SAME_SURFACE = 0.15  # a shadow falls on what is no more than this share nearer or farther than the foot


@dataclass(frozen=True, kw_only=True)
class Stand:
    """Where a thing stands in the picture."""

    spot: Placement
    row: int
    """Of its foot."""
    column: int
    """Of the foot's middle."""
    half_px: float
    """Half the width of its foot."""
    inverse: float
    """Inverse depth of the surface there."""
    tilt: float
    """Of the surface, see ground.Ground."""


def has_ground(view: View) -> bool:
    """Whether anything can stand in a view with inverse depth."""
    return bool(find_ground(view).stands.any())


def add_standing(studio: Studio, thing: Thing, view: View) -> np.ndarray | None:
    """Stand a thing in the view, in place.

    Output: what is seen of it, a layer float32 (H, W, 4); None when no room was found, and nothing changed.
    """
    assert view.inverse is not None
    thing = _mirrored(thing) if studio.happens(0.5) else thing
    stand = _find(studio, thing, view)
    if stand is None:
        return None
    front = surface(thing, stand.spot, view, stand.inverse)
    layer = coloured(studio, thing, stand.spot, view)
    layer = paint.recolour(layer, paint.match_colours(layer, view.picture, studio.rng.uniform(*_MATCH)))
    strength = studio.rng.uniform(0.4, 0.9) * studio.rng.uniform(0.9, 1.0, 3)
    paint.darken(view.picture, _shadow(stand, layer[..., 3], view.inverse), strength)
    layer[_hidden(front, view.inverse)] = 0
    paint.paste(view.picture, layer)
    solid = layer[..., 3] >= SOLID
    view.inverse[solid] = front[solid]
    return layer


def _mirrored(thing: Thing) -> Thing:
    relief = thing.relief
    return Thing(sprite=cv2.flip(thing.sprite, 1), relief=None if relief is None else cv2.flip(relief, 1))


def _find(studio: Studio, thing: Thing, view: View) -> Stand | None:
    """A place where it fits, is held up, and is not hidden for the most part."""
    assert view.inverse is not None
    ground = find_ground(view)
    places = np.argwhere(ground.stands)
    for _ in range(_TRIES if len(places) else 0):
        row, column = (int(value) for value in places[studio.rng.integers(len(places))])
        stand = _draw(studio, thing, view, ground, row, column)
        if stand and _is_held(stand, ground) and _is_seen(thing, stand, view):
            return stand
    return None


def _draw(studio: Studio, thing: Thing, view: View, ground: Ground, row: int, column: int) -> Stand | None:
    """The thing with its foot on a pixel, its size drawn; None when no size fits there."""
    side, (tall, wide) = ground.stands.shape[0], thing.sprite.shape[:2]
    inverse = float(ground.value[row, column])
    metre_px = view.lens.focal_y_px * inverse * studio.metres(float(ground.nearness[row, column]))
    stretch = view.lens.focal_x_px / view.lens.focal_y_px * wide / tall
    room = min(_APPARENT[1] * side, row + 1, _APPARENT[1] * side / stretch)
    low = max(HEIGHT_M[0], _APPARENT[0] * side / metre_px)
    high = min(HEIGHT_M[1], WIDEST_M * tall / wide, room / metre_px)
    if low > high:
        return None
    height = max(1, round(float(np.exp(studio.rng.uniform(np.log(low), np.log(high)))) * metre_px))
    width = max(1, round(height * stretch))
    middle, half = _foot(thing.sprite[..., 3], width)
    spot = Placement(
        height_px=height,
        width_px=width,
        left_px=round(column - middle),
        top_px=row + 1 - height,
        angle_deg=0.0,
        mirrored=False,
    )
    return Stand(
        spot=spot,
        row=row,
        column=column,
        half_px=half,
        inverse=inverse,
        tilt=ground.tilt(row, column),
    )


def _foot(alpha: np.ndarray, width: int) -> tuple[float, float]:
    """Middle and half width of what touches the ground, in pixels of a cut-out `width` wide."""
    touching = (alpha[-max(1, round(_FOOT * alpha.shape[0])) :] >= SOLID).any(axis=0)
    columns = np.flatnonzero(touching) if touching.any() else np.array([alpha.shape[1] // 2])
    scale = width / alpha.shape[1]
    return (columns[0] + columns[-1]) / 2 * scale, (columns[-1] - columns[0] + 1) / 2 * scale


def _is_held(stand: Stand, ground: Ground) -> bool:
    """Whether its foot is on the surface and all of it in the picture."""
    left, right = round(stand.column - stand.half_px), round(stand.column + stand.half_px) + 1
    inside = stand.spot.left_px >= 0 and stand.spot.left_px + stand.spot.width_px <= ground.stands.shape[1]
    return inside and float(ground.stands[stand.row, max(left, 0) : right].mean()) >= _SUPPORTED


def _is_seen(thing: Thing, stand: Stand, view: View) -> bool:
    assert view.inverse is not None
    alpha = paint.layer(thing.sprite, stand.spot, view.inverse.shape[0])[..., 3]
    hidden = _hidden(surface(thing, stand.spot, view, stand.inverse), view.inverse)
    return float(alpha[~hidden].sum()) >= _VISIBLE * float(alpha.sum()) > 0


def _hidden(front: np.ndarray, inverse: np.ndarray) -> np.ndarray:
    """bool (H, W): where the view is nearer than the thing; single pixels of noise are not."""
    return cv2.medianBlur((inverse > _HIDES * front).astype(np.uint8), 5).astype(bool)


def _shadow(stand: Stand, alpha: np.ndarray, inverse: np.ndarray) -> np.ndarray:
    """Where a thing keeps light from the surface it touches, float32 (H, W) in [0, 1].

    The outline of its lowest part, spread over the surface: dark right below, faint farther away. So it
    follows legs and corners, wherever in the picture they touch the ground. `alpha` (H, W) in 0 ... 255.
    """
    above_px = stand.row - np.arange(alpha.shape[0], dtype=np.float32)[:, None]
    low = alpha * np.clip(1 - above_px / (_UNDERSIDE * stand.spot.height_px), 0, 1)
    dark = np.zeros_like(low)
    for spread, weight in ((0.08, 0.6), (0.25, 0.4)):
        soft = max(spread * stand.spot.width_px, 1.0)
        blurred = cv2.GaussianBlur(low, (0, 0), sigmaX=soft, sigmaY=max(soft * stand.tilt, 1.0))
        dark += weight * blurred / max(float(blurred.max()), 1.0)
    near = np.abs(inverse - stand.inverse) <= _SAME_SURFACE * stand.inverse
    return dark * (near | (inverse <= 0))
