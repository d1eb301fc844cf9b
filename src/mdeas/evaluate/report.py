"""The report of an evaluation: rows as CSV, summary as JSON and Markdown, sheets of pictures."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mdeas.dataset.dataset import Dataset
from mdeas.images.codec import encode_png
from mdeas.images.levels import to_uint8
from mdeas.images.sheets import colorize, contact_sheet
from mdeas.metrics.depth import REGIONS
from mdeas.metrics.table import AGREEMENT, METRICS, PUBLISHED, metric_of
from mdeas.runtime.baselines import BASELINES
from mdeas.runtime.predictor import Predictor
from mdeas.sample import Sample
from mdeas.system.files import csv_bytes, write_bytes, write_json
from mdeas.system.markdown import aligned_table

ROWS, SUMMARY, TABLE = "pictures.csv", "summary.json", "summary.md"
_SHEET_ROWS = 10

PictureRow = dict[str, Any]
"""One picture under one predictor: "predictor", "index", "id", "kind" and its metrics."""

_TITLES = ("background", "image", "true mask", "predicted mask", "true depth", "predicted depth")

_WORST = {
    "worst-mask.png": "iou",
    "worst-empty.png": "empty_area",
    "worst-depth.png": "delta1",
    "worst-agreement.png": "agreement_delta1",
}
"""Sheets of the worst pictures, and the metric by which they are the worst."""


class Table(NamedTuple):
    """One table of summary.md."""

    title: str
    protocol: str
    """Region, threshold, alignment; `{alignment}` is filled in. Always: mean over pictures."""
    columns: tuple[str, ...]


def _of(*tasks: str, as_published: bool = False) -> tuple[str, ...]:
    """Names of metrics in the order of METRICS."""
    return tuple(
        name
        for name, metric in METRICS.items()
        if metric.task in tasks and metric.as_published == as_published
    )


_MASK = sorted(_of("mask"), key=lambda name: METRICS[name].better != "higher")
_DEPTH_AS_PUBLISHED = _of("published map", "published")
_TABLES = (
    Table(
        "Mask",
        "pairs with something in them, whole picture, cut at .5 from iou to boundary_iou; mad and mse x 1e3; "
        "sad, grad and conn / 1000",
        tuple(_MASK),
    ),
    Table(
        "Empty pairs",
        "pairs with nothing in them, whole picture, cut at .5: share of pixels; share of pairs with a "
        "component over .1 % of the picture",
        _of("empty"),
    ),
    Table(
        "Depth",
        "metric truth, known pixels of the whole picture, alignment {alignment}; rmse and sq_rel in metres; "
        "boundary_recall against the true mask",
        _of("depth", "edges"),
    ),
    Table(
        "Depth by region",
        "as above, with one alignment {alignment} for the whole picture; band: within 5 pixels of the true "
        "mask's outline",
        tuple(f"{name}_{region}" for region in REGIONS[1:] for name in ("abs_rel", "delta1")),
    ),
    Table(
        "Mask, as the published systems measured",
        "pairs with something in them, whole picture; a mask of nothing has an ssim of about 1 - foreground "
        "area",
        _of("mask", as_published=True),
    ),
    Table(
        "Depth, as the published systems measured",
        "inverse depth: truth stretched to [0, 1], prediction fitted to it by scale and shift, 1/255 the "
        "least",
        _DEPTH_AS_PUBLISHED,
    ),
    Table(
        "Teacher agreement",
        "the depth truth comes from a network, so this is agreement and not accuracy; inverse depth: truth "
        "stretched to [0, 1], prediction fitted to it by scale and shift, 1/255 the least",
        tuple(name.replace(PUBLISHED, AGREEMENT) for name in _DEPTH_AS_PUBLISHED),
    ),
)


def write(
    out: Path, rows: list[PictureRow], summary: dict[str, Any], files: dict[str, bytes], *, force: bool
) -> None:
    """Write pictures.csv, `files` by name, summary.md and, last, summary.json."""
    out.mkdir(parents=True, exist_ok=True)
    write_bytes(out / ROWS, rows_csv(rows), force=force)
    for name, data in files.items():
        write_bytes(out / name, data, force=force)
    write_bytes(out / TABLE, markdown(summary).encode(), force=force)
    write_json(out / SUMMARY, summary, force=force)


def rows_csv(rows: list[PictureRow]) -> bytes:
    """One line per picture and predictor; a metric that does not apply is an empty cell."""
    names = dict.fromkeys(name for row in rows for name in row)
    return csv_bytes(names, ({name: _cell(value) for name, value in row.items()} for row in rows))


def _cell(value: Any) -> Any:
    if not isinstance(value, float):
        return value
    return "" if np.isnan(value) else f"{value:.6g}"


def markdown(summary: dict[str, Any]) -> str:
    """The summary as tables: model first, baselines below it, the protocol under each title."""
    data, number = summary["data"], summary["num_pictures"]
    head = (
        f"# {summary['model']} on {data['name']}, split {data['split']}\n\n"
        f"{number['all']} pictures: {number['filled']} with something in them, {number['empty']} empty "
        f"pairs, {number['unmasked']} without a true mask. "
        f"{1000 * summary['seconds_per_picture']:.1f} ms per picture. Data {data['fingerprint'][:12]}.\n"
    )
    tables = (_table(summary, table) for table in _TABLES)
    baselines = (f"- `{b.name}`: {b.about}" for name, b in BASELINES.items() if name in summary["predictors"])
    return "\n".join([head, *(table for table in tables if table), "Baselines:", "", *baselines, ""])


def _table(summary: dict[str, Any], table: Table) -> str:
    """One Markdown table, or "" when no predictor has one of its columns."""
    means = {name: found for name, found in summary["predictors"].items() if set(table.columns) & set(found)}
    if not means:
        return ""
    rows = [
        [name, *(_number(found.get(column)) for column in table.columns)] for name, found in means.items()
    ]
    lines = [
        f"## {table.title}\n",
        f"Protocol: {table.protocol.format(alignment=summary['alignment'])}; mean over pictures.\n",
        aligned_table(["predictor", *table.columns], rows),
        "",
    ]
    return "\n".join(lines)


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.4f}" if abs(value) < 10 else f"{value:.1f}"


def sheets(
    predictor: Predictor, samples: Dataset | Sequence[Sample], rows: list[PictureRow]
) -> dict[str, bytes]:
    """Contact sheets as PNG by file name: the worst pictures by the metrics of _WORST, and random ones."""
    chosen = {name: _worst(rows, metric) for name, metric in _WORST.items()}
    random = np.random.default_rng(0).permutation(len(rows))[:_SHEET_ROWS]
    chosen["random.png"] = sorted((rows[i] for i in random), key=lambda row: row["index"])
    return {name: encode_png(_sheet(predictor, samples, found)) for name, found in chosen.items() if found}


def _worst(rows: list[PictureRow], metric: str) -> list[PictureRow]:
    """At most _SHEET_ROWS rows, the worst first; rows without the metric are left out."""
    sign = 1 if metric_of(metric).better == "higher" else -1
    ranked = [row for row in rows if metric in row and not np.isnan(row[metric])]
    return sorted(ranked, key=lambda row: sign * row[metric])[:_SHEET_ROWS]


def _sheet(predictor: Predictor, samples: Dataset | Sequence[Sample], rows: list[PictureRow]) -> np.ndarray:
    pictures = [_pictures(predictor, samples[row["index"]]) for row in rows]
    return contact_sheet(pictures, _TITLES, captions=[_caption(row) for row in rows])


def _pictures(predictor: Predictor, sample: Sample) -> list[np.ndarray]:
    """The six pictures of _TITLES, uint8 (H, W, 3); grey where there is no truth."""
    prediction = predictor.predict(sample.background, sample.image)
    inverse, known = sample.inverse_depth, sample.depth_known
    blank = np.full_like(sample.image, 128)
    return [
        sample.background,
        sample.image,
        blank if sample.mask is None else grey(sample.mask),
        grey(prediction.mask),
        blank if inverse is None else colorize(inverse, known),
        colorize(prediction.depth),
    ]


def grey(mask: np.ndarray) -> np.ndarray:
    """float32 (H, W) in [0, 1] -> uint8 (H, W, 3)."""
    return np.repeat(to_uint8(mask)[..., None], 3, axis=2)


def _caption(row: PictureRow) -> str:
    shown = (name for name in _WORST.values() if name in row)
    return "  ".join([row["id"], *(f"{name} {row[name]:.3f}" for name in shown)])
