"""What an evaluation leaves behind: rows as CSV, summary as JSON and Markdown, sheets of pictures."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mdeas.dataset.dataset import Dataset
from mdeas.images.codec import colorize, contact_sheet, encode_png
from mdeas.images.levels import to_uint8
from mdeas.metrics.depth import REGIONS
from mdeas.runtime.baselines import BASELINES
from mdeas.runtime.predictor import Predictor
from mdeas.sample import Sample
from mdeas.system.files import csv_bytes, write_bytes, write_json

ROWS, SUMMARY, TABLE = "pictures.csv", "summary.json", "summary.md"
_SHEET_ROWS = 10
_TITLES = ("background", "image", "true mask", "predicted mask", "true depth", "predicted depth")

# Which metric ranks the pictures of a sheet, and whether small values are the bad ones.
_WORST = {
    "worst-mask.png": ("iou", True),
    "worst-empty.png": ("empty_area", False),
    "worst-depth.png": ("delta1", True),
    "worst-agreement.png": ("agreement_delta1", True),
}

_AS_PUBLISHED = ("ssim", "mse", "rmse", "mae", "abs_rel", "log10", "delta1", "delta2", "delta3")


class Table(NamedTuple):
    """One table of summary.md."""

    title: str
    protocol: str
    """Region, threshold, alignment; `{alignment}` is filled in. Always: mean over pictures."""
    columns: tuple[str, ...]


_TABLES = (
    Table(
        "Mask",
        "pairs with something in them, whole picture, cut at .5 from iou to boundary_iou; mad and mse x 1e3; "
        "sad, grad and conn / 1000",
        (
            "iou",
            "f1",
            "precision",
            "recall",
            "boundary_f",
            "boundary_iou",
            "mad",
            "mse",
            "sad",
            "grad",
            "conn",
        ),
    ),
    Table(
        "Empty pairs",
        "pairs with nothing in them, whole picture, cut at .5: share of pixels; share of pairs with a "
        "component over .1 % of the picture",
        ("empty_area", "empty_component"),
    ),
    Table(
        "Depth",
        "metric truth, known pixels of the whole picture, alignment {alignment}; rmse and sq_rel in metres; "
        "boundary_recall against the true mask",
        (
            *("abs_rel", "sq_rel", "rmse", "rmse_log", "log10", "delta1", "delta2", "delta3", "silog"),
            "boundary_recall",
        ),
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
        ("ssim", "thresholded_iou", "soft_dice"),
    ),
    Table(
        "Depth, as the published systems measured",
        "inverse depth: truth stretched to [0, 1], prediction fitted to it by scale and shift, 1/255 the "
        "least",
        tuple(f"published_{name}" for name in _AS_PUBLISHED),
    ),
    Table(
        "Teacher agreement",
        "the depth truth comes from a network, so this is agreement and not accuracy; inverse depth: truth "
        "stretched to [0, 1], prediction fitted to it by scale and shift, 1/255 the least",
        tuple(f"agreement_{name}" for name in _AS_PUBLISHED),
    ),
)


def write(
    out: Path, rows: list[dict], summary: dict[str, Any], files: dict[str, bytes], *, force: bool
) -> None:
    """Commit pictures.csv, `files` by name, summary.md and, last, summary.json."""
    out.mkdir(parents=True, exist_ok=True)
    write_bytes(out / ROWS, rows_csv(rows), force=force)
    for name, data in files.items():
        write_bytes(out / name, data, force=force)
    write_bytes(out / TABLE, markdown(summary).encode(), force=force)
    write_json(out / SUMMARY, summary, force=force)


def rows_csv(rows: list[dict]) -> bytes:
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
    lines = [
        f"## {table.title}\n",
        f"Protocol: {table.protocol.format(alignment=summary['alignment'])}; mean over pictures.\n",
        f"| predictor | {' | '.join(table.columns)} |",
        f"|---|{'---:|' * len(table.columns)}",
        *(f"| {name} | {_numbers(found, table.columns)} |" for name, found in means.items()),
        "",
    ]
    return "\n".join(lines)


def _numbers(found: dict[str, float], columns: Sequence[str]) -> str:
    values = (found.get(name) for name in columns)
    return " | ".join("–" if v is None else f"{v:.4f}" if abs(v) < 10 else f"{v:.1f}" for v in values)


def sheets(predictor: Predictor, samples: Dataset | Sequence[Sample], rows: list[dict]) -> dict[str, bytes]:
    """Contact sheets by file name, PNG: the worst pictures by each measure, and random ones (fixed seed)."""
    chosen = {name: _worst(rows, *rule) for name, rule in _WORST.items()}
    chosen["random.png"] = sorted(_random(rows), key=lambda row: row["index"])
    return {name: encode_png(_sheet(predictor, samples, found)) for name, found in chosen.items() if found}


def _worst(rows: list[dict], metric: str, small_is_bad: bool) -> list[dict]:
    ranked = [row for row in rows if metric in row and not np.isnan(row[metric])]
    return sorted(ranked, key=lambda row: row[metric] if small_is_bad else -row[metric])[:_SHEET_ROWS]


def _random(rows: list[dict]) -> list[dict]:
    order = np.random.default_rng(0).permutation(len(rows))[:_SHEET_ROWS]
    return [rows[i] for i in order]


def _sheet(predictor: Predictor, samples: Dataset | Sequence[Sample], rows: list[dict]) -> np.ndarray:
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


def _caption(row: dict) -> str:
    shown = (name for name in ("iou", "empty_area", "delta1", "agreement_delta1") if name in row)
    return "  ".join([row["id"], *(f"{name} {row[name]:.3f}" for name in shown)])
