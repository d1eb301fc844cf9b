"""Plots of matplotlib as pictures, to be written like all pictures."""

from typing import Any

import numpy as np

from mdeas.errors import UsageError


def figure_class() -> Any:
    """matplotlib's Figure; UsageError (E-EXTRA) where it is not installed."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise UsageError("E-EXTRA", "drawing needs matplotlib. Run: pip install 'mdeas[train]'") from error
    return Figure


def drawn(figure: Any) -> np.ndarray:
    """A matplotlib Figure as it looks at its own dpi: uint8 (H, W, 3) RGB."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.ascontiguousarray(np.asarray(canvas.buffer_rgba())[..., :3])
