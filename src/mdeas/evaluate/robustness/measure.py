"""The figures of the card: a predictor on the same pairs at every level of every disturbance."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.progress import track

from mdeas.dataset.dataset import Dataset
from mdeas.evaluate.robustness.disturbances import DISTURBANCES
from mdeas.metrics.depth import align, to_unit
from mdeas.metrics.mask import cut
from mdeas.metrics.table import METRICS, means
from mdeas.runtime.predictor import Prediction, Predictor
from mdeas.sample import Sample

Scores = dict[str, float]
"""Metrics by name, as an evaluation calls them."""


class Cell(NamedTuple):
    """What a figure belongs to."""

    disturbance: str
    level: str
    """As Disturbance.label says it."""
    predictor: str


Means = dict[Cell, Scores]
"""The mean of each metric over the pairs that have it."""


def measure(
    predictors: Sequence[Predictor],
    samples: Dataset | Sequence[Sample],
    numbers: Sequence[int],
    alignment: str,
) -> Means:
    """Measure every predictor at every level.

    Input: numbers: places in `samples` of pairs with a true mask; alignment: see metrics_depth.align.
    """
    found = defaultdict(list)
    for number in track(numbers, "disturbing", console=Console(stderr=True)):
        for cell, scores in _of_pair(predictors, samples[number], number, alignment):
            found[cell].append(scores)
    return {cell: means(scores) for cell, scores in found.items()}


def _of_pair(
    predictors: Sequence[Predictor], sample: Sample, number: int, alignment: str
) -> Iterator[tuple[Cell, Scores]]:
    plain = _of_each(predictors, sample, alignment)
    for name, disturbance in DISTURBANCES.items():
        for level in disturbance.levels:
            seen = disturbance.disturbed(sample, level, number)
            scores = plain if seen is sample else _of_each(predictors, seen, alignment)
            for predictor, of_one in scores.items():
                yield Cell(name, disturbance.label(level), predictor), of_one


def _of_each(predictors: Sequence[Predictor], sample: Sample, alignment: str) -> dict[str, Scores]:
    """Scores by the predictor's name."""
    return {
        predictor.name: score(
            predictor.predict(sample.background, sample.image), sample, predictor.tasks, alignment
        )
        for predictor in predictors
    }


def score(prediction: Prediction, sample: Sample, tasks: Sequence[str], alignment: str) -> Scores:
    """The card's metrics of one pair, as an evaluation has them; all of its metrics take ten times as long.

    Input: sample: with a mask.
    """
    found = _of_mask(prediction.mask, sample.mask) if "mask" in tasks else {}
    return found | (_of_depth(prediction.depth, sample, alignment) if "depth" in tasks else {})


def _of_mask(mask: np.ndarray, truth: np.ndarray | None) -> Scores:
    assert truth is not None
    if not cut(truth).any():
        return {"empty_area": METRICS["empty_area"].compute(mask)}
    return {name: METRICS[name].compute(mask, truth) for name in ("iou", "boundary_f", "mad")}


def _of_depth(inverse_depth: np.ndarray, sample: Sample, alignment: str) -> Scores:
    known, truth = sample.depth_known, sample.inverse_depth
    if sample.depth is None or truth is None or not known.any():
        return {}
    if sample.depth_kind == "relative":
        p, z = to_unit(inverse_depth, truth, known)
        return {"agreement_delta1": METRICS["published_delta1"].compute(p[known], z[known])}
    depth_m = 1 / align(inverse_depth, truth, known, alignment)
    return {"delta1": METRICS["delta1"].compute(depth_m[known], sample.depth[known].astype(np.float64))}
