"""The learning curve of a run, drawn from its log.csv: loss, figures and learning rate over the steps."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mdeas.images.codec import write_png
from mdeas.images.plots import drawn

Row = dict[str, str]

_POINTS = 400  # largest number of points of a training curve; more are averaged
# Figure -> (label, divisor); baselines are dashed.
_FIGURES = {
    "mask_iou": ("mask IoU", 1.0),
    "depth_delta1": ("depth δ1", 1.0),
    "depth_delta1_gradient": ("depth δ1, vertical gradient", 1.0),
    "mask_accuracy": ("mask accuracy / 100", 100.0),
    "depth_accuracy": ("depth accuracy / 100", 100.0),
}
_BASELINES = ("depth_delta1_gradient",)


@dataclass(frozen=True)
class Points:
    """One line of a plot."""

    steps: np.ndarray
    """float64 (N,), over all stages."""
    values: np.ndarray
    """float64 (N,), finite."""


@dataclass(frozen=True)
class Log:
    """The rows of log.csv, with steps counted over all stages."""

    rows: list[Row]
    steps: list[int]
    stages: dict[str, int] = field(default_factory=dict)
    """Number of steps before each stage, by its name; empty for a run without stages."""

    def points(self, kind: str, name: str) -> Points:
        """The finite values of column `name` in rows of `kind`: "train" or "validation"."""
        found = [
            (step, float(row[name]))
            for row, step in zip(self.rows, self.steps, strict=True)
            if row["kind"] == kind and row.get(name)
        ]
        steps, values = np.array(found, float).reshape(-1, 2).T
        finite = np.isfinite(values)
        return Points(steps[finite], values[finite])


def read_log(path: Path) -> list[Row]:
    """The rows of a log.csv."""
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def counted(rows: Sequence[Row]) -> Log:
    """`rows` as a Log; in the rows each stage (column "stage") counts its steps from 0."""
    stages: dict[str, int] = {}
    steps: list[int] = []
    for row in rows:
        if "stage" in row and row["stage"] not in stages:
            stages[row["stage"]] = max(steps, default=0)
        steps.append(int(row["step"]) + stages.get(row.get("stage", ""), 0))
    return Log(list(rows), steps, stages)


def epoch_means(rows: Sequence[Row], first: int, last: int, names: Sequence[str]) -> dict[str, float]:
    """Mean of each column over training steps `first` to `last`; columns without values are left out."""
    log = Log(list(rows), [int(row["step"]) for row in rows])
    means = {}
    for name in names:
        points = log.points("train", name)
        inside = points.values[(points.steps >= first) & (points.steps <= last)]
        if len(inside):
            means[name] = float(inside.mean())
    return means


def write_curve(folder: Path) -> None:
    """Draw curve.png from log.csv in `folder`, if the log has a training step."""
    rows = read_log(folder / "log.csv")
    if any(row["kind"] == "train" for row in rows):
        write_png(folder / "curve.png", drawn(figure(counted(rows))), force=True)


def figure(log: Log) -> Figure:
    """Three plots with a common axis of steps: loss, figures, learning rate."""
    made = Figure(figsize=(9, 9), dpi=100, layout="constrained")
    axes = made.subplots(3, sharex=True, height_ratios=(3, 3, 1.5))
    _loss(axes[0], log)
    _figures(axes[1], log)
    _lr(axes[2], log)
    _mark_stages(axes, log)
    return made


def thinned(points: Points) -> Points:
    """At most _POINTS points, each the mean of neighbouring ones."""
    parts = min(_POINTS, len(points.steps))
    if not parts:
        return points
    split = (np.array_split(array, parts) for array in (points.steps, points.values))
    return Points(*(np.array([part.mean() for part in arrays]) for arrays in split))


def _loss(axes: Axes, log: Log) -> None:
    train, validation = log.points("train", "total"), log.points("validation", "total")
    _line(axes, thinned(train), "training", color="tab:blue")
    _line(axes, validation, "validation", color="tab:orange", marker="o", markersize=3)
    values = np.concatenate([train.values, validation.values])
    if len(values) and values.min() > 0 and values.max() > 10 * values.min():
        axes.set_yscale("log")
    axes.set_ylabel("loss")
    axes.legend()


def _figures(axes: Axes, log: Log) -> None:
    """Figures of validations with markers; figures of training as pale lines."""
    for number, (name, (label, unit)) in enumerate(_FIGURES.items()):
        style = {"color": f"C{number}", "linestyle": "--" if name in _BASELINES else "-"}
        train, validation = thinned(log.points("train", name)), log.points("validation", name)
        _line(axes, Points(train.steps, train.values / unit), f"{label}, training", alpha=0.4, **style)
        marked = Points(validation.steps, validation.values / unit)
        _line(axes, marked, label, marker="o", markersize=3, **style)
    axes.set_ylabel("figures")
    if axes.lines:
        axes.legend(fontsize="small")


def _lr(axes: Axes, log: Log) -> None:
    points = log.points("train", "lr")
    _line(axes, points, "learning rate", color="tab:green")
    if len(points.values) and points.values.min() > 0 and points.values.max() > 20 * points.values.min():
        axes.set_yscale("log")
    axes.set_ylabel("learning rate")
    axes.set_xlabel("step")


def _line(axes: Axes, points: Points, label: str, **style: Any) -> None:
    if len(points.steps):
        axes.plot(points.steps, points.values, label=label, **style)


def _mark_stages(axes: Sequence[Axes], log: Log) -> None:
    for name, begin in log.stages.items():
        for axis in axes:
            axis.axvline(begin, color="grey", linewidth=0.8, linestyle=":")
        axes[0].annotate(
            name, (begin, 1), xycoords=("data", "axes fraction"), fontsize="small", rotation=90, va="top"
        )
