"""The robustness card as a plot: a column of panels for each disturbance, a row for each metric."""

from typing import TYPE_CHECKING, Any

import numpy as np

from mdeas.evaluate.robustness.disturbances import DISTURBANCES
from mdeas.evaluate.robustness.measure import Means
from mdeas.evaluate.robustness.table import columns, predictors, title, values
from mdeas.images.plots import drawn
from mdeas.metrics.table import metric_of, title_of
from mdeas.system.optional import figure_class

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_STYLES: tuple[dict[str, Any], ...] = (
    {"color": "tab:blue", "marker": "o"},
    {"color": "0.5", "marker": "s", "linestyle": "--"},
)
"""Of the measured predictor, and of the baseline beside it."""


def figure(means: Means) -> np.ndarray:
    """uint8 (H, W, 3) RGB: every metric of the card against the levels, evenly spaced."""
    metrics = columns(means)
    picture = figure_class()(figsize=(18, 1.2 + 1.8 * len(metrics)), dpi=90, layout="constrained")
    panels = picture.subplots(len(metrics), len(DISTURBANCES), squeeze=False, sharex="col", sharey="row")
    for metric, row in zip(metrics, panels, strict=True):
        row[0].set_ylabel(title_of(metric))
        for name, axes in zip(DISTURBANCES, row, strict=True):
            _panel(axes, means, name, metric)
        row[0].set_ylim(0, 1.02 if metric_of(metric).better == "higher" else None)
    for name, top, bottom in zip(DISTURBANCES, panels[0], panels[-1], strict=True):
        _label(top, bottom, name)
    _legend(picture, predictors(means))
    return drawn(picture)


def _panel(axes: "Axes", means: Means, disturbance: str, metric: str) -> None:
    for predictor, style in zip(predictors(means), _STYLES, strict=False):
        found = values(means, disturbance, predictor, metric)
        axes.plot(range(len(found)), found, markersize=3.5, linewidth=1.5, **style)
    axes.grid(alpha=0.25)


def _label(top: "Axes", bottom: "Axes", disturbance: str) -> None:
    labels = DISTURBANCES[disturbance].labels
    top.set_title(disturbance, fontsize=11)
    bottom.set_xticks(range(len(labels)), labels, fontsize=8)
    bottom.set_xlabel(DISTURBANCES[disturbance].unit, fontsize=9)


def _legend(picture: "Figure", names: list[str]) -> None:
    """One entry a predictor, above the panels."""
    lines = [picture.axes[0].plot([], [], markersize=3.5, **style)[0] for style in _STYLES[: len(names)]]
    labels = [title(name) for name in names]
    picture.legend(lines, labels, loc="outside upper left", ncols=len(names), frameon=False)
