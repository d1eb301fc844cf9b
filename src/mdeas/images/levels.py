"""From values in [0, 1] to the 256 levels of an 8-bit picture."""

import numpy as np


def to_uint8(values: np.ndarray) -> np.ndarray:
    """Round values in [0, 1], float of any shape, to uint8 levels 0 to 255 of the same shape."""
    return np.rint(values * 255).astype(np.uint8)
