"""Depth metrics of one picture.

Everywhere: z = truth and p = prediction, float64 (N,) in metres over known pixels, after the alignment. Every
function of (p, z) returns one float and has a row in table.METRICS.
"""

import cv2
import numpy as np

from mdeas.depth_fit import fit_line

ALIGNMENTS = ("none", "median", "affine-disparity")
REGIONS = ("all", "foreground", "background", "band")
_BAND_PX = 5
_FARTHEST = 1.5


def abs_rel(p: np.ndarray, z: np.ndarray) -> float:
    """Mean |p - z| / z: divided by the truth."""
    return float((np.abs(p - z) / z).mean())


def sq_rel(p: np.ndarray, z: np.ndarray) -> float:
    """Mean (p - z)^2 / z, metres."""
    return float((np.square(p - z) / z).mean())


def rmse(p: np.ndarray, z: np.ndarray) -> float:
    """Root of the mean (p - z)^2, metres."""
    return float(np.sqrt(np.square(p - z).mean()))


def mae(p: np.ndarray, z: np.ndarray) -> float:
    """Mean |p - z|."""
    return float(np.abs(p - z).mean())


def mse(p: np.ndarray, z: np.ndarray) -> float:
    """Mean (p - z)^2."""
    return float(np.square(p - z).mean())


def rmse_log(p: np.ndarray, z: np.ndarray) -> float:
    """Root of the mean (ln p - ln z)^2."""
    return float(np.sqrt(np.square(np.log(p / z)).mean()))


def log10(p: np.ndarray, z: np.ndarray) -> float:
    """Mean |log10 p - log10 z|."""
    return float(np.abs(np.log10(p / z)).mean())


def delta1(p: np.ndarray, z: np.ndarray) -> float:
    """Share of pixels with max(p/z, z/p) below 1.25.

    Example:
        >>> delta1(np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.0, 2.0, 3.0, 8.0]))
        0.75
    """
    return _share_below(p, z, 1.25)


def delta2(p: np.ndarray, z: np.ndarray) -> float:
    """Share of pixels with max(p/z, z/p) below 1.25^2."""
    return _share_below(p, z, 1.25**2)


def delta3(p: np.ndarray, z: np.ndarray) -> float:
    """Share of pixels with max(p/z, z/p) below 1.25^3."""
    return _share_below(p, z, 1.25**3)


def _share_below(p: np.ndarray, z: np.ndarray, ratio: float) -> float:
    return float((np.maximum(p / z, z / p) < ratio).mean())


def silog(p: np.ndarray, z: np.ndarray) -> float:
    """sqrt(mean e^2 - .5 (mean e)^2), e = ln p - ln z."""
    e = np.log(p / z)
    return float(np.sqrt(np.square(e).mean() - 0.5 * e.mean() ** 2))


def align(prediction: np.ndarray, truth: np.ndarray, known: np.ndarray, alignment: str) -> np.ndarray:
    """Bring a predicted inverse depth to the truth's scale.

    Input:
        prediction: float32 (H, W) inverse depth.
        truth: float32 (H, W) inverse depth, 1/m where `known`, bool (H, W) with at least one True.
        alignment: "none": taken as 1/m. "median": scaled so that the medians of depth agree.
            "affine-disparity": scale and shift by least squares in inverse depth.
    Output: float64 (H, W) inverse depth in 1/m, clipped under every alignment so that no depth exceeds 1.5 x
        the farthest truth: a prediction of 0 or less is no depth.
    """
    p, d = prediction.astype(np.float64), truth.astype(np.float64)
    farthest = _FARTHEST / d[known].min()
    if alignment == "affine-disparity":
        scale, shift = fit_line(p[known], d[known])
        p = scale * p + shift
    elif alignment == "median":
        positive = np.maximum(p, np.finfo(np.float32).tiny)
        p = p * (np.median(1 / positive[known]) / np.median(1 / d[known]))
    return np.maximum(p, 1 / farthest)


