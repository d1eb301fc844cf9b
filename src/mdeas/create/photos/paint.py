"""Pixel operations of a composite: place cut-outs, change colours, cast shadows, change the light.

A layer is float32 (H, W, 4): RGB premultiplied by alpha, all in 0 ... 255. Then resizing and rotating mix no
colour from behind the object into its edge, and a linear change of colour is one matrix product.
A picture in progress is float32 RGB (H, W, 3) in 0 ... 255.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from mdeas.create.photos.placement import Placement, chained


def resize(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resize uint8 (h, w, C) to (height, width): area average if it gets fewer pixels, else bilinear."""
    shrinks = height * width < picture.shape[0] * picture.shape[1]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cv2.resize(picture, (width, height), interpolation=method)


def place_cutout(cutout: np.ndarray, placement: Placement, side: int) -> np.ndarray:
    """Put a premultiplied cut-out, uint8 (h, w, 4), at its place: a layer, float32 (side, side, 4)."""
    upright = _upright(cutout, placement)
    return cv2.warpAffine(upright, placement.matrix, (side, side), flags=cv2.INTER_LINEAR).astype(np.float32)


def place_relief(relief: np.ndarray | None, placement: Placement, side: int) -> np.ndarray:
    """Put a relief, float32 (h, w), at its place by nearest neighbour: float32 (side, side); None = flat."""
    if relief is None:
        return np.zeros((side, side), np.float32)
    size = placement.width_px, placement.height_px
    upright = cv2.resize(relief, size, interpolation=cv2.INTER_NEAREST_EXACT)
    upright = cv2.flip(upright, 1) if placement.mirrored else upright
    return cv2.warpAffine(
        upright, placement.matrix, (side, side), flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE
    )


def paste(picture: np.ndarray, layer: np.ndarray) -> None:
    """Paste a layer on a picture, in place."""
    picture *= 1 - layer[..., 3:] / 255
    picture += layer[..., :3]


def add_alpha(mask: np.ndarray, layer: np.ndarray) -> None:
    """Add a layer's alpha to a mask, float32 (H, W) in [0, 1], in place."""
    mask += (1 - mask) * layer[..., 3] / 255


def draw_colours(rng: np.random.Generator, jitter: float) -> np.ndarray:
    """Draw a colour matrix, float32 (4, 4): hue, saturation, brightness, colour cast; jitter 0 = none."""
    angle = rng.normal(0, jitter)
    saturation = np.exp(rng.normal(0, 1.5 * jitter))
    gains = np.exp(rng.normal(0, jitter) + rng.normal(0, jitter / 3, 3))
    matrix = np.eye(4)
    matrix[:3, :3] = np.diag(gains) @ (saturation * _hue(angle) + (1 - saturation) * np.full((3, 3), 1 / 3))
    return matrix.astype(np.float32)


def _hue(angle: float) -> np.ndarray:
    """Return the rotation of RGB about the grey axis by an angle in radians, float64 (3, 3) (Rodrigues)."""
    cross = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / np.sqrt(3)
    return np.cos(angle) * np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) / 3


def blend_colours(layer: np.ndarray, picture: np.ndarray, amount: float) -> np.ndarray:
    """Return a colour matrix, float32 (4, 4), that moves a layer's mean colour towards what it hides.

    Input: amount: 0 = no change, 1 = all the way.
    """
    alpha = layer[..., 3]
    weight = max(float(alpha.sum()), 1.0)
    hidden = np.einsum("hwc,hw->c", picture, alpha) / weight
    own = layer[..., :3].sum(axis=(0, 1)) * 255 / weight
    matrix = np.eye(4, dtype=np.float32)
    matrix[:3, 3] = amount * (hidden - own) / 255
    return matrix


def match_colours(layer: np.ndarray, picture: np.ndarray, amount: float) -> np.ndarray:
    """Return gains, float32 (4, 4), that move a layer's mean colour towards the picture's.

    They are gains because light multiplies: black stays black. Input: amount: 0 = no change, 1 = all the way.
    """
    weight = max(float(layer[..., 3].sum()), 1.0)
    own = np.maximum(layer[..., :3].sum(axis=(0, 1)) * 255 / weight, 1.0)
    gains = 1 + amount * (picture.mean(axis=(0, 1)) / own - 1)
    return np.diag([*gains.clip(0.4, 2.5), 1]).astype(np.float32)


