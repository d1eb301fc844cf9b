"""One pair at every level of every disturbance, with its predictions."""

import numpy as np

from mdeas.evaluate.report import grey
from mdeas.evaluate.robustness.disturbances import DISTURBANCES, Disturbance
from mdeas.images.sheets import colorize, contact_sheet, stacked
from mdeas.runtime.predictor import Predictor
from mdeas.sample import Sample

_CELL = 112
_GAP = 24  # between the two columns, pixels
_PAPER = 255


def pictures(predictor: Predictor, sample: Sample, place: int) -> np.ndarray:
    """uint8 (H, W, 3) RGB: a block a disturbance, in it a column a level; the blocks in two columns.

    Input: sample: with a mask; place: its own in the split, see Disturbance.disturbed.
    """
    captions = [f"{name}: {one.about}, {one.unit}" for name, one in DISTURBANCES.items()]
    blocks = [_block(predictor, sample, place, disturbance) for disturbance in DISTURBANCES.values()]
    half = (len(blocks) + 1) // 2
    left, right = stacked(blocks[:half], captions[:half]), stacked(blocks[half:], captions[half:])
    margin = ((0, left.shape[0] - right.shape[0]), (_GAP, 0), (0, 0))
    return np.hstack([left, np.pad(right, margin, constant_values=_PAPER)])


def _block(predictor: Predictor, sample: Sample, place: int, disturbance: Disturbance) -> np.ndarray:
    seen = [disturbance.disturbed(sample, level, place) for level in disturbance.levels]
    columns = [_column(predictor, one) for one in seen]
    rows = list(zip(*(column.values() for column in columns), strict=True))
    return contact_sheet(rows, disturbance.labels, captions=list(columns[0]), cell=_CELL)


def _column(predictor: Predictor, sample: Sample) -> dict[str, np.ndarray]:
    """The photos and the predictions of the predictor's tasks, by caption."""
    prediction = predictor.predict(sample.background, sample.image)
    shown = {"mask": grey(prediction.mask), "depth": colorize(prediction.depth)}
    found = {f"predicted {task}": shown[task] for task in predictor.tasks}
    return {"background": sample.background, "image": sample.image, **found}
