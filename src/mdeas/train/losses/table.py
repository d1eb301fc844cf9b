"""The table of loss terms, and their weighted sum.

To add a term, write a function (Views) -> scalar in mask.py or depth.py and add it to LOSSES; recipes weight
it by its name. Every term is finite for any truth (empty or full mask, constant or unknown depth) and has no
gradient where depth is unknown.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from mdeas.batches.batch import Batch
from mdeas.models.base import Output
from mdeas.train.losses import depth, mask
from mdeas.train.losses.views import Views

LOSSES: dict[str, Callable[[Views], Tensor]] = {
    term.__name__: term
    for term in (
        mask.mask_ssim, mask.mask_mse, mask.mask_rmse, mask.mask_l1, mask.mask_bce, mask.mask_bce_edge,
        mask.mask_dice, mask.mask_sparsity,
        depth.depth_ssim, depth.depth_mse, depth.depth_rmse, depth.depth_l1, depth.depth_bce,
        depth.depth_dice,
        depth.depth_ssi, depth.depth_gradient, depth.depth_log,
        depth.depth_log_l1, depth.depth_log_sobel, depth.depth_normal,
    )
}  # fmt: skip


def loss_terms(output: Output, batch: Batch, weights: dict[str, float]) -> dict[str, Tensor]:
    """The terms named in `weights`, unweighted, and "total", their weighted sum.

    Input: output of a network on `batch`; weights: term name -> weight, names of LOSSES.
    Output: float32 scalars.
    """
    views = Views(output, batch)
    terms = {name: LOSSES[name](views) for name in weights}
    return terms | {"total": torch.stack([weights[name] * terms[name] for name in weights]).sum()}
