"""Measure predictors on the same pairs at every level of every disturbance."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from mdeas.dataset.dataset import Dataset
from mdeas.evaluate.robustness.disturbances import DISTURBANCES
from mdeas.metrics.depth import align, to_unit
from mdeas.metrics.mask import cut
from mdeas.metrics.table import means, metric_of
from mdeas.runtime.predictor import Prediction, Predictor
from mdeas.sample import Sample
from mdeas.system.progress import progress

PROTOCOLS = {
    "iou": "pairs with something in them, whole picture, cut at .5",
    "boundary_f": "the same pairs, outlines of the masks cut at .5",
    "mad": "the same pairs, mean absolute difference × 1000",
    "empty_area": "pairs with nothing in them, share of pixels at .5 or more",
    "delta1": "pairs with metric depth, known pixels, alignment {alignment}",
    "agreement_delta1": (
        "pairs whose depth a network made, agreement with it, inverse depth fitted by scale and shift"
    ),
}
"""The metrics of the card, in their order, and what each is measured on; `{alignment}` is filled in."""

Scores = dict[str, float]
"""Metrics by name, as an evaluation calls them."""


class Cell(NamedTuple):
    """What a mean belongs to."""

    disturbance: str
    level: str
    """A label of the disturbance."""
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

    Input: numbers: places in `samples` of pairs with a true mask; alignment: see metrics.depth.align.
    """
    found = defaultdict(list)
    with progress("robustness card", len(numbers), unit="pairs") as advance:
        for number in numbers:
            for cell, scores in _of_pair(predictors, samples[number], number, alignment):
                found[cell].append(scores)
            advance()
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
    """The card's metrics of one pair. All metrics of an evaluation would take ten times as long.

    Input: sample: with a mask.
    """
    found = _of_mask(prediction.mask, sample.mask) if "mask" in tasks else {}
    return found | (_of_depth(prediction.depth, sample, alignment) if "depth" in tasks else {})


def _of_mask(mask: np.ndarray, truth: np.ndarray | None) -> Scores:
    assert truth is not None
    if not cut(truth).any():
        return {name: compute(mask) for name, compute in _on_card("empty")}
    return {name: compute(mask, truth) for name, compute in _on_card("mask")}


def _of_depth(inverse_depth: np.ndarray, sample: Sample, alignment: str) -> Scores:
    known, truth = sample.depth_known, sample.inverse_depth
    if sample.depth is None or truth is None or not known.any():
        return {}
    if sample.depth_kind == "relative":
        p, z = to_unit(inverse_depth, truth, known)
        return {name: compute(p[known], z[known]) for name, compute in _on_card("published")}
    p, z = 1 / align(inverse_depth, truth, known, alignment), sample.depth.astype(np.float64)
    return {name: compute(p[known], z[known]) for name, compute in _on_card("depth")}


def _on_card(task: str) -> list[tuple[str, Callable[..., float]]]:
    """(name, function) of the card's metrics of one task, see Metric.task."""
    return [(name, metric_of(name).compute) for name in PROTOCOLS if metric_of(name).task == task]
