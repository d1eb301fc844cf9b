"""Compare depth composed from layers with depth that a network predicts for the finished composite."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mdeas.errors import InputError
from mdeas.metrics.depth import abs_rel, align, boundary_recall, delta1
from mdeas.sample import spread

if TYPE_CHECKING:
    from mdeas.create.depth.teacher_depths import TeacherDepths
    from mdeas.create.maker import Maker

NUM_SAMPLES = 16
"""Number of composites compared; they take the default network one minute on two CPU cores."""
_FARTHEST = 0.02  # of the largest inverse depth; lower values are sky, where ratios of depths have no meaning
_LEAST_M = 1e-3  # metric predictions below this are set to it before 1 / depth


def agreement_of(maker: Maker, depths: TeacherDepths) -> dict[str, float | int | None]:
    """Average `agreement` over evenly spread composites of `maker` that have a foreground.

    Input: depths: the depths with which `maker` makes its samples.
    Output: the number of samples, and the mean of each figure to four digits (None = no value is a number);
        {} when no composite has a foreground.
    Errors: those of `depths.of_composites`.
    """
    samples = []
    for index in spread(maker.count, NUM_SAMPLES):
        try:
            sample = maker.make(index)
        except InputError:  # a bad source: `build` reports it
            continue
        if sample.mask is not None and sample.mask.any():
            samples.append(sample)
    rows = []
    for sample, depth in zip(samples, depths.of_composites([s.image for s in samples]), strict=True):
        assert sample.inverse_depth is not None and sample.mask is not None
        inverse_depth = depth if depths.kind == "relative" else 1 / np.maximum(depth, _LEAST_M)
        rows.append(agreement(sample.inverse_depth, inverse_depth, sample.mask))
    if not rows:
        return {}
    found: dict[str, float | int | None] = {"samples": len(rows)}
    for name in rows[0]:
        values = [row[name] for row in rows]
        # Four digits are the same on every machine.
        found[name] = None if np.isnan(values).all() else round(float(np.nanmean(values)), 4)
    return found


def agreement(layered: np.ndarray, composite: np.ndarray, mask: np.ndarray) -> dict[str, float]:
    """Compare two maps of inverse depth of one composite.

    Input: layered, composite: inverse depth, float32 (H, W); mask: float32 (H, W) in [0, 1].
    Output: abs_rel and delta1 of layered against composite after a fit of scale and shift in inverse depth;
        for both maps the boundary recall against the mask's edge, which tells how sharp the depth edge is.
    """
    known = composite > _FARTHEST * composite.max()
    fitted = align(layered, composite, known, "affine-disparity")
    floored = np.maximum(composite, composite[known].min()).astype(np.float64)
    p, z = 1 / fitted[known], 1 / floored[known]
    return {
        "abs_rel": abs_rel(p, z),
        "delta1": delta1(p, z),
        "boundary_recall_layered": boundary_recall(fitted, mask),
        "boundary_recall_composite": boundary_recall(floored, mask),
    }
