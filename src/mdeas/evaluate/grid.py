"""Predictions of several runs side by side: one column a run, the truth above the prediction.

Depth is fitted to the truth by scale and shift and shown in the truth's colours. A fit with a negative scale,
which would turn near into far, is replaced by one flat colour.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from mdeas.dataset.dataset import Dataset
from mdeas.depth_fit import fit_line
from mdeas.errors import InputError, UsageError
from mdeas.evaluate.open_model import open_model
from mdeas.evaluate.report import grey
from mdeas.images.codec import write_png
from mdeas.images.sheets import colorize, contact_sheet, robust_range
from mdeas.runtime.choice import ModelChoice
from mdeas.runtime.predictor import Prediction, Predictor
from mdeas.sample import Sample
from mdeas.system.files import quoted, refuse_existing

_FIRST_COLUMN = "background, image"


def write_grid(
    runs: Sequence[str | Path],
    data: str | Path,
    out: str | Path,
    *,
    task: str = "mask",
    split: str = "test",
    count: int = 6,
    force: bool = False,
) -> None:
    """Write the grid of `runs` on samples of a data set as a PNG.

    Input:
        runs: what open_model takes: run folders, .safetensors files, ONNX files, names of models.
        task: "mask" or "depth".
        count: number of samples to show, evenly spread over those of `split` that have a truth to show.
    Errors: those of Dataset and open_model; UsageError E-GRID-TASK (a run does not predict the task);
        InputError E-GRID-EMPTY (no sample has that truth); StorageError E-EXISTS before any work.
    """
    refuse_existing(out, force)
    samples = Dataset(data, split)
    predictors = [_predictor(run, task) for run in runs]
    titles = (_FIRST_COLUMN, *run_titles(runs))
    write_png(out, grid(predictors, titles, list(_chosen(samples, task, count)), task), force=force)


def grid(
    predictors: Sequence[Predictor], titles: Sequence[str], samples: Sequence[Sample], task: str
) -> np.ndarray:
    """uint8 (H, W, 3) RGB: two rows a sample, background and truth above image and predictions.

    Input: titles: of the first column and of each predictor's. Errors: InputError E-GRID-EMPTY.
    """
    if not samples:
        raise InputError("E-GRID-EMPTY", f"no sample has a {task} to show. Choose another split or data set.")
    show = _SHOWN[task]
    rows, captions = [], []
    for sample in samples:
        predictions = [predictor.predict(sample.background, sample.image) for predictor in predictors]
        truth = show(sample, None)
        rows.append([sample.background, *[truth] * len(predictors)])
        rows.append([sample.image, *(show(sample, prediction) for prediction in predictions)])
        captions += [f"{sample.meta['id']}: true {task}", f"predicted {task}"]
    return contact_sheet(rows, titles, captions=captions)


def run_titles(runs: Sequence[str | Path]) -> list[str]:
    """The name of each run; its whole path where two runs have one name."""
    names = [_name(Path(run)) for run in runs]
    return [name if names.count(name) == 1 else str(run) for name, run in zip(names, runs, strict=True)]


def _name(run: Path) -> str:
    """runs/bce is "bce", runs/bce/best-mask.safetensors "bce/best-mask", bce.onnx "bce"."""
    if run.suffix == ".safetensors":
        return f"{run.resolve().parent.name}/{run.stem}"
    return run.resolve().name if run.is_dir() else run.stem


def _predictor(run: str | Path, task: str) -> Predictor:
    found = open_model(ModelChoice(model=run))
    if task not in found.tasks:
        predicted = f"{quoted(run)} predicts {' and '.join(found.tasks)}, not {task}"
        raise UsageError("E-GRID-TASK", f"{predicted}. Leave it out, or change --task.")
    return found


def _chosen(samples: Dataset, task: str, count: int) -> Iterator[Sample]:
    """The first sample with a truth to show in each of `count` equal parts of the samples."""
    for part in np.array_split(np.arange(len(samples)), min(count, len(samples))):
        found = next(filter(_HAS[task], (samples[int(number)] for number in part)), None)
        if found:
            yield found


def _has_mask(sample: Sample) -> bool:
    return sample.mask is not None and bool((sample.mask >= 0.5).any())


def _has_depth(sample: Sample) -> bool:
    return bool(sample.depth_known.any())


def _show_mask(sample: Sample, prediction: Prediction | None) -> np.ndarray:
    """uint8 (H, W, 3): the prediction, or the truth when it is None."""
    assert sample.mask is not None
    return grey(sample.mask if prediction is None else prediction.mask)


def _show_depth(sample: Sample, prediction: Prediction | None) -> np.ndarray:
    """The same for depth, in colours; grey where the truth is unknown."""
    truth, known = sample.inverse_depth, sample.depth_known
    assert truth is not None
    depth = truth if prediction is None else _fitted(prediction.depth, truth, known)
    return colorize(depth, known, ends=robust_range(truth[known]))


def _fitted(depth: np.ndarray, truth: np.ndarray, known: np.ndarray) -> np.ndarray:
    """`depth` fitted to `truth`; the mean of the truth everywhere when the scale is not positive."""
    scale, shift = fit_line(depth[known], truth[known])
    return scale * depth + shift if scale > 0 else np.full_like(truth, truth[known].mean())


_HAS: dict[str, Callable[[Sample], bool]] = {"mask": _has_mask, "depth": _has_depth}
_SHOWN: dict[str, Callable[[Sample, Prediction | None], np.ndarray]] = {
    "mask": _show_mask,
    "depth": _show_depth,
}