def recolour(layer: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """Apply a colour matrix (4, 4) to a layer; no colour exceeds its alpha."""
    out = cv2.transform(layer, colours)
    return np.minimum(np.maximum(out, 0, out=out), layer[..., 3:], out=out)


@dataclass(frozen=True, kw_only=True)
class Shadow:
    """The shape of a shadow."""

    kind: Literal["cast", "contact", "offset"]
    """cast: the outline on the ground, starting at the foot. contact: the same, but short.
    offset: the outline on a wall behind."""
    lean: float
    """Shift to the right as a multiple of the foreground's height; for offset, of its width."""
    length: float
    """Length up the picture as a multiple of the foreground's height; negative = towards the camera.
    For offset: shift down."""
    soft: float
    """Standard deviation of the blur, as a share of the foreground's long side."""


def draw_shadow(rng: np.random.Generator) -> Shadow:
    """Draw a shadow: half are cast, a quarter contact, a quarter offset."""
    soft = rng.uniform(0.01, 0.06)
    kind = rng.random()
    if kind < 0.5:
        length = rng.uniform(0.15, 0.8) * rng.choice((1, 1, -1))
        return Shadow(kind="cast", lean=rng.uniform(-1.2, 1.2), length=length, soft=soft)
    if kind < 0.75:
        return Shadow(kind="contact", lean=rng.uniform(-0.1, 0.1), length=rng.uniform(0.04, 0.12), soft=soft)
    return Shadow(kind="offset", lean=rng.uniform(-0.2, 0.2), length=rng.uniform(-0.05, 0.15), soft=soft)


def shadow(cutout: np.ndarray, placement: Placement, side: int, shape: Shadow) -> np.ndarray:
    """Return where a cut-out at its place blocks the light: float32 (side, side) in [0, 1]."""
    long_side = max(placement.height_px, placement.width_px)
    alpha = _upright(cutout[..., 3], placement)
    matrix = chained(placement.matrix, _shadow_matrix(placement, shape))
    dark = cv2.warpAffine(alpha, matrix, (side, side), flags=cv2.INTER_LINEAR)
    return cv2.GaussianBlur(dark, (0, 0), max(shape.soft * long_side, 0.7)).astype(np.float32) / 255


def darken(picture: np.ndarray, dark: np.ndarray, strength: np.ndarray) -> None:
    """Darken a picture where `dark`, float32 (H, W), is 1 by the share `strength`, RGB (3,), in place."""
    picture *= 1 - dark[..., None] * strength.astype(np.float32)


def draw_light(rng: np.random.Generator, side: int, spread: float) -> np.ndarray:
    """Draw a smooth field of gains, float32 (side, side, 3), for light that changes between the photos.

    Input: spread: standard deviation of the logarithm of the gains.
    """
    size = int(rng.integers(2, 4))
    grid = rng.normal(0, spread, (size, size, 1)) + rng.normal(0, spread / 4, (size, size, 3))
    field = cv2.resize(grid.astype(np.float32), (side, side), interpolation=cv2.INTER_CUBIC)
    return np.exp(field)


def to_uint8(picture: np.ndarray) -> np.ndarray:
    """Round a picture in progress to uint8 RGB (H, W, 3); values outside the range saturate."""
    return cv2.convertScaleAbs(np.clip(picture, 0, 255))


def _upright(picture: np.ndarray, placement: Placement) -> np.ndarray:
    """Resize uint8 (h, w, ...) to the placement's size and mirror it; it is not rotated yet."""
    scaled = resize(picture, placement.height_px, placement.width_px)
    return cv2.flip(scaled, 1) if placement.mirrored else scaled


def _shadow_matrix(placement: Placement, shape: Shadow) -> np.ndarray:
    """Return the map from a point of the foreground in the picture to its shadow, float64 (2, 3)."""
    if shape.kind == "offset":
        right, down = shape.lean * placement.width_px, shape.length * placement.height_px
        return np.array([[1, 0, right], [0, 1, down]])
    foot = placement.foot_px
    return np.array([[1, -shape.lean, shape.lean * foot], [0, shape.length, foot * (1 - shape.length)]])
