"""The robustness card as Markdown and CSV."""

from collections.abc import Iterator
from typing import Any

from mdeas.evaluate.robustness.disturbances import DISTURBANCES
from mdeas.evaluate.robustness.measure import PROTOCOLS, Cell, Means
from mdeas.metrics.table import metric_of, title_of
from mdeas.runtime.baselines import BASELINES
from mdeas.system.files import csv_bytes
from mdeas.system.markdown import aligned_table

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
    """The metrics of PROTOCOLS that at least one predictor has."""
    measured = {name for scores in means.values() for name in scores}
    return [name for name in PROTOCOLS if name in measured]


def predictors(means: Means) -> list[str]:
    """The names of the predictors, the measured one first."""
    return list(dict.fromkeys(cell.predictor for cell in means))


def title(predictor: str) -> str:
    """What tables and plots call a predictor."""
    return BASELINES[predictor].title if predictor in BASELINES else predictor


def values(means: Means, disturbance: str, predictor: str, metric: str) -> list[float]:
    """The mean at each level, in order; [] when the predictor does not have the metric."""
    labels = DISTURBANCES[disturbance].labels
    found = [means[Cell(disturbance, label, predictor)] for label in labels]
    return [scores[metric] for scores in found if metric in scores]


def markdown(means: Means, facts: dict[str, Any]) -> str:
    """One table for each disturbance: a line for each metric and predictor, a column for each level.

    Input: facts: the fields of _HEAD.
    """
    protocols = "\n".join(
        f"- {title_of(name)}: {PROTOCOLS[name].format(**facts)}." for name in columns(means)
    )
    sections = [f"## {name}: {row.about}\n\n{_table(means, name)}" for name, row in DISTURBANCES.items()]
    return "\n".join([_HEAD.format(**facts, protocols=protocols), *sections])


def _table(means: Means, disturbance: str) -> str:
    row = DISTURBANCES[disturbance]
    return aligned_table([row.unit, *row.labels], _rows(means, disturbance)) + "\n"


def _rows(means: Means, disturbance: str) -> Iterator[list[str]]:
    first = predictors(means)[0]
    for metric in columns(means):
        for predictor in predictors(means):
            found = values(means, disturbance, predictor, metric)
            if found:
                whose = "" if predictor == first else f", {title(predictor)}"
                yield [title_of(metric) + whose, *(format(v, metric_of(metric).digits) for v in found)]


def csv(means: Means) -> bytes:
    """One line a disturbance, level and predictor, with all digits."""
    names = [*Cell._fields, *columns(means)]
    return csv_bytes(names, ({**cell._asdict(), **scores} for cell, scores in means.items()))
