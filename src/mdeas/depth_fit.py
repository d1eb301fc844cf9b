"""Depth known up to scale and shift: every fit of the two, and the way between depth and inverse depth."""

from dataclasses import dataclass

import numpy as np

UNCOVERED = 0.1
"""Alpha below which a pixel of an image shows the empty scene."""
ENOUGH = 0.05
"""Share of a picture that must show the empty scene before scale and shift are fitted there."""

_MAX_PIXELS = 60_000  # more of them change nothing but the time
_ROUNDS = 12
_HUBER = 1.345  # 95 % efficient where errors are normal (Huber 1981)
_FLAT = 1.05  # depths that differ by less than this factor are one depth
_FOLDS, _BLOCKS = 4, 8  # cross-validation: the picture in 8×8 blocks, every fourth one held out in turn
_OUTLIER = 3.0  # times the median misfit


def inverse(values: np.ndarray) -> np.ndarray:
    """1 / values; 0, which means unknown, stays 0.

    Input: float, any shape, >= 0: metres or 1/m. Output: the same shape and dtype.

    Example:
        >>> inverse(np.array([4.0, 0.0]))
        array([0.25, 0.  ])
    """
    return np.divide(1, values, out=np.zeros_like(values), where=values > 0)


@dataclass(frozen=True, kw_only=True)
class Line:
    """metres = 1 / (scale × relative inverse depth + shift)."""

    scale: float
    """1/m per step of relative inverse depth, never negative; 0 = the same depth everywhere."""
    shift: float
    """1/m."""

    def inverse_m(self, relative: np.ndarray) -> np.ndarray:
        """Relative inverse depth (any shape) -> inverse depth in 1/m; 0 or less means infinitely far."""
        return self.scale * relative + self.shift


@dataclass(frozen=True, kw_only=True)
class Expected:
    """A scale that is likely before anything is measured; it steadies fits to a few points."""

    scale: float
    """1/m per step."""
    spread: float
    """Of relative inverse depth: points that differ by less weigh less than the expectation."""


def fit(relative: np.ndarray, inverse_m: np.ndarray, expected: Expected | None = None) -> Line:
    """Fit the line with the least relative errors of depth; outliers count little.

    Iteratively reweighted least squares with Huber's weights on (scale p + shift) / d - 1. Near the solution
    that is the relative error of depth: a metre counts less at ten metres than at one.
    Input: relative: (N,) p; inverse_m: (N,) d > 0 in 1/m; expected: counts as much as two points (ridge
        regression), so it decides little when there are many.
    Output: a Line; of scale 0, at the median depth, where the best fit would swap near and far.
    """
    p, d = relative.astype(np.float64), inverse_m.astype(np.float64)
    weight = 1 / np.square(d)
    for _ in range(_ROUNDS):
        scale, shift = _weighted_line(p, d, weight, expected)
        error = np.abs(scale * p + shift - d) / d
        spread = max(1.4826 * float(np.median(error)), 1e-9)
        weight = np.minimum(1, _HUBER * spread / np.maximum(error, 1e-12)) / np.square(d)
    if scale <= 0:
        return Line(scale=0.0, shift=float(np.median(d)))
    return Line(scale=float(scale), shift=float(shift))


def _weighted_line(
    p: np.ndarray, d: np.ndarray, weight: np.ndarray, expected: Expected | None
) -> tuple[float, float]:
    total = weight.sum()
    p_mean, d_mean = (weight * p).sum() / total, (weight * d).sum() / total
    spread = (weight * np.square(p - p_mean)).sum()
    if spread <= 1e-12 * (weight * np.square(p)).sum():
        return 0.0, d_mean
    shared = (weight * (p - p_mean) * (d - d_mean)).sum()
    if expected:
        ridge = 2 * total / len(p) * expected.spread**2
        shared, spread = shared + ridge * expected.scale, spread + ridge
    scale = shared / spread
    return scale, d_mean - scale * p_mean


def is_flat(inverse_m: np.ndarray) -> bool:
    """Whether all depths are one depth, a tenth at each end left out: then no scale can be fitted."""
    low, high = (
        np.quantile(inverse_m, (0.1, 0.9)) if len(inverse_m) > 10 else (inverse_m.min(), inverse_m.max())
    )
    return bool(high < _FLAT * low)


