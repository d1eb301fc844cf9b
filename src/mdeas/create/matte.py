"""From a mask to a clean cut-out: specks removed, the old background taken out of the edge's colours."""

from __future__ import annotations

import cv2
import numpy as np

_LEVELS = (0.25, 0.75)
"""Mask values that become alpha 0 and 1. Models are unsure in shadows and blur what they see small: with 0.05
and 0.95, tried on photographed pairs, cut-outs had a haze around them and holes in them."""
_SOLID = 0.95
"""Share of the greatest alpha from which a pixel shows the object's own colour."""
_SPECK = 0.02
"""Parts smaller than this share of the largest part are specks."""
_PRIOR = 0.1
"""Weight of the colour inside against what the edge shows: at alpha 0.3 they count alike."""
_MARGIN_PX = 4
_NOTHING = 1e-7  # a mean of float32 zeros may be a little above 0; one pixel in 2000² is not


def cut_outs(
    background: np.ndarray, image: np.ndarray, mask: np.ndarray, *, split_objects: bool = False
) -> list[np.ndarray]:
    """What the mask covers as one cut-out, or each connected part of it as one of its own.

    Input: background, image: uint8 RGB (H, W, 3); mask: float32 (H, W) in [0, 1].
    Output: uint8 RGBA (h, w, 4), straight alpha, trimmed to a transparent margin (none where the photo ends),
        from top to bottom; no cut-out for an empty mask.
    """
    low, high = _LEVELS
    alpha = ((mask - low) / (high - low)).clip(0, 1).astype(np.float32)
    parts = _parts(alpha)
    whole = parts if split_objects else [np.any(parts, axis=0)] if parts else []
    return [_cut_out(background, image, np.where(part, alpha, np.float32(0))) for part in whole]


def _cut_out(background: np.ndarray, image: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    rows, columns = (_extent(alpha.max(axis=axis)) for axis in (1, 0))
    alpha = alpha[rows, columns]
    colours = foreground_colours(background[rows, columns], image[rows, columns], alpha)
    return np.dstack([np.rint(colours).astype(np.uint8), np.rint(alpha * 255).astype(np.uint8)])


def foreground_colours(background: np.ndarray, image: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """The colours F of the object where image = alpha F + (1 - alpha) background.

    The background is known here, so that one unknown is left. Where alpha is small, noise would be enlarged
    by 1 / alpha: there the colour that continues the inside of the object has the greater weight. F minimises
    |image - alpha F - (1 - alpha) background|² + _PRIOR |F - inside|².
    Output: float32 (H, W, 3) in [0, 255].
    """
    inside = _continued(image, alpha)
    a = alpha[..., None]
    seen = image - (1 - a) * background
    return ((a * seen + _PRIOR * inside) / (a * a + _PRIOR)).clip(0, 255).astype(np.float32)


def _parts(alpha: np.ndarray) -> list[np.ndarray]:
    """Connected parts as bool (H, W), by their solid half; what is a speck beside the largest is none."""
    num, labels = cv2.connectedComponents((alpha > 0).astype(np.uint8), connectivity=8)
    solid = np.bincount(labels[alpha >= 0.5], minlength=num)
    return [labels == part for part in np.flatnonzero(solid > _SPECK * solid.max())]


def _extent(profile: np.ndarray) -> slice:
    places = np.flatnonzero(profile)
    return slice(max(0, int(places[0]) - _MARGIN_PX), int(places[-1]) + 1 + _MARGIN_PX)


def _continued(image: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """The colours of the most solid pixels, carried outwards: means over ever wider squares.

    Output: float32 (H, W, 3).
    """
    weight = (alpha >= _SOLID * alpha.max()).astype(np.float32)
    colours = image * weight[..., None]
    found, size = colours.copy(), 1
    left = weight == 0
    while left.any():
        size = 2 * size + 1
        near, weights = (cv2.blur(a, (size, size), borderType=cv2.BORDER_CONSTANT) for a in (colours, weight))
        new = left & (weights > _NOTHING)
        found[new] = near[new] / weights[new][:, None]
        left &= ~new
    return found
