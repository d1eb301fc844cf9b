"""The depth of a composite, put together from the depth of its layers.

All arithmetic is in inverse depth, float32 (H, W), larger = nearer: relative depth unchanged, metric depth as
1 / m with 0 for unknown. A plane is then affine in (x, y), and a relative change means the same for both
kinds. Depths are never averaged across an edge: the mean of two surfaces is a depth where nothing is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from mdeas.create.assets import Asset, load_cutout, load_photo
from mdeas.depth_fit import inverse

if TYPE_CHECKING:
    from mdeas.create.depth.layer_depths import LayerDepths

SOLID = 128
"""Of 255: from this alpha on, the depth of a pixel is the foreground's."""

_THICKNESS = 1 / 3  # of a foreground's width
_CLEARANCE = 0.02  # least relative difference in inverse depth between a foreground and the surface it hides
_FORWARD = (0.05, 0.5)  # its distance from that surface, as a share of the way to the nearest pixel


def load_inverse_depth(depths: LayerDepths, asset: Asset) -> np.ndarray:
    """Load the inverse depth of a background, float32 (h, w) aligned to assets.load_photo."""
    depth = np.asarray(depths.of_photo(asset), np.float32)
    assert depth.shape == load_photo(asset).shape[:2], asset
    return depth if depths.kind == "relative" else inverse(depth)


def depth_from_inverse(inverse_depth: np.ndarray, kind: str) -> np.ndarray:
    """Convert inverse depth float32 (H, W) to the depth of a sample of `kind`, float32 (H, W)."""
    return inverse_depth if kind == "relative" else inverse(inverse_depth)


def load_relief(depths: LayerDepths, asset: Asset) -> np.ndarray:
    """Load a cut-out's relief, float32 (h, w) aligned to assets.load_cutout: 0 = farthest, 1 = nearest."""
    own, alpha = depths.of_cutout(asset), load_cutout(asset)[..., 3]
    solid = alpha >= SOLID
    if own is None or not solid.any():
        return np.zeros(alpha.shape, np.float32)
    low, high = np.percentile(own[solid], (2, 98))
    level = (own - low) / max(high - low, 1e-6)
    # Outside the outline depth has no meaning. The middle value does little harm when resizing reads it.
    return np.where(solid, level, 0.5).clip(0, 1).astype(np.float32)


def foreground_inverse_depth(back: float, relief: np.ndarray, width_px: float, focal_px: float) -> np.ndarray:
    """Return the inverse depth of a foreground whose back is at inverse depth `back`: float32 (h, w).

    At depth z it is width_px * z / focal_px wide and a third of that thick. So its front is nearer by a
    factor that depends neither on z nor on the unit. Input: relief: float32 (h, w) in [0, 1].
    """
    return np.float32(back) * (1 + np.float32(_THICKNESS * width_px / focal_px) * relief)


def draw_back(inverse_depth: np.ndarray, solid: np.ndarray, rng: np.random.Generator) -> float:
    """Draw the inverse depth of the back of a foreground that hides `solid`, bool (H, W).

    It is nearer than everything it hides. 0 = no depth is known there. Input: inverse_depth: float32 (H, W).
    """
    forward = rng.uniform(*_FORWARD)
    hidden = float(inverse_depth[solid].max(initial=0))
    nearest = float(inverse_depth.max())
    return (hidden + forward * (nearest - hidden)) * (1 + _CLEARANCE) if hidden else 0.0


def resize_nearest(values: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resize float32 (h, w) to (height, width) by nearest neighbour, which mixes no depths."""
    return cv2.resize(values, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
