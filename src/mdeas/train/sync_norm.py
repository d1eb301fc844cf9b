"""Batch norm over the batch of all ranks, on any device; torch's own refuses the CPU.

State dicts keep the names of nn.BatchNorm2d, so that checkpoints can be exchanged with it.
"""

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from mdeas.errors import UsageError


class _OfAllRanks(torch.autograd.Function):
    """(N, ...) on each rank -> (ranks, N, ...) on all; a gradient comes back from every rank's use of it."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        everyone = values.new_zeros(dist.get_world_size(), *values.shape)
        everyone[dist.get_rank()] = values
        dist.all_reduce(everyone)
        return everyone

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        gradient = gradients[0].clone(memory_format=torch.contiguous_format)
        dist.all_reduce(gradient)
        return gradient[dist.get_rank()]


class SyncBatchNorm2d(nn.BatchNorm2d):
    """nn.BatchNorm2d whose statistics in training are those of all ranks' samples, as many on each rank."""

    def forward(self, x: Tensor) -> Tensor:
        """Input: (B, C, H, W) of this rank. Output: likewise."""
        x = self._normalised(x) if self.training else super().forward(x)
        for name in ("drop", "act"):  # timm's BatchNormAct2d does them itself
            x = getattr(self, name)(x) if hasattr(self, name) else x
        return x

    def _normalised(self, x: Tensor) -> Tensor:
        var, mean = torch.var_mean(x.float(), (0, 2, 3), correction=0)
        means, variances = _OfAllRanks.apply(torch.stack([mean, var])).unbind(1)
        mean = means.mean(0)
        var = variances.mean(0) + means.var(0, correction=0)
        self._remember(mean.detach(), var.detach(), x.numel() // x.shape[1] * len(means))
        scale = self.weight * (var + self.eps).rsqrt()
        shift = self.bias - mean * scale
        return torch.addcmul(shift[:, None, None], x, scale[:, None, None]).to(x.dtype)

    @torch.no_grad()
    def _remember(self, mean: Tensor, var: Tensor, count: int) -> None:
        """Move the running statistics as nn.BatchNorm2d does, `count` values behind each."""
        assert self.running_mean is not None and self.running_var is not None and self.momentum is not None
        assert self.num_batches_tracked is not None
        self.num_batches_tracked.add_(1)
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(var * (count / max(1, count - 1)), self.momentum)


def synchronise(model: nn.Module) -> None:
    """Make every batch norm of `model` a SyncBatchNorm2d, in place.

    Errors: UsageError E-RECIPE for a kind of batch norm that it cannot stand for.
    """
    for name, module in model.named_modules():
        if type(module) is nn.BatchNorm2d or type(module).__name__ == "BatchNormAct2d":
            module.__class__ = SyncBatchNorm2d
        elif isinstance(module, _BatchNorm):
            raise UsageError(
                "E-RECIPE", f"sync_batch_norm: '{name}' is a {type(module).__name__}. Set it to false."
            )
