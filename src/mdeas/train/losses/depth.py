"""Loss terms of the depth; only pixels with known depth count.

depth_log_l1, depth_log_sobel and depth_normal are the three of Hu et al. (Revisiting Single Image Depth
Estimation, WACV 2019, arXiv 1803.08673) minus the constant ln 0.5, so that a perfect prediction costs 0.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from mdeas.train.losses.ssim import ssim_map
from mdeas.train.losses.views import Views, mean_where, root, soft_dice

_FLAT = 1e-3  # smallest inverse depth whose logarithm depth_log takes
_SCALES = 4
_SURE = 1e-6  # depth_bce clips probabilities to this distance from 0 and 1


def depth_ssim(v: Views) -> Tensor:
    """1 - SSIM against the true depth stretched to [0, 1]; both are 0 where the truth is unknown."""
    return v.mean_known(1 - ssim_map(v.known_depth, v.unit_depth))


def depth_mse(v: Views) -> Tensor:
    """Mean squared difference from the true depth stretched to [0, 1]."""
    return v.mean_known((v.known_depth - v.unit_depth).square())


def depth_rmse(v: Views) -> Tensor:
    """Root of the mean squared difference from the true depth stretched to [0, 1], over the batch."""
    return root(depth_mse(v))


def depth_l1(v: Views) -> Tensor:
    """Mean absolute difference from the true depth stretched to [0, 1]."""
    return v.mean_known((v.known_depth - v.unit_depth).abs())


def depth_dice(v: Views) -> Tensor:
    """Soft Dice with the true depth stretched to [0, 1], mean over pictures with known depth."""
    return mean_where(v.known.flatten(1).any(1), soft_dice(v.known_depth, v.unit_depth))


def depth_bce(v: Views) -> Tensor:
    """Binary cross-entropy, for networks whose depth head ends in a sigmoid.

    Depth outside (0, 1) is clipped and has no gradient.
    """
    probability = v.known_depth.clamp(_SURE, 1 - _SURE)
    truth = v.unit_depth.clamp(0, 1)
    return v.mean_known(F.binary_cross_entropy(probability, truth, reduction="none"))


def depth_ssi(v: Views) -> Tensor:
    """Scale- and shift-invariant absolute difference of inverse depth (MiDaS), see `standardised`."""
    return v.mean_known(v.depth_residual.abs())


def depth_gradient(v: Views) -> Tensor:
    """Gradients of the scale- and shift-invariant difference at four scales (MiDaS, equation 11)."""
    terms = [
        _gradient(v.depth_residual[..., ::step, ::step], v.known[..., ::step, ::step])
        for step in (2**scale for scale in range(_SCALES))
    ]
    return torch.stack(terms).sum()


def _gradient(residual: Tensor, known: Tensor) -> Tensor:
    """Mean |∂x| + |∂y| over known pixels, between neighbours that are both known."""
    along_x = residual.diff(dim=-1).abs() * (known[..., 1:] & known[..., :-1])
    along_y = residual.diff(dim=-2).abs() * (known[..., 1:, :] & known[..., :-1, :])
    return (along_x.sum() + along_y.sum()) / known.sum().clamp_min(1)


def depth_log(v: Views) -> Tensor:
    """Mean |ln| of the ratio of aligned to true depth: the error that δ1 thresholds.

    The alignment (least squares) has no gradient: other terms hold scale and shift. Aligned inverse depth is
    limited to at least a third of the smallest true one.
    """
    scale, shift = least_squares(v.depth.detach(), v.inverse_depth, v.known)
    floor = torch.where(v.known, v.inverse_depth, torch.inf).amin((1, 2, 3), keepdim=True) / 3
    floor = torch.where(floor.isfinite(), floor, 1.0).clamp_min(_FLAT)
    aligned = torch.maximum(scale * v.known_depth + shift, floor)
    truth = torch.maximum(v.inverse_depth, floor)
    return v.mean_known((aligned.log() - truth.log()).abs())


def depth_log_l1(v: Views) -> Tensor:
    """Mean of ln(|e| + ½) - ln ½, where e is the difference from the true depth in [0, 1] (Hu et al.)."""
    return v.mean_known(_log_error(v.known_depth - v.unit_depth))


def depth_log_sobel(v: Views) -> Tensor:
    """depth_log_l1 of the Sobel slopes: the sum of those along x and along y (Hu et al.)."""
    predicted, true = v.slopes
    return mean_where(v.window_known, _log_error(predicted - true).sum(1, keepdim=True))


def _log_error(error: Tensor) -> Tensor:
    return torch.log1p(2 * error.abs())  # = ln(|e| + ½) - ln ½


def depth_normal(v: Views) -> Tensor:
    """Mean of 1 - cosine between the surface normals (-dx, -dy, 1), slopes by Sobel (Hu et al.)."""
    predicted, true = (torch.cat([-slopes, torch.ones_like(slopes[:, :1])], 1) for slopes in v.slopes)
    cosine = F.cosine_similarity(predicted, true, dim=1)[:, None]
    return mean_where(v.window_known, 1 - cosine)


def least_squares(depth: Tensor, truth: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
    """For each picture, scale >= 0 and shift that fit `depth` to `truth` over known pixels by least squares.

    Output: float32 (B, 1, 1, 1) each; a constant `depth` gets scale 0 and the mean of the truth.
    """
    weight = known.float()
    count = weight.sum((1, 2, 3), keepdim=True).clamp_min(1.0)
    mean_depth = (depth * weight).sum((1, 2, 3), keepdim=True) / count
    mean_truth = (truth * weight).sum((1, 2, 3), keepdim=True) / count
    centred = (depth - mean_depth) * weight
    variance = centred.square().sum((1, 2, 3), keepdim=True)
    covariance = (centred * (truth - mean_truth)).sum((1, 2, 3), keepdim=True)
    scale = (covariance / variance.clamp_min(torch.finfo(torch.float32).tiny)).clamp_min(0.0)
    return scale, mean_truth - scale * mean_depth
