"""Histograms as one picture."""

from typing import TYPE_CHECKING

import numpy as np

from mdeas.dataset.show.histograms import AREA_EDGES, DEPTH_EDGES_M, SHARE_EDGES, Histograms
from mdeas.images.plots import drawn
from mdeas.system.optional import figure_class

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_KINDS = {"metric": "metric (1 / m)", "relative": "relative"}


def distributions(found: Histograms) -> np.ndarray:
    """uint8 (H, W, 3) RGB: area, size and position of the foreground, depth and inverse depth."""
    figure = figure_class()(figsize=(13, 7), dpi=100, layout="constrained")
    panels = figure.subplots(2, 3)
    _splits(panels[0, 0], found.area, AREA_EDGES, "mask area, share of the picture")
    panels[0, 0].set_xscale("log")
    _splits(panels[0, 1], found.scale, SHARE_EDGES, "foreground scale: long side of its box / of the picture")
    _heat_map(panels[0, 2], found)
    _metres(panels[1, 0], found.depth_m)
    _inverse_depth(panels[1, 1], found.inverse_depth)
    panels[1, 2].set_axis_off()
    for axes in panels.flat[:5]:
        axes.title.set_fontsize(10)
    return drawn(figure)


def _splits(axes: "Axes", counts: dict[str, np.ndarray], edges: np.ndarray, title: str) -> None:
    """One outline a split; each adds up to 100 %."""
    axes.set_title(title)
    if not counts:
        return _write_none(axes)
    for split, count in counts.items():
        axes.stairs(_percent(count), edges, label=f"{split}, {count.sum():,}", linewidth=1.5)
    axes.set_ylabel("% of the samples")
    axes.legend(fontsize=8)
    return None


def _heat_map(axes: "Axes", found: Histograms) -> None:
    axes.set_title("where the foreground is: mean alpha")
    if not found.num_masks:
        return _write_none(axes)
    picture = axes.imshow(found.heat_map / found.num_masks, extent=(0, 1, 1, 0), cmap="magma", vmin=0)
    axes.figure.colorbar(picture, ax=axes, shrink=0.8)
    return None


def _metres(axes: "Axes", counts: np.ndarray) -> None:
    axes.set_title("depth, metres")
    if not counts.any():
        return _write_none(axes)
    axes.stairs(_percent(counts), DEPTH_EDGES_M, fill=True)
    axes.set_xscale("log")
    axes.set_ylabel("% of the known pixels")
    return None


def _inverse_depth(axes: "Axes", counts: dict[str, np.ndarray]) -> None:
    axes.set_title("inverse depth / nearest of the picture")
    if not counts:
        return _write_none(axes)
    for kind, count in counts.items():
        axes.stairs(_percent(count), SHARE_EDGES, label=_KINDS[kind], linewidth=1.5)
    axes.set_ylabel("% of the known pixels")
    axes.legend(fontsize=8)
    return None


def _write_none(axes: "Axes") -> None:
    axes.text(0.5, 0.5, "none in this data set", transform=axes.transAxes, ha="center", color="0.5")
    axes.set(xticks=[], yticks=[])


def _percent(counts: np.ndarray) -> np.ndarray:
    return 100 * counts / counts.sum()
