"""Measure a model on a data set, with the no-network baselines beside it."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mdeas.dataset.dataset import Dataset
from mdeas.evaluate import report
from mdeas.evaluate.open_model import open_model
from mdeas.evaluate.report import PictureRow
from mdeas.evaluate.robustness.card import card
from mdeas.metrics.depth import ALIGNMENTS
from mdeas.metrics.mask import cut
from mdeas.metrics.table import depth_metrics, mask_metrics, means
from mdeas.runtime.baselines import BASELINES
from mdeas.runtime.choice import ModelChoice
from mdeas.runtime.predictor import Prediction, Predictor
from mdeas.sample import Sample
from mdeas.system.files import refuse_existing
from mdeas.system.optional import figure_class
from mdeas.system.progress import progress


def evaluate(
    model: ModelChoice,
    data: str | Path,
    out: str | Path,
    *,
    split: str = "test",
    limit: int | None = None,
    alignment: str = "affine-disparity",
    force: bool = False,
) -> dict[str, Any]:
    """Measure `model` and the baselines on a split; write tables, sheets and the robustness card into `out`.

    Input:
        model: an ONNX file, the name of a model or a baseline, a run folder or a .safetensors file.
        data: folder of a data set. Samples may have any size; those without mask or depth skip its metrics.
        limit: number of samples to measure, the first ones; None = all.
        alignment: of depth, one of metrics.depth.ALIGNMENTS.
    Output: the content of summary.json.
    Errors: those of open_model, Dataset and files.write_bytes; before measuring StorageError (E-EXISTS), or
        UsageError (E-EXTRA) without matplotlib.
    """
    assert alignment in ALIGNMENTS, alignment
    figure_class()
    out = Path(out)
    refuse_existing(out / report.SUMMARY, force)
    samples = Dataset(Path(data), split)
    predictor = open_model(model)
    predictors: list[Predictor] = [predictor, *(b for b in BASELINES.values() if b.name != predictor.name)]
    return evaluate_predictors(
        predictors, samples, out, limit=limit, alignment=alignment, robustness=True, force=force
    )


def evaluate_predictors(
    predictors: Sequence[Predictor],
    samples: Dataset,
    out: Path,
    *,
    limit: int | None = None,
    alignment: str = "affine-disparity",
    facts: dict[str, Any] | None = None,
    robustness: bool = False,
    force: bool = False,
) -> dict[str, Any]:
    """Measure loaded predictors and write the report, which is about the first of them.

    Input: facts: more fields of the summary. robustness: write the robustness card, too.
    Output and errors: as of `evaluate`.
    """
    first, count = predictors[0], min(limit or len(samples), len(samples))
    rows, seconds = measure(predictors, samples, count, alignment)
    data = {"name": samples.path.resolve().name, "split": samples.split, "fingerprint": samples.fingerprint}
    summary = {
        "model": first.name,
        "data": data,
        "alignment": alignment,
        "seconds_per_picture": seconds,
        **summarize(rows, [p.name for p in predictors]),
        **(facts or {}),
    }
    of_first = [row for row in rows if row["predictor"] == first.name]
    files = report.sheets(first, samples, of_first)
    files |= card(first, samples, of_first, summary) if robustness else {}
    report.write(out, rows, summary, files, force=force)
    return summary


def measure(
    predictors: Sequence[Predictor], samples: Dataset | Sequence[Sample], count: int, alignment: str
) -> tuple[list[PictureRow], float]:
    """Measure every predictor on the first `count` samples.

    Output: a row for each picture and predictor; the mean seconds per picture of the first predictor.
    """
    rows: list[PictureRow] = []
    seconds = 0.0
    with progress("measuring", count, unit="pictures") as advance:
        for index in range(count):
            sample = samples[index]
            for predictor in predictors:
                start = time.perf_counter()
                prediction = predictor.predict(sample.background, sample.image)
                seconds += (time.perf_counter() - start) * (predictor is predictors[0])
                row = {"predictor": predictor.name, "index": index, "id": sample.meta.get("id", str(index))}
                rows.append({**row, **score(prediction, sample, predictor.tasks, alignment)})
            advance()
    return rows, seconds / max(count, 1)


def score(prediction: Prediction, sample: Sample, tasks: Sequence[str], alignment: str) -> PictureRow:
    """The metrics of one prediction for which the sample has truth, and the "kind" of the pair.

    Input: tasks: what the predictor predicts.
    """
    row: PictureRow = {"kind": kind(sample)}
    if "mask" in tasks and sample.mask is not None:
        row |= mask_metrics(prediction.mask, sample.mask)
    if "depth" in tasks:
        row |= depth_metrics(prediction.depth, sample, alignment=alignment)
    return row


def kind(sample: Sample) -> str:
    """ "filled": its true mask has a foreground. "empty": it has none. "unmasked": there is no true mask."""
    if sample.mask is None:
        return "unmasked"
    return "filled" if cut(sample.mask).any() else "empty"


def summarize(rows: list[PictureRow], names: Sequence[str]) -> dict[str, Any]:
    """Mean metrics of each predictor over pictures, NaN left out, and the number of pictures by kind."""
    first = [row for row in rows if row["predictor"] == names[0]]
    kinds = {word: sum(row["kind"] == word for row in first) for word in ("filled", "empty", "unmasked")}
    found = {name: means([row for row in rows if row["predictor"] == name]) for name in names}
    return {"num_pictures": {"all": len(first), **kinds}, "predictors": found}
