"""Plots of matplotlib as pictures, to be written like all pictures."""

from typing import Any

import numpy as np


def drawn(figure: Any) -> np.ndarray:
    """A matplotlib Figure as it looks at its own dpi: uint8 (H, W, 3) RGB."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.ascontiguousarray(np.asarray(canvas.buffer_rgba())[..., :3])
