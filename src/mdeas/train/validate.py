"""Validation during training: a few figures in torch, with trivial baselines beside them.

They choose the best checkpoint; final figures come from `mdeas evaluate`.
"""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor

from mdeas.batches.batch import Batch
from mdeas.models.base import Output
from mdeas.train.losses.depth import least_squares
from mdeas.train.losses.ssim import ssim_map
from mdeas.train.losses.table import loss_terms
from mdeas.train.losses.views import Views

_DELTA = 1.25


def mask_iou(alpha: Tensor, truth: Tensor) -> Tensor:
    """Intersection over union at .5, float32 (B,); 1 if both are empty. Input: (B, 1, H, W) in [0, 1]."""
    found, there = alpha >= 0.5, truth >= 0.5
    union = (found | there).sum((1, 2, 3))
    return torch.where(union > 0, (found & there).sum((1, 2, 3)) / union.clamp_min(1), 1.0)


def depth_delta1(depth: Tensor, truth: Tensor, known: Tensor) -> Tensor:
    """Share of known pixels whose depth, aligned in inverse depth, is within 1.25×; float32 (B,).

    Aligned depth is limited to 1.5 times the farthest true depth. NaN for a picture without known depth.
    Input: predicted and true inverse depth, float32 (B, 1, H, W); known: bool (B, 1, H, W).
    """
    known = known & (truth > 0)
    scale, shift = least_squares(depth, truth, known)
    floor = torch.where(known, truth, torch.inf).amin((1, 2, 3), keepdim=True) / 1.5
    aligned = torch.maximum(scale * depth + shift, floor)
    good = torch.maximum(aligned / truth, truth / aligned) < _DELTA
    return (good & known).sum((1, 2, 3)) / known.sum((1, 2, 3))


def gradient_depth(truth: Tensor) -> Tensor:
    """Baseline: inverse depth that grows linearly from the top row to the bottom row; shaped like `truth`."""
    rows = torch.linspace(0, 1, truth.shape[-2], device=truth.device)
    return rows[:, None].expand(truth.shape)


def accuracies(output: Output, batch: Batch, weights: dict[str, float]) -> dict[str, Tensor]:
    """ "Accuracy" of each head as in published system 5: mean SSIM of the whole picture × 100, float32 (B,).

    Depth is fitted to the true depth in [0, 1] by scale and shift, and set to 0 where it is unknown, like
    published_ssim of `mdeas evaluate`. NaN for a head without a loss term, and for a picture without known
    depth. Input: weights: of the loss terms.
    """
    alpha = output.mask_logits.float().sigmoid()
    views = Views(output, batch)
    scale, shift = least_squares(views.depth, views.unit_depth, views.known)
    fitted = scale * views.depth + shift
    depth, truth = (torch.where(views.known, p.clamp(1 / 255, 1), 0.0) for p in (fitted, views.unit_depth))
    some = views.known.flatten(1).any(1)
    found = {
        "mask": ssim_map(alpha, batch.mask).mean((1, 2, 3)),
        "depth": torch.where(some, ssim_map(depth, truth).mean((1, 2, 3)), torch.nan),
    }
    taught = {name.partition("_")[0] for name in weights}
    return {
        f"{head}_accuracy": 100 * value if head in taught else torch.full_like(value, torch.nan)
        for head, value in found.items()
    }


def batch_figures(output: Output, batch: Batch, weights: dict[str, float]) -> dict[str, Tensor]:
    """Figures of one batch as float32 (B,) tensors; NaN where a picture has no such figure."""
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
        **accuracies(output, batch, weights),
    }


ACCURACIES = ("mask_accuracy", "depth_accuracy")
FIGURES = ("mask_iou", "mask_iou_zero", "empty_area", "depth_delta1", "depth_delta1_gradient", *ACCURACIES)


def validate(
    predict: Callable[[Batch], Output], batches: Iterable[Batch], weights: dict[str, float]
) -> tuple[dict[str, float], Output, Batch]:
    """Mean of every figure over all pictures (NaN when none has it); output of the first batch; this batch.

    Input: predict: the network in eval mode.
    """
    rows: list[dict[str, Tensor]] = []
    for batch in batches:
        output = predict(batch)
        if not rows:
            first = output, batch
        rows.append(batch_figures(output, batch, weights))
    means = {name: torch.cat([row[name] for row in rows]).nanmean().item() for name in rows[0]}
    return means, *first


def figures_text(figures: dict[str, float]) -> str:
    """Figures with their baselines as one line of text."""
    return (
        f"loss {figures['total']:.4f}, "
        f"mask IoU {figures['mask_iou']:.4f} (all-zero mask {figures['mask_iou_zero']:.4f}), "
        f"empty-pair area {figures['empty_area']:.4f}, depth delta1 {figures['depth_delta1']:.4f} "
        f"(vertical gradient {figures['depth_delta1_gradient']:.4f})"
    )
