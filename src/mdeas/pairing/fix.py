"""The background brought into the image's frame and light, at full size."""

import cv2
import numpy as np

from mdeas.pairing.light import DISPLAY

_SATURATED = 250


def at_full_size(matrix: np.ndarray, view_size: tuple[int, int], size: tuple[int, int]) -> np.ndarray:
    """A motion between Views as one between the photos; sizes are (height, width), centres of pixels stay."""
    scale = np.array([size[1] / view_size[1], size[0] / view_size[0]])
    linear = np.diag(scale) @ matrix[:, :2] @ np.diag(1 / scale)
    # x_full = (x_view + 1/2) · scale - 1/2
    offset = scale * (matrix[:, :2] @ (0.5 / scale - 0.5) + matrix[:, 2] + 0.5) - 0.5
    return np.hstack([linear, offset[:, None]])


def move(background: np.ndarray, matrix: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Lay the background on the image.

    Input: uint8 (H, W, 3) RGB; matrix: (2, 3), pixel of the background -> pixel of the image; size: (H, W).
    Output: uint8 (H, W, 3); bool (H, W), where the background shows nothing of the view.
    """
    to = size[::-1]
    moved = cv2.warpAffine(background, matrix, to, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    inside = cv2.warpAffine(np.full(background.shape[:2], 255, np.uint8), matrix, to)
    return moved, inside < 255


def relight(background: np.ndarray, image: np.ndarray, gain: np.ndarray) -> np.ndarray:
    """Give the background the image's light.

    What is saturated in the background was at least that bright: where it is darkened, the image's level is
    taken if that is brighter.

    Input: uint8 (H, W, 3) RGB, aligned; gain: (3,) of the light.
    Output: uint8 (H, W, 3).
    """
    levels = np.arange(256)[:, None] * gain ** (1 / DISPLAY)
    lit = cv2.LUT(background, np.rint(levels).clip(0, 255).astype(np.uint8)[:, None])
    for channel in np.flatnonzero(gain < 1):
        unknown = background[..., channel] >= _SATURATED
        np.maximum(lit[..., channel], image[..., channel], out=lit[..., channel], where=unknown)
    return lit
