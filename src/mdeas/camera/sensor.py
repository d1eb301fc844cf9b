"""Read depth from a sensor: a 16-bit PNG of millimetres beside a photo, 0 = unknown."""

import os

import cv2
import numpy as np

from mdeas.errors import InputError
from mdeas.images.codec import read_depth16
from mdeas.system.files import quoted

_SATURATED = 65535  # the value of a 16-bit file for everything farther
_ASPECT_TOLERANCE = 0.02  # rounding the sides of a small depth map changes the aspect by this much


def read_depth_m(path: str | os.PathLike[str], size: tuple[int, int]) -> np.ndarray:
    """Read the metres of a photo of `size` (H, W): float32 (H, W), 0 = unknown; the file may be smaller.

    Enlarged by nearest neighbour: a mean across an edge is a depth that nothing has.
    Errors: InputError E-PAIR-SIZE for another aspect, E-IMG-... when it is not a 16-bit grey picture.
    """
    depth_mm = read_depth16(path)
    (height, width), (h, w) = size, depth_mm.shape
    if abs(np.log(width / height * h / w)) > _ASPECT_TOLERANCE:
        raise wrong_size(path, (h, w), size)
    depth_mm = cv2.resize(depth_mm, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
    return np.where(depth_mm == _SATURATED, 0, depth_mm).astype(np.float32) / 1000


def wrong_size(path: str | os.PathLike[str], got: tuple[int, ...], size: tuple[int, int]) -> InputError:
    """The error of a picture of `got` (h, w) beside a photo of `size` (H, W)."""
    return InputError(
        "E-PAIR-SIZE",
        f"{quoted(path)} is {got[1]} x {got[0]}, the image is {size[1]} x {size[0]}. "
        "Both must show the same view at the same size.",
    )
