"""All metrics by name. A new one is a function in mask.py or depth.py and a row here."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from mdeas.metrics import depth, mask
from mdeas.sample import Sample


@dataclass(frozen=True)
class Metric:
    """One row of METRICS."""

    compute: Callable[..., float]
    task: str
    """ "mask": compute(a, g). "empty": compute(a). "depth": compute(p, z). "published": compute(p, z) on
    inverse depth scaled to [0, 1], as the five systems measured; "published map": the same on (H, W).
    "edges": compute(inverse depth, mask)."""
    better: Literal["higher", "lower"]
    """A metric of which more is better lies in [0, 1]."""
    title: str
    """In tables and plots."""
    digits: str
    """Format of one value in tables."""
    as_published: bool = False
    """Of task "mask": reported apart, because only the published systems measured it."""


METRICS: dict[str, Metric] = {
    "iou": Metric(mask.iou, "mask", "higher", "mask IoU", ".3f"),
    "f1": Metric(mask.f1, "mask", "higher", "mask F1", ".3f"),
    "precision": Metric(mask.precision, "mask", "higher", "mask precision", ".3f"),
    "recall": Metric(mask.recall, "mask", "higher", "mask recall", ".3f"),
    "mad": Metric(mask.mad, "mask", "lower", "MAD", ".1f"),
    "mse": Metric(mask.mse, "mask", "lower", "mask MSE", ".1f"),
    "sad": Metric(mask.sad, "mask", "lower", "SAD", ".2f"),
    "grad": Metric(mask.grad, "mask", "lower", "gradient error", ".2f"),
    "conn": Metric(mask.conn, "mask", "lower", "connectivity error", ".2f"),
    "boundary_f": Metric(mask.boundary_f, "mask", "higher", "boundary F", ".3f"),
    "boundary_iou": Metric(mask.boundary_iou, "mask", "higher", "boundary IoU", ".3f"),
    "ssim": Metric(mask.ssim, "mask", "higher", "mask SSIM", ".3f", as_published=True),
    "thresholded_iou": Metric(
        mask.thresholded_iou, "mask", "higher", "thresholded IoU", ".3f", as_published=True
    ),
    "soft_dice": Metric(mask.soft_dice, "mask", "higher", "soft Dice", ".3f", as_published=True),
    "empty_area": Metric(mask.empty_area, "empty", "lower", "empty-pair area", ".2%"),
    "empty_component": Metric(mask.empty_component, "empty", "lower", "empty pairs with a component", ".2%"),
    "abs_rel": Metric(depth.abs_rel, "depth", "lower", "depth AbsRel", ".3f"),
    "sq_rel": Metric(depth.sq_rel, "depth", "lower", "depth SqRel, m", ".3f"),
    "rmse": Metric(depth.rmse, "depth", "lower", "depth RMSE, m", ".3f"),
    "rmse_log": Metric(depth.rmse_log, "depth", "lower", "depth RMSE log", ".3f"),
    "log10": Metric(depth.log10, "depth", "lower", "depth log10", ".3f"),
    "delta1": Metric(depth.delta1, "depth", "higher", "depth δ1", ".3f"),
    "delta2": Metric(depth.delta2, "depth", "higher", "depth δ2", ".3f"),
    "delta3": Metric(depth.delta3, "depth", "higher", "depth δ3", ".3f"),
    "silog": Metric(depth.silog, "depth", "lower", "depth SILog", ".3f"),
    "boundary_recall": Metric(depth.boundary_recall, "edges", "higher", "SI boundary recall", ".3f"),
    "published_ssim": Metric(mask.ssim, "published map", "higher", "depth SSIM", ".3f"),
    "published_mse": Metric(depth.mse, "published", "lower", "depth MSE", ".3f"),
    "published_rmse": Metric(depth.rmse, "published", "lower", "depth RMSE", ".3f"),
    "published_mae": Metric(depth.mae, "published", "lower", "depth MAE", ".3f"),
    "published_abs_rel": Metric(depth.abs_rel, "published", "lower", "depth AbsRel", ".3f"),
    "published_log10": Metric(depth.log10, "published", "lower", "depth log10", ".3f"),
    "published_delta1": Metric(depth.delta1, "published", "higher", "depth δ1", ".3f"),
    "published_delta2": Metric(depth.delta2, "published", "higher", "depth δ2", ".3f"),
    "published_delta3": Metric(depth.delta3, "published", "higher", "depth δ3", ".3f"),
}
"""By the name in the rows and means of an evaluation, in the order of their columns. Where the truth comes
from a network, `agreement_` stands in place of `published_`."""

AGREEMENT, PUBLISHED = "agreement_", "published_"


def metric_of(column: str) -> Metric:
    """The row of METRICS that a column of an evaluation comes from, `agreement_*` included."""
    return METRICS[column.replace(AGREEMENT, PUBLISHED)]


def title_of(column: str) -> str:
    """What tables and plots call a column of an evaluation, `agreement_*` included."""
    return metric_of(column).title + (", teacher's" if column.startswith(AGREEMENT) else "")


def of_task(task: str) -> dict[str, Callable[..., float]]:
    """The functions of one task by name."""
    return {name: metric.compute for name, metric in METRICS.items() if metric.task == task}


def mask_metrics(prediction: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """All mask metrics of one picture.

    Input: prediction, truth: float32 (H, W) alpha in [0, 1].
    Output: the "mask" rows of METRICS, or the "empty" rows alone when no pixel of the truth reaches .5: a
        pair with nothing in it scores 0 or 1 by overlap, which would hide in a mean.
    """
    if not mask.cut(truth).any():
        return {name: compute(prediction) for name, compute in of_task("empty").items()}
    return {name: compute(prediction, truth) for name, compute in of_task("mask").items()}


def depth_metrics(
    prediction: np.ndarray, sample: Sample, *, alignment: str = "affine-disparity"
) -> dict[str, float]:
    """All depth metrics of one picture.

    Input:
        prediction: float32 (H, W) inverse depth, larger = nearer.
        sample: the truth; its mask, when known, splits the picture into regions.
        alignment: one of depth.ALIGNMENTS, fitted once over all known pixels.
    Output: for metric truth the "depth" rows of METRICS over the whole picture and, as NAME_foreground,
        NAME_background and NAME_band, over the regions (NaN where a region is empty), `boundary_recall`, and
        the "published" rows. For relative truth, which comes from a network, the published rows alone, named
        agreement_* instead: agreement with the teacher, not accuracy. {} when no depth is known.
    """
    known, truth = sample.depth_known, sample.inverse_depth
    if sample.depth is None or truth is None or not known.any():
        return {}
    if sample.depth_kind == "relative":
        return _published(prediction, truth, known, AGREEMENT)
    aligned = depth.align(prediction, truth, known, alignment)
    found = _by_region(1 / aligned, sample.depth.astype(np.float64), depth.regions(sample.mask, known))
    if sample.mask is not None:
        found["boundary_recall"] = depth.boundary_recall(aligned, sample.mask)
    return {**found, **_published(prediction, truth, known, PUBLISHED)}


def _by_region(p: np.ndarray, z: np.ndarray, areas: dict[str, np.ndarray]) -> dict[str, float]:
    found = {}
    for region, area in areas.items():
        inside = (p[area], z[area])
        for name, compute in of_task("depth").items():
            key = name if region == "all" else f"{name}_{region}"
            found[key] = compute(*inside) if len(inside[0]) else float("nan")
    return found


def _published(prediction: np.ndarray, truth: np.ndarray, known: np.ndarray, prefix: str) -> dict[str, float]:
    """Metrics on [0, 1] pictures: truth stretched to its range, prediction fitted to it, 1/255 the least."""
    p, z = depth.to_unit(prediction, truth, known)
    found = {name: compute(p[known], z[known]) for name, compute in of_task("published").items()}
    found |= {name: compute(p * known, z * known) for name, compute in of_task("published map").items()}
    return {name.replace(PUBLISHED, prefix): value for name, value in found.items()}


def means(rows: Sequence[Mapping[str, object]]) -> dict[str, float]:
    """The mean over pictures of each metric; NaN, and values that are no float, are left out.

    Example:
        >>> means([{"id": "a", "iou": 0.5}, {"id": "b", "iou": 1.0}, {"id": "c", "empty_area": 0.25}])
        {'iou': 0.75, 'empty_area': 0.25}
    """
    names = dict.fromkeys(name for row in rows for name, value in row.items() if isinstance(value, float))
    columns = {name: np.array([row[name] for row in rows if name in row]) for name in names}
    return {name: float(np.nanmean(c)) for name, c in columns.items() if not np.isnan(c).all()}
