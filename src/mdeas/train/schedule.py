"""Optimizers by name, and learning-rate factors as pure functions of the step."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from mdeas.train.first_weights import submodule
from mdeas.train.recipe.sections import OptimizerConfig, ScheduleConfig

_PEAK = 0.3  # share of the run at which OneCycle turns
_ONECYCLE_START = 1 / 25
_OWN_START = ("onecycle", "cyclic")  # their warm-up is part of their shape


def make_optimizer(model: nn.Module, config: OptimizerConfig) -> torch.optim.Optimizer:
    """An optimizer whose parameter groups have a "share": their factor on the learning rate.

    Each share has two groups: with weight decay (two or more axes) and without (biases, norms). Frozen
    parameters are in no group. Errors: UsageError E-RECIPE for a submodule that does not exist.
    """
    shares = {id(parameter): 1.0 for parameter in model.parameters() if parameter.requires_grad}
    for name, share in config.slow.items():
        part = submodule(model, name, "optimizer.slow")
        shares |= {id(p): share for p in part.parameters() if p.requires_grad}
    groups = [
        {
            "params": [
                p for p in model.parameters() if shares.get(id(p)) == share and (p.ndim > 1) == decays
            ],
            "weight_decay": config.weight_decay * decays,
            "share": share,
        }
        for share in sorted(set(shares.values()), reverse=True)
        for decays in (True, False)
    ]
    momentum = config.betas[0]
    if config.name == "sgd":
        return torch.optim.SGD(groups, lr=config.lr, momentum=momentum)
    if config.name == "rmsprop":
        return torch.optim.RMSprop(groups, lr=config.lr, momentum=momentum)
    method = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[config.name]
    return method(groups, lr=config.lr, betas=config.betas, fused=True)


@dataclass(frozen=True)
class Moment:
    """A step of a run, with what schedules need to know about the run."""

    step: int
    """From 0."""
    total: int
    """Steps of the run."""
    each: int
    """Steps of an epoch."""

    def steps(self, epochs: float) -> int:
        """`epochs` in steps, rounded."""
        return round(epochs * self.each)


def constant(config: ScheduleConfig, now: Moment) -> float:
    """Always 1."""
    return 1.0


def cosine(config: ScheduleConfig, now: Moment) -> float:
    """Half a cosine from 1 at the end of warm-up to `final` at the last step."""
    warmup = _warmup(config, now)
    return _ease(1.0, config.final, (now.step - warmup) / max(1, now.total - 1 - warmup))


def onecycle(config: ScheduleConfig, now: Moment) -> float:
    """1/25 to 1 over the first 30 %, then to `final`, both along a cosine (Smith, arXiv 1708.07120)."""
    peak = _PEAK * (now.total - 1)
    if now.step < peak:
        return _ease(_ONECYCLE_START, 1.0, now.step / peak)
    return _ease(1.0, config.final, (now.step - peak) / max(1.0, now.total - 1 - peak))


def step(config: ScheduleConfig, now: Moment) -> float:
    """`gamma` to the number of whole `every` steps done."""
    return config.gamma ** (now.step // config.every)


def cyclic(config: ScheduleConfig, now: Moment) -> float:
    """`low` during the warm-up, `cycles` triangles low-1-low, then `low` × `gamma`, again at every edge.

    Source: published system 5, docs/systems.md. Its warm-up is "constant"; here constant at `low`.
    """
    after = now.step - _warmup(config, now)
    if after < 0:
        return config.low
    edge = max(1, now.steps(config.edge_epochs))
    number, share = after // edge, after % edge / edge
    if number >= 2 * config.cycles:
        return config.low * config.gamma ** (number - 2 * config.cycles + 1)
    return config.low + (1 - config.low) * (share if number % 2 == 0 else 1 - share)


def _warmup(config: ScheduleConfig, now: Moment) -> int:
    return config.warmup_steps + now.steps(config.warmup_epochs)


def _ease(start: float, end: float, progress: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * min(max(progress, 0.0), 1.0))) / 2


SCHEDULES: dict[str, Callable[[ScheduleConfig, Moment], float]] = {
    "constant": constant,
    "cosine": cosine,
    "onecycle": onecycle,
    "step": step,
    "cyclic": cyclic,
    "plateau": constant,  # `Plateau` counts its drops
}


@dataclass
class Plateau:
    """State of schedule `plateau`: the lowest validation loss, validations since then, and drops."""

    best: float = math.inf
    waited: int = 0
    drops: int = 0

    def observe(self, loss: float, patience: int) -> None:
        """Count a validation; drop when more than `patience` of them in a row had no lower loss."""
        self.waited = 0 if loss < self.best else self.waited + 1
        self.best = min(self.best, loss)
        if self.waited > patience:
            self.waited, self.drops = 0, self.drops + 1


def lr_factor(config: ScheduleConfig, step: int, total: int, *, each: int, drops: int = 0) -> float:
    """Factor on the learning rate at step `step` (from 0) of `total`.

    Input: each: steps of an epoch; drops: plateaus so far, used by schedule `plateau` only.
    """
    now = Moment(step, total, each)
    factor = SCHEDULES[config.name](config, now)
    if config.name == "plateau":
        factor = max(config.gamma**drops, config.final)
    warmup = _warmup(config, now)
    if config.name not in _OWN_START and step < warmup:
        factor *= (step + 1) / warmup
    return factor
