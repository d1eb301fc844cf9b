"""A plot of quality against milliseconds: one bubble a network; its area is the number of parameters."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mdeas.evaluate.compare.table import TableRow
from mdeas.images.codec import encode_png
from mdeas.images.plots import drawn

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PANELS = (("iou", "mask IoU"), ("delta1", "depth δ1 (affine-disparity)"))
_AREA = 24.0  # points² for a million parameters
_LEAST_AREA = 12.0
_KEY = (1e6, 10e6, 50e6)  # bubbles in the legend
_COLOURS = "tab20"  # ten strong colours, each followed by its light one
_STEP = 4.0  # pixels by which a label moves away from its bubble until it has room
_TRIES = 40

Point = tuple[float, float]
"""In pixels, y upwards."""
Colour = tuple[float, float, float, float]
"""Red, green, blue and opacity in [0, 1]."""


class Box(NamedTuple):
    """A rectangle in pixels, y upwards."""

    left: float
    bottom: float
    right: float
    top: float

    def meets(self, other: "Box") -> bool:
        """Whether the rectangles overlap."""
        return (
            self.left < other.right
            and other.left < self.right
            and self.bottom < other.top
            and other.bottom < self.top
        )


def figure(rows: Sequence[TableRow]) -> bytes:
    """PNG: the panels of _PANELS, networks as bubbles, baselines as lines, no label over another."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    picture = Figure(figsize=(14, 6.5), dpi=110)
    canvas = FigureCanvasAgg(picture)
    panels = picture.subplots(1, len(_PANELS))
    picture.subplots_adjust(left=0.05, right=0.88, bottom=0.19, top=0.94, wspace=0.38)
    colours = _colours([row["name"] for row in rows if row["network"]])
    for axes, (column, title) in zip(panels, _PANELS, strict=True):
        _panel(axes, [row for row in rows if column in row], column, title, colours)
    _legend(picture)
    canvas.draw()  # sizes of texts are known from here on
    for axes, (column, _) in zip(panels, _PANELS, strict=True):
        _label(axes, [row for row in rows if column in row], column)
    return encode_png(drawn(picture))


def _colours(names: list[str]) -> dict[str, Colour]:
    """The same colour for a network in every panel."""
    from matplotlib import colormaps

    shades = [*range(0, 20, 2), *range(1, 20, 2)]
    return {name: colormaps[_COLOURS](shades[number % 20]) for number, name in enumerate(names)}


def _panel(axes: "Axes", rows: list[TableRow], column: str, title: str, colours: dict[str, Colour]) -> None:
    networks = [row for row in rows if row["network"]]
    axes.set_title(title)
    axes.set_xlabel("ms in ONNX Runtime")
    axes.grid(alpha=0.25)
    axes.set_axisbelow(True)
    for row in rows:
        if not row["network"]:
            axes.axhline(row[column], color="0.45", linewidth=1, linestyle="--")
    if not networks:
        axes.text(0.5, 0.5, "no truth, or no network does it", transform=axes.transAxes, ha="center")
        return
    for row in sorted(networks, key=_area, reverse=True):  # small ones in front
        hollow = "parameters" not in row
        face = "none" if hollow else colours[row["name"]]
        axes.scatter(
            row["ms"], row[column], s=_area(row), facecolors=face, edgecolors=colours[row["name"]], alpha=0.75
        )
    best_line = max((row[column] for row in rows if not row["network"]), default=networks[0][column])
    _scale(axes, [row["ms"] for row in networks], [best_line, *(row[column] for row in networks)])


def _area(row: TableRow) -> float:
    return max(_LEAST_AREA, _AREA * row.get("parameters", 0) / 1e6)


def _scale(axes: "Axes", times: list[float], values: list[float]) -> None:
    """Logarithmic milliseconds with plain numbers; room for labels around `values`."""
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    axes.set_xscale("log")
    axes.set_xlim(min(times) / 1.8, max(times) * 1.8)
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    margin = 0.15 * max(max(values) - min(values), 0.05)
    axes.set_ylim(min(values) - margin, max(values) + margin)


