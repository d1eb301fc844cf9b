"""Optimizers by name, and learning-rate factors as pure functions of the step."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from mdeas.train.config import OptimizerConfig, ScheduleConfig

_PEAK = 0.3  # share of the run at which OneCycle turns
_ONECYCLE_START = 1 / 25


def make_optimizer(model: nn.Module, config: OptimizerConfig) -> torch.optim.Optimizer:
    """Optimizer over two groups: with weight decay (two or more axes) and without (biases, norms)."""
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    momentum = config.betas[0]
    if config.name == "sgd":
        return torch.optim.SGD(groups, lr=config.lr, momentum=momentum)
    if config.name == "rmsprop":
        return torch.optim.RMSprop(groups, lr=config.lr, momentum=momentum)
    method = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[config.name]
    return method(groups, lr=config.lr, betas=config.betas, fused=True)


def constant(config: ScheduleConfig, step: int, total: int) -> float:
    """1."""
    return 1.0


def cosine(config: ScheduleConfig, step: int, total: int) -> float:
    """Half a cosine from 1 at the end of warm-up to `final` at the last step."""
    progress = (step - config.warmup_steps) / max(1, total - 1 - config.warmup_steps)
    return _ease(1.0, config.final, progress)


def onecycle(config: ScheduleConfig, step: int, total: int) -> float:
    """1/25 to 1 over the first 30 %, then to `final`, both along a cosine (Smith, arXiv 1708.07120)."""
    peak = _PEAK * (total - 1)
    if step < peak:
        return _ease(_ONECYCLE_START, 1.0, step / peak)
    return _ease(1.0, config.final, (step - peak) / max(1.0, total - 1 - peak))


def step(config: ScheduleConfig, step: int, total: int) -> float:
    """`gamma` to the number of whole `every` steps done."""
    return config.gamma ** (step // config.every)


def _ease(start: float, end: float, progress: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * min(max(progress, 0.0), 1.0))) / 2


SCHEDULES: dict[str, Callable[[ScheduleConfig, int, int], float]] = {
    "constant": constant,
    "cosine": cosine,
    "onecycle": onecycle,
    "step": step,
    "plateau": constant,  # its drops come from `Plateau`
}


@dataclass
class Plateau:
    """What schedule `plateau` remembers: the lowest validation loss, and validations since."""

    best: float = math.inf
    waited: int = 0
    drops: int = 0

    def observe(self, loss: float, patience: int) -> None:
        """Count a validation; after more than `patience` without a lower loss, drop once."""
        self.waited = 0 if loss < self.best else self.waited + 1
        self.best = min(self.best, loss)
        if self.waited > patience:
            self.waited, self.drops = 0, self.drops + 1


def lr_factor(config: ScheduleConfig, step: int, total: int, drops: int = 0) -> float:
    """Factor on the learning rate for step `step` (from 0) of `total`.

    Input: drops: times a plateau was met; only schedule `plateau` looks at it.
    """
    factor = SCHEDULES[config.name](config, step, total)
    if config.name == "plateau":
        factor = max(config.gamma**drops, config.final)
    if config.name != "onecycle" and step < config.warmup_steps:
        factor *= (step + 1) / config.warmup_steps
    return factor
