"""Stand foregrounds on surfaces of the background: at their depth, at a plausible size, partly hidden."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from mdeas.create.photos import paint
from mdeas.create.photos.canvas import Canvas
from mdeas.create.photos.composite_depth import SOLID
from mdeas.create.photos.context import SampleContext
from mdeas.create.photos.foregrounds import Foreground, draw_layer, placed_inverse_depth
from mdeas.create.photos.ground import Ground, find_ground
from mdeas.create.photos.placement import Placement

HEIGHT_M = (0.1, 1.9)
"""Least and greatest height of a standing foreground; the logarithm of the height is uniform."""
WIDEST_M = 2.5
"""Greatest width of a standing foreground."""

_APPARENT = (0.1, 0.9)  # least height, and greatest height and width, as shares of the picture's side
_TRIES = 24  # positions tried for one foreground
_FOOT = 0.2  # lowest share of the cut-out's height that counts as foot; it includes the farther legs
_SUPPORTED = 0.8  # least share of the foot's width that is on the surface
_MATCH = (0.1, 0.5)  # amount by which the mean colour is moved towards the picture's
_HIDES = 1.06  # a surface hides the foreground if it is nearer by this factor; sensor errors are smaller
_UNDERSIDE = 0.2  # lowest share of the foreground's height that casts the shadow
_VISIBLE = 0.6  # least share of the foreground that is visible
_SAME_SURFACE = 0.15  # a shadow falls on depths that differ from the foot's by at most this share


@dataclass(frozen=True, kw_only=True)
class StandingPlace:
    """The place of a standing foreground."""

    place: Placement
    row: int
    """Picture row of the foot."""
    column: int
    """Picture column of the foot's middle."""
    foot_half_px: float
    """Half the width of the foot."""
    inverse_depth: float
    """Inverse depth of the surface at the foot."""
    tilt: float
    """Tilt of the surface at the foot, see ground.Ground.tilt."""


def has_ground(canvas: Canvas) -> bool:
    """Tell whether a picture with inverse depth has a surface on which something can stand."""
    return bool(find_ground(canvas).standable.any())


def add_standing(context: SampleContext, foreground: Foreground, canvas: Canvas) -> np.ndarray | None:
    """Stand a foreground in the picture, in place.

    Output: its visible part, a layer float32 (H, W, 4); None when no place fits; then nothing changes.
    """
    assert canvas.inverse_depth is not None
    foreground = _mirrored(foreground) if context.happens(0.5) else foreground
    stand = _find_place(context, foreground, canvas)
    if stand is None:
        return None
    front = placed_inverse_depth(foreground, stand.place, canvas, stand.inverse_depth)
    layer = draw_layer(context, foreground, stand.place, canvas)
    gains = paint.match_colours(layer, canvas.picture, context.rng.uniform(*_MATCH))
    layer = paint.recolour(layer, gains)
    strength = context.rng.uniform(0.4, 0.9) * context.rng.uniform(0.9, 1.0, 3)
    paint.darken(canvas.picture, _shadow(stand, layer[..., 3], canvas.inverse_depth), strength)
    layer[_hidden(front, canvas.inverse_depth)] = 0
    paint.paste(canvas.picture, layer)
    solid = layer[..., 3] >= SOLID
    canvas.inverse_depth[solid] = front[solid]
    return layer


def _mirrored(foreground: Foreground) -> Foreground:
    relief = foreground.relief
    return Foreground(
        cutout=cv2.flip(foreground.cutout, 1), relief=None if relief is None else cv2.flip(relief, 1)
    )


def _find_place(context: SampleContext, foreground: Foreground, canvas: Canvas) -> StandingPlace | None:
    """Try places until the foreground fits, is supported, and is mostly visible; None after _TRIES."""
    ground = find_ground(canvas)
    positions = np.argwhere(ground.standable)
    for _ in range(_TRIES if len(positions) else 0):
        row, column = (int(value) for value in positions[context.rng.integers(len(positions))])
        stand = _draw_place(context, foreground, canvas, ground, row, column)
        if stand and _is_supported(stand, ground) and _is_visible(foreground, stand, canvas):
            return stand
    return None