def _legend(picture: "Figure") -> None:
    """The scale of the areas, below the panels."""
    axes = picture.axes[0]
    handles = [
        axes.scatter([], [], s=_AREA * count / 1e6, facecolors="0.8", edgecolors="0.5") for count in _KEY
    ]
    labels = [f"{count / 1e6:.0f} M parameters" for count in _KEY]
    picture.legend(
        handles,
        labels,
        loc="center",
        bbox_to_anchor=(0.47, 0.055),
        ncols=len(_KEY),
        frameon=False,
        handletextpad=1.5,
    )


def _label(axes: "Axes", rows: list[TableRow], column: str) -> None:
    """Names of the networks beside their bubbles, names of the baselines right of their lines."""
    _label_lines(axes, [row for row in rows if not row["network"]], column)
    networks = [row for row in rows if row["network"]]
    frame = Box(*axes.bbox.extents)
    centres: list[Point] = [tuple(axes.transData.transform((row["ms"], row[column]))) for row in networks]
    radii = [np.sqrt(_area(row) / np.pi) * axes.figure.dpi / 72 for row in networks]
    taken = [Box(x - r, y - r, x + r, y + r) for (x, y), r in zip(centres, radii, strict=True)]
    lines = [axes.transData.transform((1, row[column]))[1] for row in rows if not row["network"]]
    taken += [Box(frame.left, y - 1, frame.right, y + 1) for y in lines]
    for row, centre, radius in zip(networks, centres, radii, strict=True):
        text = axes.annotate(row["name"], centre, xycoords="figure pixels", fontsize=9, va="bottom")
        extent = text.get_window_extent()
        box = _free(centre, radius, extent.width, extent.height, taken, frame)
        taken.append(box)
        text.set_position((box.left, box.bottom))
        _leader_line(axes, centre, radius, box)


def _free(centre: Point, radius: float, width: float, height: float, taken: list[Box], frame: Box) -> Box:
    """The nearest box beside a bubble that overlaps nothing in `taken` and lies in `frame`.

    Where there is none, the nearest box.
    """
    places = [
        _beside(centre, radius + 3 + _STEP * step, width, height, angle)
        for step in range(_TRIES)
        for angle in (0, 180, 90, 270, 45, 315, 135, 225)
    ]
    for box in places:
        inside = box.left > frame.left and box.right < frame.right
        inside = inside and box.bottom > frame.bottom and box.top < frame.top
        if inside and not any(box.meets(other) for other in taken):
            return box
    return places[0]


def _beside(centre: Point, distance: float, width: float, height: float, angle: int) -> Box:
    """A box whose side or corner next to the bubble is `distance` from its centre, at `angle` degrees."""
    right, up = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    x = centre[0] + right * distance - _share(right) * width
    y = centre[1] + up * distance - _share(up) * height
    return Box(x, y, x + width, y + height)


def _share(direction: float) -> float:
    """The share of a box that lies left of or below its anchor: 0 for a positive direction, 1 for a negative
    one, a half for none."""
    return 0.5 if abs(direction) < 1e-6 else float(direction < 0)


def _leader_line(axes: "Axes", centre: Point, radius: float, box: Box) -> None:
    """A thin line from a bubble to a label that is not beside it."""
    x, y = np.clip(centre[0], box.left, box.right), np.clip(centre[1], box.bottom, box.top)
    if np.hypot(x - centre[0], y - centre[1]) > radius + 2 * _STEP:
        axes.annotate(
            "",
            (x, y),
            centre,
            xycoords="figure pixels",
            textcoords="figure pixels",
            arrowprops={"arrowstyle": "-", "color": "0.6", "linewidth": 0.7, "shrinkA": 0, "shrinkB": 0},
        )


def _label_lines(axes: "Axes", rows: list[TableRow], column: str) -> None:
    """The name of each baseline at its line, moved up where names would overlap.

    A line below the panel has its name at the foot of the panel.
    """
    low, high = axes.get_ylim()
    gap = 0.036 * (high - low)
    last = low - gap
    for row in sorted(rows, key=lambda row: row[column]):
        last = max(row[column], last + gap)
        axes.annotate(
            f"{row['name']} {row[column]:.3f}{' ↓' if row[column] < low else ''}",
            (1.01, last),
            xycoords=("axes fraction", "data"),
            fontsize=8,
            color="0.35",
            va="center",
            annotation_clip=False,
        )
