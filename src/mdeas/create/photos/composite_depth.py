"""The depth of a composite, put together from the depth of its layers.

Work goes on in inverse depth, float32 (H, W), larger = nearer: `relative` depth as it is, metres as 1 / m
with 0 for unknown. A plane is a plane in (x, y, value) then, and a share nearer is that share in both kinds.
Nothing is ever averaged over an edge: a mean of two surfaces is a depth that nothing has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from mdeas.create.assets import Asset, cutout, photo

if TYPE_CHECKING:
    from mdeas.create.depth.layer_depths import LayerDepths

FOCAL = 1.1
"""Focal length in long sides of a photo whose camera is unknown: 49 degrees, a phone's or a compact's."""

SOLID = 128
"""Alpha from which the depth of a pixel is the thing's."""

_THICKNESS = 1 / 3  # of a thing's width
_CLEARANCE = 0.02  # share by which a thing is nearer than what it hides, at the least
_FORWARD = (0.05, 0.5)  # how far it stands forward of that, of the way to the nearest thing in the picture


def photo_inverse(depths: LayerDepths, asset: Asset) -> np.ndarray:
    """Of a background, aligned to assets.photo."""
    depth = depths.of_photo(asset)
    assert depth.shape == photo(asset).shape[:2], asset
    return np.asarray(depth, np.float32) if depths.kind == "relative" else reciprocal(depth)


def as_depth(inverse: np.ndarray, kind: str) -> np.ndarray:
    """From inverse depth to what a sample of that kind holds: float32 (H, W)."""
    return inverse if kind == "relative" else reciprocal(inverse)


def reciprocal(values: np.ndarray) -> np.ndarray:
    """float32 1 / values, and 0 where they are 0: metres and 1 / metres, either way."""
    return np.divide(1, values, out=np.zeros(values.shape, np.float32), where=values > 0, dtype=np.float32)


def relief(depths: LayerDepths, asset: Asset) -> np.ndarray:
    """float32 (h, w) aligned to assets.cutout: 0 at the farthest part of a cut-out, 1 at the nearest."""
    own, alpha = depths.of_cutout(asset), cutout(asset)[..., 3]
    solid = alpha >= SOLID
    if own is None or not solid.any():
        return np.zeros(alpha.shape, np.float32)
    low, high = np.percentile(own[solid], (2, 98))
    level = (own - low) / max(high - low, 1e-6)
    # Outside there is nothing to know; the middle does for what rounding brings in from there.
    return np.where(solid, level, 0.5).clip(0, 1).astype(np.float32)


def surface(foot: float, relief_at: np.ndarray, width_px: float, focal_px: float) -> np.ndarray:
    """Inverse depth of a thing whose back is at `foot`, float32 (h, w).

    At depth z it is width_px * z / focal_px wide and a third of that thick, so that its front is nearer by a
    share that does not depend on z, nor on the unit.
    """
    return np.float32(foot) * (1 + np.float32(_THICKNESS * width_px / focal_px) * relief_at)


def in_front_of(inverse: np.ndarray, solid: np.ndarray, rng: np.random.Generator) -> float:
    """Inverse depth for the back of a thing that hides `solid`, bool (H, W): nearer than all of that.

    0 where nothing is known of what it hides.
    """
    forward = rng.uniform(*_FORWARD)
    hidden = float(inverse[solid].max(initial=0))
    return (hidden + forward * (float(inverse.max()) - hidden)) * (1 + _CLEARANCE) if hidden else 0.0


def nearest(values: np.ndarray, height: int, width: int) -> np.ndarray:
    """float32 (h, w) resized to (height, width) without mixing."""
    return cv2.resize(values, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
