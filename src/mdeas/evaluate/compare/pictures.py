"""A few pairs with the prediction of every network: masks above, depth below."""

from collections.abc import Sequence

import numpy as np

from mdeas.dataset.dataset import Dataset
from mdeas.evaluate.report import grey
from mdeas.images.sheets import colorize, contact_sheet, stacked
from mdeas.runtime.predictor import Prediction, Predictor
from mdeas.sample import Sample, spread

ROWS = 6
_CELL = 128
_UNKNOWN = 128  # grey of a mask or depth without truth


def pictures(predictors: Sequence[Predictor], samples: Dataset, count: int) -> np.ndarray:
    """Contact sheets of up to ROWS of the first `count` samples, evenly spread: uint8 (H, W, 3) RGB.

    A network has a column in the sheet of each task that it predicts; a task of no network has no sheet.
    """
    chosen = [samples[number] for number in spread(count, ROWS)]
    found = [[predictor.predict(s.background, s.image) for predictor in predictors] for s in chosen]
    tasks = [task for task in ("mask", "depth") if any(task in predictor.tasks for predictor in predictors)]
    return stacked([_sheet(task, predictors, chosen, found) for task in tasks], tasks)


def _sheet(
    task: str, predictors: Sequence[Predictor], samples: list[Sample], found: list[list[Prediction]]
) -> np.ndarray:
    does = [task in predictor.tasks for predictor in predictors]
    names = [predictor.name for predictor, one in zip(predictors, does, strict=True) if one]
    rows = [
        [sample.background, sample.image, _truth(task, sample)]
        + [_picture(task, prediction) for prediction, one in zip(line, does, strict=True) if one]
        for sample, line in zip(samples, found, strict=True)
    ]
    titles = ["background", "image", f"true {task}", *names]
    return contact_sheet(rows, titles, captions=[s.meta["id"] for s in samples], cell=_CELL)


def _picture(task: str, prediction: Prediction) -> np.ndarray:
    return grey(prediction.mask) if task == "mask" else colorize(prediction.depth)


def _truth(task: str, sample: Sample) -> np.ndarray:
    unknown = np.full_like(sample.image, _UNKNOWN)
    if task == "mask":
        return unknown if sample.mask is None else grey(sample.mask)
    inverse_depth = sample.inverse_depth
    return unknown if inverse_depth is None else colorize(inverse_depth, sample.depth_known)
