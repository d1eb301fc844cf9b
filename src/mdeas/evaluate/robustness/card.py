"""The robustness card of an evaluation: how metrics change under one disturbance at a time."""

from collections.abc import Sequence
from typing import Any

from mdeas.dataset.dataset import Dataset
from mdeas.evaluate.report import PictureRow
from mdeas.evaluate.robustness import table
from mdeas.evaluate.robustness.figure import figure
from mdeas.evaluate.robustness.measure import measure
from mdeas.evaluate.robustness.pictures import pictures
from mdeas.images.codec import encode_png
from mdeas.runtime.baselines import BASELINES
from mdeas.runtime.predictor import Predictor
from mdeas.sample import Sample, spread

TABLE, ROWS = "robustness.md", "robustness.csv"
PLOT, PICTURES = "robustness.png", "robustness-pictures.png"
MAX_PAIRS = 50
"""With these a card of 224-pixel photos takes about as long as the tables of 500 pictures."""


def card(
    predictor: Predictor,
    samples: Dataset | Sequence[Sample],
    rows: Sequence[PictureRow],
    summary: dict[str, Any],
) -> dict[str, bytes]:
    """The files of the card by name; none when no pair has a true mask.

    Input: rows, summary: of the evaluation of `predictor` on `samples`.
    """
    chosen = _chosen(rows)
    if not chosen:
        return {}
    predictors = list({p.name: p for p in (predictor, BASELINES["difference"])}.values())
    means = measure(predictors, samples, [row["index"] for row in chosen], summary["alignment"])
    shown = _typical(chosen)["index"]
    return {
        ROWS: table.csv(means),
        PLOT: encode_png(figure(means)),
        PICTURES: encode_png(pictures(predictor, samples[shown], shown)),
        TABLE: table.markdown(means, _facts(chosen, summary)).encode(),
    }


def _chosen(rows: Sequence[PictureRow]) -> list[PictureRow]:
    """At most MAX_PAIRS of the rows whose pair has a true mask, evenly spread."""
    masked = [row for row in rows if row["kind"] != "unmasked"]
    return [masked[number] for number in spread(len(masked), MAX_PAIRS)]


def _typical(rows: list[PictureRow]) -> PictureRow:
    """The row with the median IoU; the first row when none has an IoU."""
    ranked = sorted((row for row in rows if "iou" in row), key=lambda row: row["iou"])
    return ranked[len(ranked) // 2] if ranked else rows[0]


def _facts(chosen: list[PictureRow], summary: dict[str, Any]) -> dict[str, Any]:
    """The fields of the head of robustness.md."""
    kinds = [row["kind"] for row in chosen]
    return {
        **summary["data"],
        **{kind: kinds.count(kind) for kind in ("filled", "empty")},
        "model": summary["model"],
        "alignment": summary["alignment"],
        "pairs": len(chosen),
        "plot": PLOT,
        "pictures": PICTURES,
    }
