"""Mask metrics of one picture.

Everywhere: a = prediction and g = truth, float32 (H, W) alpha in [0, 1]; whole picture; "cut" means >= .5.
Every metric returns one float and has a row in table.METRICS.
"""

import math

import cv2
import numpy as np

THRESHOLD = 0.5
_EMPTY_COMPONENT = 0.001
"""Share of the picture above which a connected false alarm counts."""
_CONN_STEPS = (np.arange(1, 11) / 10).astype(np.float32)
_CONN_SLACK = 0.15


def cut(alpha: np.ndarray) -> np.ndarray:
    """bool (H, W): alpha >= .5."""
    return alpha >= THRESHOLD


def iou(a: np.ndarray, g: np.ndarray) -> float:
    """TP / (TP + FP + FN); 1 when both are empty.

    Example:
        >>> iou(np.float32([[1, 0.6, 0.2]]), np.float32([[1, 0, 0]]))
        0.5
    """
    return _ratio(*_overlap(cut(a), cut(g)))


def f1(a: np.ndarray, g: np.ndarray) -> float:
    """2 TP / (2 TP + FP + FN), also called Dice; 1 when both are empty."""
    return _ratio(2 * _count(cut(a) & cut(g)), _count(cut(a)) + _count(cut(g)))


def precision(a: np.ndarray, g: np.ndarray) -> float:
    """TP / (TP + FP); nothing predicted: 1 when the truth is empty too, else 0."""
    if not cut(a).any():
        return float(not cut(g).any())
    return float(cut(g)[cut(a)].mean())


def recall(a: np.ndarray, g: np.ndarray) -> float:
    """TP / (TP + FN); empty truth: 1 when the prediction is empty too, else 0."""
    return precision(g, a)


def mad(a: np.ndarray, g: np.ndarray) -> float:
    """Mean |a - g| x 1e3."""
    return float(np.abs(a - g).mean(dtype=np.float64)) * 1e3


def mse(a: np.ndarray, g: np.ndarray) -> float:
    """Mean (a - g)^2 x 1e3."""
    return float(np.square(a - g).mean(dtype=np.float64)) * 1e3


def sad(a: np.ndarray, g: np.ndarray) -> float:
    """Sum |a - g| / 1000; grows with the size of the picture."""
    return float(np.abs(a - g).sum(dtype=np.float64)) / 1000


def grad(a: np.ndarray, g: np.ndarray) -> float:
    """Sum (|grad a| - |grad g|)^2 / 1000 with first derivatives of a Gaussian, sigma 1.4 (Rhemann 2009)."""
    return float(np.square(_gradient_norm(a) - _gradient_norm(g)).sum()) / 1000


def _gradient_norm(alpha: np.ndarray) -> np.ndarray:
    smooth, slope = _gaussian_and_slope(1.4, 1e-2)
    across = cv2.sepFilter2D(alpha, cv2.CV_64F, slope, smooth, borderType=cv2.BORDER_REPLICATE)
    down = cv2.sepFilter2D(alpha, cv2.CV_64F, smooth, slope, borderType=cv2.BORDER_REPLICATE)
    return np.hypot(across, down)


def _gaussian_and_slope(sigma: float, smallest: float) -> tuple[np.ndarray, np.ndarray]:
    """Gaussian and its derivative, cut where the Gaussian falls below `smallest`.

    Both L2-normalised, and so is their outer product, the 2-D kernel.
    """
    reach = math.ceil(sigma * math.sqrt(-2 * math.log(math.sqrt(2 * math.pi) * sigma * smallest)))
    x = np.arange(-reach, reach + 1, dtype=np.float64)
    smooth = np.exp(-(x**2) / (2 * sigma**2))
    slope = x * smooth
    return smooth / np.linalg.norm(smooth), slope / np.linalg.norm(slope)


def conn(a: np.ndarray, g: np.ndarray) -> float:
    """Sum |phi_a - phi_g| / 1000, the connectivity error of Rhemann 2009 in steps of .1."""
    level = _connected_level(a, g)
    return float(np.abs(_connectedness(a, level) - _connectedness(g, level)).sum(dtype=np.float64)) / 1000


def _connected_level(a: np.ndarray, g: np.ndarray) -> np.ndarray:
    """float32 (H, W): the last threshold, from below, at which a pixel is in the largest shared component."""
    level = np.zeros_like(a)
    held = np.ones(a.shape, bool)
    for threshold in _CONN_STEPS:
        held &= _largest_component((a >= threshold) & (g >= threshold))
        level[held] = threshold
    return level


def _connectedness(alpha: np.ndarray, level: np.ndarray) -> np.ndarray:
    distance = alpha - level
    return 1 - distance * (distance >= _CONN_SLACK)


