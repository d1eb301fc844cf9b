"""The robustness card in words and numbers: Markdown and CSV."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from mdeas.evaluate.robustness.disturbances import DISTURBANCES
from mdeas.evaluate.robustness.measure import Cell, Means
from mdeas.runtime.baselines import BASELINES
from mdeas.system.files import csv_bytes


class Column(NamedTuple):
    """What a metric of Scores is called, and how it is shown."""

    title: str
    digits: str
    """Format of one value."""
    protocol: str
    """What it is measured on; `{alignment}` is filled in."""


COLUMNS = {
    "iou": Column("mask IoU", ".3f", "pairs with something in them, whole picture, cut at .5"),
    "boundary_f": Column("boundary F", ".3f", "the same pairs, outlines of the masks cut at .5"),
    "mad": Column("MAD", ".1f", "the same pairs, mean absolute difference × 1000"),
    "empty_area": Column(
        "empty-pair area", ".2%", "pairs with nothing in them, share of pixels at .5 or more"
    ),
    "delta1": Column("depth δ1", ".3f", "pairs with metric depth, known pixels, alignment {alignment}"),
    "agreement_delta1": Column(
        "depth δ1, teacher's",
        ".3f",
        "pairs whose depth a network made, agreement with it, inverse depth fitted by scale and shift",
    ),
}

_HEAD = """\
# Robustness of {model} on {name}, split {split}

{pairs} pairs with a true mask, evenly spread: {filled} with something in them, {empty} empty.
Mean over pictures. Data {fingerprint:.12}.

`none` is the pair as it is. Every other level changes one thing, but neither the true mask nor the
true depth; directions and noise are drawn from the pair's place in the split. Noise and JPEG are of
the photos' own pixels, the other levels mean the same at any size.

{protocols}

![figures against levels]({plot})

[One pair at every level]({pictures})
"""


def columns(means: Means) -> list[str]:
    """The metrics of COLUMNS that some predictor has."""
    there = {name for scores in means.values() for name in scores}
    return [name for name in COLUMNS if name in there]


def predictors(means: Means) -> list[str]:
    """The names of the predictors, the first one first."""
    return list(dict.fromkeys(cell.predictor for cell in means))


def title(predictor: str) -> str:
    """What tables and plots call a predictor."""
    return BASELINES[predictor].title if predictor in BASELINES else predictor


def values(means: Means, disturbance: str, predictor: str, metric: str) -> list[float]:
    """One figure a level, in their order; [] where the predictor has none."""
    labels = DISTURBANCES[disturbance].labels
    found = [means[Cell(disturbance, label, predictor)] for label in labels]
    return [scores[metric] for scores in found if metric in scores]


def markdown(means: Means, facts: dict[str, Any]) -> str:
    """One table a disturbance: a line a metric and predictor, a column a level.

    Input: facts: what _HEAD names.
    """
    shown = [COLUMNS[name] for name in columns(means)]
    protocols = "\n".join(f"- {one.title}: {one.protocol.format(**facts)}." for one in shown)
    sections = [f"## {name}: {row.about}\n\n{_table(means, name)}" for name, row in DISTURBANCES.items()]
    return "\n".join([_HEAD.format(**facts, protocols=protocols), *sections])


def _table(means: Means, disturbance: str) -> str:
    labels = DISTURBANCES[disturbance].labels
    lines = [
        f"| {DISTURBANCES[disturbance].unit} | {' | '.join(labels)} |",
        f"|---|{'---:|' * len(labels)}",
    ]
    return "\n".join([*lines, *_lines(means, disturbance), ""])


def _lines(means: Means, disturbance: str) -> Iterator[str]:
    first = predictors(means)[0]
    for metric in columns(means):
        for predictor in predictors(means):
            found = values(means, disturbance, predictor, metric)
            if found:
                whose = "" if predictor == first else f", {title(predictor)}"
                shown = (format(value, COLUMNS[metric].digits) for value in found)
                yield f"| {COLUMNS[metric].title}{whose} | {' | '.join(shown)} |"


def csv(means: Means) -> bytes:
    """One line a disturbance, level and predictor, with all digits."""
    names = [*Cell._fields, *columns(means)]
    return csv_bytes(names, ({**cell._asdict(), **scores} for cell, scores in means.items()))