def relative_error(line: Line, relative: np.ndarray, inverse_m: np.ndarray) -> float:
    """Median of |z' - z| / z, with z' at most twice the farthest z: an infinite depth is one wrong depth."""
    found = 1 / np.maximum(line.inverse_m(relative), inverse_m.min() / 2)
    return float(np.median(np.abs(found * inverse_m - 1)))


@dataclass(frozen=True, kw_only=True)
class PictureFit:
    """A line fitted to pixels of a picture, and its errors."""

    line: Line
    num_pixels: int
    median_relative_error: float
    """On the pixels of the fit."""
    held_out_relative_error: float | None
    """Median over the pixels, each under a fit to the other blocks; None: all pixels are in one part."""


def fit_picture(relative: np.ndarray, inverse_m: np.ndarray, known: np.ndarray) -> PictureFit:
    """`fit` over a picture, cross-validated by blocks: neighbouring pixels are too alike to test each other.

    Input: relative: float32 (H, W); inverse_m: float32 (H, W) > 0 where `known`, bool (H, W), some True.
    """
    rows, columns = np.nonzero(known)
    step = -(-len(rows) // _MAX_PIXELS)
    rows, columns = rows[::step], columns[::step]
    p, d = relative[rows, columns], inverse_m[rows, columns]
    height, width = known.shape
    part = (rows * _BLOCKS // height + 2 * (columns * _BLOCKS // width)) % _FOLDS
    line = fit(p, d)
    return PictureFit(
        line=line,
        num_pixels=int(np.count_nonzero(known)),
        median_relative_error=relative_error(line, p, d),
        held_out_relative_error=_held_out(p, d, part),
    )


def _held_out(p: np.ndarray, d: np.ndarray, part: np.ndarray) -> float | None:
    """Median relative error over all, each measured under the fit to the other parts."""
    errors = []
    for number in np.unique(part):
        left_out = part == number
        if left_out.all():
            return None
        line = fit(p[~left_out], d[~left_out])
        found = 1 / np.maximum(line.inverse_m(p[left_out]), d.min() / 2)
        errors.append(np.abs(found * d[left_out] - 1))
    return float(np.median(np.concatenate(errors)))


def fit_line(p: np.ndarray, d: np.ndarray) -> tuple[float, float]:
    """Scale and shift that minimise sum (scale p + shift - d)^2; a constant p gives scale 0.

    Example:
        >>> scale, shift = fit_line(np.array([0.0, 1.0, 2.0]), np.array([1.0, 3.0, 5.0]))
        >>> float(scale), float(shift)
        (2.0, 1.0)
    """
    centred = p - p.mean()
    spread = np.square(centred).sum()
    constant = spread <= 1e-12 * np.square(p).sum()
    scale = 0.0 if constant else (centred * (d - d.mean())).sum() / spread
    return scale, d.mean() - scale * p.mean()


def fit_unchanged(
    p: np.ndarray, d: np.ndarray, unchanged: np.ndarray, *, rounds: int = 1, sums: type = np.float32
) -> tuple[float, float] | None:
    """Fit scale and shift between two depth maps of one view, where nothing is new.

    Input:
        p, d: float32 (H, W), inverse depth. unchanged: bool (H, W), where both show the same.
        rounds: 2 = fit again without the pixels whose misfit is more than three times the median.
        sums: dtype of the sums of the fit.
    Output: (scale, shift) with d = scale * p + shift, or None: less than ENOUGH of the picture is unchanged,
        or the fit would swap near and far.
    """
    for rounds_left in reversed(range(rounds)):
        if unchanged.mean() < ENOUGH:
            return None
        scale, shift = fit_line(p[unchanged].astype(sums), d[unchanged].astype(sums))
        if rounds_left:
            misfit = np.abs(np.float32(scale) * p + np.float32(shift) - d)
            unchanged = unchanged & (misfit <= _OUTLIER * np.median(misfit[unchanged]))
    return (float(scale), float(shift)) if scale > 0 else None