def _largest_component(area: np.ndarray) -> np.ndarray:
    """bool (H, W): the largest 4-connected component; nothing when there is none."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(area.astype(np.uint8), connectivity=4)
    if count == 1:
        return np.zeros_like(area)
    return labels == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())


def boundary_f(a: np.ndarray, g: np.ndarray, tolerance: float = 0.008) -> float:
    """F of outlines that match within .8 % of the diagonal (DAVIS, Perazzi 2016); 1 when both are empty.

    tolerance: another share of the diagonal.
    """
    ours, theirs = _outline(cut(a)), _outline(cut(g))
    if not (ours.any() and theirs.any()):
        return float(not ours.any() and not theirs.any())
    reach = math.ceil(tolerance * _diagonal(a))
    precise, recalled = _share_near(ours, theirs, reach), _share_near(theirs, ours, reach)
    return 2 * precise * recalled / (precise + recalled) if precise + recalled else 0.0


def _outline(area: np.ndarray) -> np.ndarray:
    """bool (H, W): pixels that differ from the one to the right, below, or right below (DAVIS)."""
    padded = np.pad(area, ((0, 1), (0, 1)), mode="edge")
    right, below, across = padded[:-1, 1:], padded[1:, :-1], padded[1:, 1:]
    return (area != right) | (area != below) | (area != across)


def _share_near(points: np.ndarray, others: np.ndarray, reach: int) -> float:
    """Share of `points` with one of `others` within `reach` pixels."""
    distance = cv2.distanceTransform((~others).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return float((distance[points] <= reach).mean())


def boundary_iou(a: np.ndarray, g: np.ndarray) -> float:
    """IoU of the inner bands, 2 % of the diagonal wide (arXiv 2103.16562); 1 when both are empty."""
    return _ratio(*_overlap(_inner_band(cut(a)), _inner_band(cut(g))))


def _inner_band(area: np.ndarray) -> np.ndarray:
    """Pixels of `area` within 2 % of the diagonal of its outline; the picture's border is outline too."""
    width = max(1, round(0.02 * _diagonal(area)))
    padded = np.pad(area.astype(np.uint8), 1)
    inside = cv2.erode(padded, np.ones((3, 3), np.uint8), iterations=width, borderValue=0)[1:-1, 1:-1]
    return area & (inside == 0)


def empty_area(a: np.ndarray) -> float:
    """For a pair with nothing in it: share of pixels with a >= .5."""
    return float(cut(a).mean())


def empty_component(a: np.ndarray) -> float:
    """For a pair with nothing in it: 1 when a component (8-connected) exceeds .1 % of the picture, else 0."""
    stats = cv2.connectedComponentsWithStats(cut(a).astype(np.uint8), connectivity=8)[2]
    return float(stats[1:, cv2.CC_STAT_AREA].max(initial=0) > _EMPTY_COMPONENT * a.size)


def thresholded_iou(a: np.ndarray, g: np.ndarray) -> float:
    """ceil(clamp(20 (IoU - .5), 0, 10)) / 10 with IoU smoothed by 1e-6, as system 5 reports it."""
    shared, either = _overlap(cut(a), cut(g))
    smooth = (shared + 1e-6) / (either + 1e-6)
    return math.ceil(min(max(20 * (smooth - 0.5), 0), 10)) / 10


def soft_dice(a: np.ndarray, g: np.ndarray) -> float:
    """(2 sum(a g) + 1) / (sum(a^2) + sum(g^2) + 1), as system 2 reports it."""
    a, g = a.astype(np.float64), g.astype(np.float64)
    return float((2 * (a * g).sum() + 1) / ((a * a).sum() + (g * g).sum() + 1))


def ssim(a: np.ndarray, g: np.ndarray) -> float:
    """Mean SSIM (Wang 2004): 11x11 Gaussian, sigma 1.5, range 1, zero padding; x 100 = system 5's accuracy.

    A mask of nothing scores about 1 - foreground area.
    """
    a, g = a.astype(np.float64), g.astype(np.float64)
    mean_a, mean_g = _window(a), _window(g)
    variance_a, variance_g = _window(a * a) - mean_a**2, _window(g * g) - mean_g**2
    covariance = _window(a * g) - mean_a * mean_g
    c1, c2 = 0.01**2, 0.03**2
    luminance = (2 * mean_a * mean_g + c1) / (mean_a**2 + mean_g**2 + c1)
    return float((luminance * (2 * covariance + c2) / (variance_a + variance_g + c2)).mean())


def _window(x: np.ndarray) -> np.ndarray:
    kernel = cv2.getGaussianKernel(11, 1.5, cv2.CV_64F)
    return cv2.sepFilter2D(x, cv2.CV_64F, kernel, kernel, borderType=cv2.BORDER_CONSTANT)


def _overlap(a: np.ndarray, g: np.ndarray) -> tuple[int, int]:
    return _count(a & g), _count(a | g)


def _count(area: np.ndarray) -> int:
    return int(np.count_nonzero(area))


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 1.0


def _diagonal(array: np.ndarray) -> float:
    return math.hypot(*array.shape)
