"""How labels assembled from layers differ from those of a network that saw the whole composite."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mdeas.errors import InputError
from mdeas.metrics.depth import abs_rel, align, boundary_recall, delta1
from mdeas.sample import Sample, spread

if TYPE_CHECKING:
    from mdeas.create.depth.teacher_depths import TeacherDepths
    from mdeas.create.maker import Maker

NUM_SAMPLES = 16
"""Composites that the network is shown beside the layers: a minute of the real network on two CPU cores."""
_FARTHEST = 0.02  # of the nearest: inverse depth below is the sky, where a ratio of depths means nothing
_LEAST_M = 1e-3


def agreement_of(maker: Maker, depths: TeacherDepths) -> dict[str, float | int]:
    """Means of `agreement` over composites of `maker` that are spread evenly and hold something; {} if none.

    Input: depths: those with which it makes the samples' depth. Errors: as of their `of_composites`.
    """
    samples = [sample for sample in _spread(maker) if sample.mask is not None and sample.mask.any()]
    seen = depths.of_composites([sample.image for sample in samples])
    rows = [_of_sample(sample, depth) for sample, depth in zip(samples, seen, strict=True)]
    if not rows:
        return {}
    return {"samples": len(rows)} | {name: _mean([row[name] for row in rows]) for name in rows[0]}


def _spread(maker: Maker) -> list[Sample]:
    numbers = spread(maker.count, NUM_SAMPLES)
    return [sample for number in numbers if (sample := _made(maker, number))]


def _made(maker: Maker, number: int) -> Sample | None:
    try:
        return maker.make(number)
    except InputError:  # a bad source: `build` says so, or leaves it out
        return None


def _of_sample(sample: Sample, depth: np.ndarray) -> dict[str, float]:
    inverse = depth if sample.depth_kind == "relative" else 1 / np.maximum(depth, _LEAST_M)
    assert sample.inverse_depth is not None and sample.mask is not None
    return agreement(sample.inverse_depth, inverse, sample.mask)


def agreement(layered: np.ndarray, composite: np.ndarray, mask: np.ndarray) -> dict[str, float]:
    """One composite's labels against each other.

    Input: inverse depth, float32 (H, W) each; mask: float32 (H, W).
    Output: abs_rel and delta1 of layered against composite after a fit of scale and shift in inverse depth;
        the boundary recall of each against the mask's own edge, which says how sharp it is there.
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


def _mean(values: list[float]) -> Any:
    """To four digits, which other machines share; None where no value is a number."""
    return None if np.isnan(values).all() else round(float(np.nanmean(values)), 4)
