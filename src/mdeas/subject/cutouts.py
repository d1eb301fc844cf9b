"""From a mask to clean cut-outs: no specks, and no old background in the colours of the edge."""

from __future__ import annotations

import cv2
import numpy as np

from mdeas.images.levels import to_uint8
from mdeas.subject.colours import decontaminate

_LEVELS = (0.25, 0.75)
"""Mask values that become alpha 0 and 1. Models are unsure in shadows and blur small things: with 0.05 and
0.95, cut-outs of photographed pairs had a haze around them and holes in them."""
_SPECK = 0.02
"""Parts smaller than this share of the largest part are specks."""
_MARGIN_PX = 4


def cut_outs(
    background: np.ndarray, image: np.ndarray, mask: np.ndarray, *, split_objects: bool = False
) -> list[np.ndarray]:
    """Cut out what the mask covers: as one cut-out, or one for each connected part.

    Input: background, image: uint8 (H, W, 3) RGB; mask: float32 (H, W) in [0, 1].
    Output: uint8 (h, w, 4) RGBA with straight alpha, in the order of their top rows. Each is trimmed to a
        transparent margin (none at the border of the photo). An empty mask gives an empty list.

    Example:
        >>> background = np.full((60, 80, 3), 90, np.uint8)
        >>> image, mask = background.copy(), np.zeros((60, 80), np.float32)
        >>> image[20:40, 30:50], mask[20:40, 30:50] = (200, 40, 30), 1
        >>> [cutout.shape for cutout in cut_outs(background, image, mask)]
        [(28, 28, 4)]
    """
    low, high = _LEVELS
    alpha = ((mask - low) / (high - low)).clip(0, 1).astype(np.float32)
    parts = _parts(alpha)
    whole = parts if split_objects else [np.any(parts, axis=0)] if parts else []
    return [_cut_out(background, image, np.where(part, alpha, np.float32(0))) for part in whole]


def _cut_out(background: np.ndarray, image: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    rows, columns = (_extent(alpha.max(axis=axis)) for axis in (1, 0))
    alpha = alpha[rows, columns]
    found = np.dstack([image[rows, columns], to_uint8(alpha)])
    decontaminate(found, background[rows, columns])
    return found


def _parts(alpha: np.ndarray) -> list[np.ndarray]:
    """Connected parts as bool (H, W), without specks; their size is the number of pixels above alpha 0.5."""
    num, labels = cv2.connectedComponents((alpha > 0).astype(np.uint8), connectivity=8)
    solid = np.bincount(labels[alpha >= 0.5], minlength=num)
    return [labels == part for part in np.flatnonzero(solid > _SPECK * solid.max())]


def _extent(profile: np.ndarray) -> slice:
    places = np.flatnonzero(profile)
    return slice(max(0, int(places[0]) - _MARGIN_PX), int(places[-1]) + 1 + _MARGIN_PX)