def _draw_place(
    context: SampleContext, foreground: Foreground, canvas: Canvas, ground: Ground, row: int, column: int
) -> StandingPlace | None:
    """Draw the size of a foreground whose foot is on the pixel (row, column); None when no size fits."""
    side, (tall, wide) = ground.standable.shape[0], foreground.cutout.shape[:2]
    intrinsics, inverse_depth = canvas.intrinsics, float(ground.value[row, column])
    inverse_m_per_unit = context.inverse_m_per_unit(float(ground.inverse_distance[row, column]))
    metre_px = intrinsics.focal_y_px * inverse_depth * inverse_m_per_unit  # height of one metre at the foot
    aspect = intrinsics.focal_x_px / intrinsics.focal_y_px * wide / tall
    room = min(_APPARENT[1] * side, row + 1, _APPARENT[1] * side / aspect)
    low = max(HEIGHT_M[0], _APPARENT[0] * side / metre_px)
    high = min(HEIGHT_M[1], WIDEST_M * tall / wide, room / metre_px)
    if low > high:
        return None
    height = max(1, round(float(np.exp(context.rng.uniform(np.log(low), np.log(high)))) * metre_px))
    width = max(1, round(height * aspect))
    foot_middle, foot_half = _foot(foreground.cutout[..., 3], width)
    place = Placement(
        height_px=height,
        width_px=width,
        left_px=round(column - foot_middle),
        top_px=row + 1 - height,
        angle_deg=0.0,
        mirrored=False,
    )
    return StandingPlace(
        place=place,
        row=row,
        column=column,
        foot_half_px=foot_half,
        inverse_depth=inverse_depth,
        tilt=ground.tilt(row, column),
    )


def _foot(alpha: np.ndarray, width: int) -> tuple[float, float]:
    """Return middle and half width of the foot, in pixels of the cut-out resized to `width`.

    Input: alpha: uint8 (h, w).
    """
    touching = (alpha[-max(1, round(_FOOT * alpha.shape[0])) :] >= SOLID).any(axis=0)
    columns = np.flatnonzero(touching) if touching.any() else np.array([alpha.shape[1] // 2])
    scale = width / alpha.shape[1]
    return (columns[0] + columns[-1]) / 2 * scale, (columns[-1] - columns[0] + 1) / 2 * scale


def _is_supported(stand: StandingPlace, ground: Ground) -> bool:
    """Tell whether the foot is on the surface and the whole width is in the picture."""
    left, right = round(stand.column - stand.foot_half_px), round(stand.column + stand.foot_half_px) + 1
    place = stand.place
    inside = place.left_px >= 0 and place.left_px + place.width_px <= ground.standable.shape[1]
    return inside and float(ground.standable[stand.row, max(left, 0) : right].mean()) >= _SUPPORTED


def _is_visible(foreground: Foreground, stand: StandingPlace, canvas: Canvas) -> bool:
    """Tell whether nearer surfaces leave enough of the foreground visible."""
    assert canvas.inverse_depth is not None
    alpha = paint.place_cutout(foreground.cutout, stand.place, canvas.inverse_depth.shape[0])[..., 3]
    front = placed_inverse_depth(foreground, stand.place, canvas, stand.inverse_depth)
    hidden = _hidden(front, canvas.inverse_depth)
    return float(alpha[~hidden].sum()) >= _VISIBLE * float(alpha.sum()) > 0


def _hidden(front: np.ndarray, inverse_depth: np.ndarray) -> np.ndarray:
    """Return bool (H, W): where the picture is nearer than the foreground; single pixels are ignored."""
    return cv2.medianBlur((inverse_depth > _HIDES * front).astype(np.uint8), 5).astype(bool)


def _shadow(stand: StandingPlace, alpha: np.ndarray, inverse_depth: np.ndarray) -> np.ndarray:
    """Return the contact shadow of a foreground on its surface, float32 (H, W) in [0, 1].

    The foreground's lowest part is blurred over the surface: dark below it, faint farther away. So the shadow
    follows legs and corners where they touch the ground.
    Input: alpha: float32 (H, W) in 0 ... 255; inverse_depth: float32 (H, W).
    """
    above_px = stand.row - np.arange(alpha.shape[0], dtype=np.float32)[:, None]
    low = alpha * np.clip(1 - above_px / (_UNDERSIDE * stand.place.height_px), 0, 1)
    dark = np.zeros_like(low)
    for spread, weight in ((0.08, 0.6), (0.25, 0.4)):
        soft = max(spread * stand.place.width_px, 1.0)
        blurred = cv2.GaussianBlur(low, (0, 0), sigmaX=soft, sigmaY=max(soft * stand.tilt, 1.0))
        dark += weight * blurred / max(float(blurred.max()), 1.0)
    near = np.abs(inverse_depth - stand.inverse_depth) <= _SAME_SURFACE * stand.inverse_depth
    return dark * (near | (inverse_depth <= 0))