def to_unit(prediction: np.ndarray, truth: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both as the grey pictures that the five systems compared.

    Input: inverse depth, float32 (H, W) each; known: bool (H, W) with at least one True.
    Output: prediction and truth, float64 (H, W) in [1/255, 1]: truth stretched from its least to its largest
        known value, prediction fitted to that by scale and shift.
    """
    p, d = prediction.astype(np.float64), truth.astype(np.float64)
    low, high = d[known].min(), d[known].max()
    d = (d - low) / (high - low) if high > low else np.ones_like(d)
    scale, shift = fit_line(p[known], d[known])
    return np.clip(scale * p + shift, 1 / 255, 1), np.clip(d, 1 / 255, 1)


def regions(mask: np.ndarray | None, known: np.ndarray) -> dict[str, np.ndarray]:
    """Known pixels of each of REGIONS.

    Input: mask: float32 (H, W) truth in [0, 1] or None; known: bool (H, W).
    Output: bool (H, W) by name; "all" alone without a mask. foreground: mask >= .5; band: within 5 pixels of
        the mask's outline, on both sides.
    """
    if mask is None:
        return {"all": known}
    inside = mask >= 0.5
    areas = {"all": True, "foreground": inside, "background": ~inside, "band": _band(inside)}
    return {name: known & area for name, area in areas.items()}


def _band(inside: np.ndarray) -> np.ndarray:
    if inside.all() or not inside.any():
        return np.zeros_like(inside)
    to_outside, to_inside = (
        cv2.distanceTransform(area.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        for area in (inside, ~inside)
    )
    return np.maximum(to_outside, to_inside) <= _BAND_PX


def boundary_recall(inverse_depth: np.ndarray, mask: np.ndarray) -> float:
    """Scale-invariant boundary recall of Depth Pro (arXiv 2410.02073) against a mask.

    Input: inverse_depth: float64 (H, W) > 0, aligned; mask: float32 (H, W) truth, edges at alpha > .1.
    Output: in [0, 1], NaN when the mask has no edge. For each of four directions, the share of the mask's
        edges where the nearer side is nearer by more than the ratio t and most so in its run of such pixels;
        weighted over ten t from 1.05 to 1.25. A direction without edges counts 0, as published.
    """
    inside = mask > 0.1
    directions = [
        (near_depth / far_depth, near & ~far)
        for axis in (0, 1)
        for (near_depth, far_depth), (near, far) in zip(
            _neighbours(inverse_depth, axis), _neighbours(inside, axis), strict=True
        )
    ]
    if not any(edges.any() for _, edges in directions):
        return float("nan")
    thresholds = np.linspace(1.05, 1.25, 10)
    recalls = [np.mean([_recall(*direction, t) for direction in directions]) for t in thresholds]
    return float(np.average(recalls, weights=thresholds))


def _neighbours(array: np.ndarray, axis: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Each pixel beside its neighbour along `axis`, both ways round, with `axis` turned along the rows."""
    turned = array if axis else array.T
    after, before = turned[:, 1:], turned[:, :-1]
    return [(after, before), (before, after)]


def _recall(ratios: np.ndarray, edges: np.ndarray, threshold: float) -> float:
    count = np.count_nonzero(edges)
    return np.count_nonzero(edges & _thinned(ratios, threshold)) / count if count else 0.0


def _thinned(ratios: np.ndarray, threshold: float) -> np.ndarray:
    """bool: ratios over the threshold that are the largest, the first of equals, in their run along a row."""
    rows, columns = np.nonzero(ratios > threshold)
    kept = np.zeros(ratios.shape, bool)
    if not len(rows):
        return kept
    starts = np.r_[True, (np.diff(rows) != 0) | (np.diff(columns) != 1)]
    values, run = ratios[rows, columns], np.cumsum(starts) - 1
    best = np.flatnonzero(values == np.maximum.reduceat(values, np.flatnonzero(starts))[run])
    first = best[np.r_[True, np.diff(run[best]) != 0]]
    kept[rows[first], columns[first]] = True
    return kept
