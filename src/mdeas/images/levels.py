"""The levels of an 8-bit picture: from values in [0, 1], and to light."""

import numpy as np

DISPLAY_GAMMA = 2.2
"""Light is the level to this power: close enough to sRGB, and a power commutes with every gain."""


def to_uint8(values: np.ndarray) -> np.ndarray:
    """Round values in [0, 1], float of any shape, to uint8 levels 0 to 255 of the same shape."""
    return np.rint(values * 255).astype(np.uint8)
