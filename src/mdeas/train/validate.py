"""Validation during training: a few figures in torch, with the trivial baselines beside them.

The figures that count come from `mdeas evaluate`; these choose the best checkpoint.
"""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor

from mdeas.data.batch import Batch
from mdeas.models import Output
from mdeas.train.losses import loss_terms
from mdeas.train.losses_depth import least_squares

_DELTA = 1.25


def mask_iou(alpha: Tensor, truth: Tensor) -> Tensor:
    """float32 (B,): intersection over union at .5; 1 where both are empty. Input: (B, 1, H, W) in [0, 1]."""
    found, there = alpha >= 0.5, truth >= 0.5
    union = (found | there).sum((1, 2, 3))
    return torch.where(union > 0, (found & there).sum((1, 2, 3)) / union.clamp_min(1), 1.0)


def depth_delta1(depth: Tensor, truth: Tensor, known: Tensor) -> Tensor:
    """float32 (B,): share of known pixels whose depth, aligned in inverse depth, is within 1.25×.

    Input: (B, 1, H, W) predicted and true inverse depth. Aligned depth is kept below 1.5 × the farthest true
    one. NaN where a picture has no known depth.
    """
    known = known & (truth > 0)
    scale, shift = least_squares(depth, truth, known)
    floor = torch.where(known, truth, torch.inf).amin((1, 2, 3), keepdim=True) / 1.5
    aligned = torch.maximum(scale * depth + shift, floor)
    good = torch.maximum(aligned / truth, truth / aligned) < _DELTA
    return (good & known).sum((1, 2, 3)) / known.sum((1, 2, 3))


def gradient_depth(truth: Tensor) -> Tensor:
    """Baseline: inverse depth that grows evenly from the top row to the bottom row; shape of `truth`."""
    rows = torch.linspace(0, 1, truth.shape[-2], device=truth.device)
    return rows[:, None].expand(truth.shape)


def batch_figures(output: Output, batch: Batch, weights: dict[str, float]) -> dict[str, Tensor]:
    """Figures of one batch as (B,) tensors, NaN where a picture has none."""
    alpha = output.mask_logits.float().sigmoid()
    nothing = torch.zeros_like(alpha)
    empty = batch.mask.amax((1, 2, 3)) < 0.5
    area = (alpha >= 0.5).float().mean((1, 2, 3))
    truth = batch.inverse_depth, batch.depth_known
    terms = {name: value.expand(len(alpha)) for name, value in loss_terms(output, batch, weights).items()}
    return terms | {
        "mask_iou": mask_iou(alpha, batch.mask),
        "mask_iou_zero": mask_iou(nothing, batch.mask),
        "empty_area": torch.where(empty, area, torch.nan),
        "depth_delta1": depth_delta1(output.depth.float(), *truth),
        "depth_delta1_gradient": depth_delta1(gradient_depth(batch.inverse_depth), *truth),
    }


FIGURES = ("mask_iou", "mask_iou_zero", "empty_area", "depth_delta1", "depth_delta1_gradient")


def validate(
    predict: Callable[[Batch], Output], batches: Iterable[Batch], weights: dict[str, float]
) -> tuple[dict[str, float], Output, Batch]:
    """Mean of every figure over pictures (NaN when none has it), and the first batch with its output.

    Input: predict: network in eval mode, on a batch.
    """
    rows: list[dict[str, Tensor]] = []
    for batch in batches:
        output = predict(batch)
        if not rows:
            first = output, batch
        rows.append(batch_figures(output, batch, weights))
    means = {name: torch.cat([row[name] for row in rows]).nanmean().item() for name in rows[0]}
    return means, *first


def told(figures: dict[str, float]) -> str:
    """Figures with their baselines, for people."""
    return (
        f"loss {figures['total']:.4f}, "
        f"mask IoU {figures['mask_iou']:.4f} (all-zero mask {figures['mask_iou_zero']:.4f}), "
        f"empty-pair area {figures['empty_area']:.4f}, depth delta1 {figures['depth_delta1']:.4f} "
        f"(vertical gradient {figures['depth_delta1_gradient']:.4f})"
    )
