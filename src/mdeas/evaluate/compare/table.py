"""The table of a comparison, as Markdown and as CSV."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from mdeas.metrics.table import METRICS
from mdeas.system.files import csv_bytes
from mdeas.system.markdown import aligned_table

TableRow = dict[str, Any]
"""One line of the table: "name", "network" (bool), and the columns that apply."""

_NONE = "–"
_METRICS = ("iou", "mad", "boundary_f", "empty_area", "abs_rel", "delta1", "boundary_recall")


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column."""

    title: str
    format: str
    """Of one value, or "time" for hours, minutes and seconds."""
    better: Literal["higher", "lower"] | None
    """Which value is set in bold; None = no value is better."""


def _of_metric(name: str) -> Column:
    metric = METRICS[name]
    return Column(title=metric.title, format=metric.digits, better=metric.better)


COLUMNS = {
    "parameters": Column(title="parameters", format=",.0f", better="lower"),
    "gflop_224": Column(title="GFLOP at 224²", format=".2f", better="lower"),
    "ms": Column(title="ms", format=".1f", better="lower"),
    "training_ms_per_picture": Column(title="ms per training picture", format=".1f", better="lower"),
    "training_pictures": Column(title="training pictures", format=",.0f", better=None),
    "training_s": Column(title="training time", format="time", better="lower"),
    "training_peak_mib": Column(title="training memory, MiB", format=",.0f", better="lower"),
    **{name: _of_metric(name) for name in _METRICS},
    "ssim_mask_percent": Column(title=f"{METRICS['ssim'].title} ×100", format=".2f", better="higher"),
    "ssim_depth_percent": Column(
        title=f"{METRICS['published_ssim'].title} ×100", format=".2f", better="higher"
    ),
}
"""The columns of the table in their order, by the name they have in rows and in the CSV file."""


def quality_columns(means: dict[str, float]) -> TableRow:
    """The columns that an evaluation fills, from its means over pictures by metric."""
    found = {name: means[name] for name in COLUMNS if name in means}
    depth_ssim = means.get("published_ssim", means.get("agreement_ssim"))
    for name, value in (("ssim_mask_percent", means.get("ssim")), ("ssim_depth_percent", depth_ssim)):
        found |= {} if value is None else {name: 100 * value}
    return found


def markdown(rows: Sequence[TableRow], protocol: Sequence[str]) -> str:
    """A line for each row, the best value of the networks in bold; the protocol below."""
    best = {name: _best(rows, name) for name in COLUMNS}
    header = ["", *(column.title for column in COLUMNS.values())]
    lines = [
        aligned_table(header, [[row["name"], *(_cell(row, n, best[n]) for n in COLUMNS)] for row in rows]),
        "",
        f"{_NONE}: does not apply, or is not known. Bold: the best of the networks.",
        "",
        *(f"- {line}" for line in protocol),
    ]
    return "\n".join(lines) + "\n"


def _best(rows: Sequence[TableRow], name: str) -> str | None:
    """The best value of the networks as the table shows it; None when fewer than two have a value."""
    values = [row[name] for row in rows if row["network"] and name in row]
    better = COLUMNS[name].better
    if better is None or len(values) < 2:
        return None
    return shown(name, max(values) if better == "higher" else min(values))


def _cell(row: TableRow, name: str, best: str | None) -> str:
    if name not in row:
        return _NONE
    text = shown(name, row[name])
    return f"**{text}**" if row["network"] and text == best else text


def shown(name: str, value: float) -> str:
    """A value as the table shows it."""
    if COLUMNS[name].format != "time":
        return format(value, COLUMNS[name].format)
    minutes, seconds = divmod(round(value), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"


def rows_csv(rows: Sequence[TableRow]) -> bytes:
    """The same values with all their digits, and `ms_fastest`; an empty cell where the table has a dash."""
    return csv_bytes(["name", "network", *COLUMNS, "ms_fastest"], rows)
