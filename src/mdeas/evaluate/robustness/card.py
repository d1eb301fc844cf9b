"""The robustness card of an evaluation: how the figures change when one thing after the other goes wrong."""

from collections.abc import Sequence
from typing import Any

from mdeas.dataset.dataset import Dataset
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
MOST_PAIRS = 50
"""So that a card of 224-pixel photos takes about as long as the tables of 500 pictures."""

Row = dict[str, Any]
"""One picture in an evaluation: "index", "kind" and its metrics."""


def card(
    predictor: Predictor, samples: Dataset | Sequence[Sample], rows: Sequence[Row], summary: dict[str, Any]
) -> dict[str, bytes]:
    """The files of the card by name; none when no pair has a true mask.

    Input: rows, summary: of the evaluation of `predictor` on `samples`.
    """
    chosen = _spread([row for row in rows if row["kind"] != "unmasked"])
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


def _spread(rows: list[Row]) -> list[Row]:
    """At most MOST_PAIRS of the rows, evenly spread."""
    return [rows[place] for place in spread(len(rows), MOST_PAIRS)]


def _typical(rows: list[Row]) -> Row:
    """The row with the middle IoU; the first one when none has any."""
    ranked = sorted((row for row in rows if "iou" in row), key=lambda row: row["iou"])
    return ranked[len(ranked) // 2] if ranked else rows[0]


def _facts(chosen: list[Row], summary: dict[str, Any]) -> dict[str, Any]:
    """What the table's head says of the measurement."""
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
