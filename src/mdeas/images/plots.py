"""Turn a matplotlib figure into an array, so that it is written like every picture."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def drawn(figure: "Figure") -> np.ndarray:
    """Render a matplotlib Figure at its own dpi: uint8 (H, W, 3) RGB."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.ascontiguousarray(np.asarray(canvas.buffer_rgba())[..., :3])
