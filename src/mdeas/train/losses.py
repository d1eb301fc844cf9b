"""Losses: pure functions of what is predicted and what is true, each a named term.

A term is a function (Views) -> scalar and a row in LOSSES; a recipe gives weights by name. Every term is
finite for any truth (empty or full mask, constant or unknown depth) and has zero gradient where depth is
unknown.
"""

from collections.abc import Callable
from functools import cached_property

import torch
from torch import Tensor
from torch.nn import functional as F

from mdeas.data.batch import Batch
from mdeas.models import Output
from mdeas.train.ssim import ssim_map

_FLAT = 1e-3  # spread of a depth map below which it counts as constant, in its own unit
_SCALES = 4
_EDGE = 7  # pixels; width of the band that mask_bce_edge weighs more
_EDGE_WEIGHT = 4.0
_SMOOTH = 1.0


class Views:
    """Prediction and truth as the terms look at them; what several need is computed once."""

    def __init__(self, output: Output, batch: Batch):
        self.logits = output.mask_logits.float()
        self.depth = output.depth.float()
        self.mask = batch.mask
        self.inverse_depth = batch.inverse_depth
        self.known = batch.depth_known

    @cached_property
    def alpha(self) -> Tensor:
        """(B, 1, H, W) predicted mask in [0, 1]."""
        return self.logits.sigmoid()

    @cached_property
    def unit_depth(self) -> Tensor:
        """(B, 1, H, W) true inverse depth stretched to [0, 1] over each picture's known pixels, else 0."""
        low = torch.where(self.known, self.inverse_depth, torch.inf).amin((1, 2, 3), keepdim=True)
        high = torch.where(self.known, self.inverse_depth, -torch.inf).amax((1, 2, 3), keepdim=True)
        scaled = (self.inverse_depth - low) / (high - low).clamp_min(torch.finfo(torch.float32).tiny)
        return torch.where(self.known, scaled, 0.0)

    @cached_property
    def known_depth(self) -> Tensor:
        """(B, 1, H, W) predicted depth, 0 where the truth is unknown."""
        return torch.where(self.known, self.depth, 0.0)

    @cached_property
    def depth_residual(self) -> Tensor:
        """(B, 1, H, W) difference of the standardised depths, 0 where unknown; see `standardised`."""
        difference = standardised(self.depth, self.known) - standardised(self.inverse_depth, self.known)
        return torch.where(self.known, difference, 0.0)

    def mean_known(self, values: Tensor) -> Tensor:
        """Mean over known pixels of the batch; 0 when there is none."""
        known = self.known.float()
        return (values * known).sum() / known.sum().clamp_min(1.0)


def standardised(depth: Tensor, known: Tensor) -> Tensor:
    """Depth with each picture's median at 0 and mean absolute deviation at 1, over known pixels.

    MiDaS (Ranftl et al., arXiv 1907.01341), equations 5-7. Its other alignment, least squares, may choose a
    negative scale, so that it cannot tell near from far; this one can.
    Input: float32 (B, 1, H, W), bool (B, 1, H, W). Output: float32 (B, 1, H, W), 0 where unknown.
    """
    median = torch.where(known, depth.detach(), torch.nan).flatten(1).nanmedian(1).values
    median = median.nan_to_num(0.0).view(-1, 1, 1, 1)
    centred = torch.where(known, depth - median, 0.0)
    count = known.sum((1, 2, 3), keepdim=True).clamp_min(1)
    spread = centred.abs().sum((1, 2, 3), keepdim=True) / count
    return centred / spread.clamp_min(_FLAT)


def mask_ssim(v: Views) -> Tensor:
    """1 - SSIM of the mask."""
    return 1 - ssim_map(v.alpha, v.mask).mean()


def mask_mse(v: Views) -> Tensor:
    """Mean squared difference of the mask."""
    return F.mse_loss(v.alpha, v.mask)


def mask_l1(v: Views) -> Tensor:
    """Mean absolute difference of the mask."""
    return F.l1_loss(v.alpha, v.mask)


def mask_bce(v: Views) -> Tensor:
    """Binary cross-entropy of the logits; truth may be soft."""
    return F.binary_cross_entropy_with_logits(v.logits, v.mask)


def mask_bce_edge(v: Views) -> Tensor:
    """Binary cross-entropy in which pixels within 3 of the true outline count five times."""
    radius = _EDGE // 2
    grown = F.max_pool2d(v.mask, _EDGE, 1, radius)
    shrunk = -F.max_pool2d(-v.mask, _EDGE, 1, radius)
    weight = 1 + _EDGE_WEIGHT * (grown - shrunk)
    loss = F.binary_cross_entropy_with_logits(v.logits, v.mask, reduction="none")
    return (loss * weight).sum() / weight.sum()


def mask_dice(v: Views) -> Tensor:
    """Soft Dice with squared denominators and smoothing 1, per picture (Milletari et al. 2016)."""
    overlap = (v.alpha * v.mask).sum((1, 2, 3))
    squares = (v.alpha.square() + v.mask.square()).sum((1, 2, 3))
    return (1 - (2 * overlap + _SMOOTH) / (squares + _SMOOTH)).mean()


def depth_ssim(v: Views) -> Tensor:
    """1 - SSIM of the depth stretched to [0, 1]; truth and prediction are 0 where unknown."""
    return v.mean_known(1 - ssim_map(v.known_depth, v.unit_depth))


def depth_mse(v: Views) -> Tensor:
    """Mean squared difference from the depth stretched to [0, 1]."""
    return v.mean_known((v.known_depth - v.unit_depth).square())


def depth_l1(v: Views) -> Tensor:
    """Mean absolute difference from the depth stretched to [0, 1]."""
    return v.mean_known((v.known_depth - v.unit_depth).abs())


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
    """|ln| of the ratio between depth aligned by least squares and true depth: the error that δ1 counts.

    Scale and shift are constants here (no gradient): other terms hold them. Aligned inverse depth is kept
    above a third of the smallest true one.
    """
    scale, shift = least_squares(v.depth.detach(), v.inverse_depth, v.known)
    floor = torch.where(v.known, v.inverse_depth, torch.inf).amin((1, 2, 3), keepdim=True) / 3
    floor = torch.where(floor.isfinite(), floor, 1.0).clamp_min(_FLAT)
    aligned = torch.maximum(scale * v.known_depth + shift, floor)
    truth = torch.maximum(v.inverse_depth, floor)
    return v.mean_known((aligned.log() - truth.log()).abs())


def least_squares(depth: Tensor, truth: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
    """Per picture, scale >= 0 and shift that bring `depth` nearest to `truth` over known pixels.

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


LOSSES: dict[str, Callable[[Views], Tensor]] = {
    function.__name__: function
    for function in (
        mask_ssim, mask_mse, mask_l1, mask_bce, mask_bce_edge, mask_dice,
        depth_ssim, depth_mse, depth_l1, depth_ssi, depth_gradient, depth_log,
    )
}  # fmt: skip


def loss_terms(output: Output, batch: Batch, weights: dict[str, float]) -> dict[str, Tensor]:
    """Every weighted term by name, unweighted, and "total", their weighted sum.

    Input: output of a network on `batch`; weights: term name -> weight, names of LOSSES.
    Output: float32 scalars.
    """
    views = Views(output, batch)
    terms = {name: LOSSES[name](views) for name in weights}
    return terms | {"total": torch.stack([weights[name] * terms[name] for name in weights]).sum()}
