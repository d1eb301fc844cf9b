"""The sections of a training recipe: network, data, optimizer, schedule. Each checks its own values."""

from dataclasses import dataclass, field
from typing import Any, Literal

from mdeas.batches.augment import AugmentConfig
from mdeas.errors import UsageError


def require(ok: bool, field_name: str, value: Any, rule: str) -> None:
    """UsageError E-RECIPE naming the field, its value and the rule, unless `ok`."""
    if not ok:
        raise UsageError("E-RECIPE", f"{field_name} is {value!r}; it must be {rule}.")


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """Which network."""

    name: str
    """Name in the registry (`mdeas models`)."""
    options: dict[str, Any] = field(default_factory=dict)
    """Keyword options of its builder."""
    weights: str | None = None
    """Run folder or .safetensors file of the same network to start from; None = random weights."""
    mean_with: list[str] = field(default_factory=list)
    """More runs or files like `weights`: the network starts from the mean of all of them."""
    parts: dict[str, str] = field(default_factory=dict)
    """Submodule ("core.depth_network") -> run whose submodule of that name, or core, is loaded into it."""
    freeze: list[str] = field(default_factory=list)
    """Submodules that do not learn: no gradient, no weight decay, always in eval mode."""

    def __post_init__(self) -> None:
        alone = bool(self.mean_with) and not self.weights
        require(not alone, "model.mean_with", self.mean_with, "beside model.weights")


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """How batches are made of samples."""

    size: int = 128
    """Side of the square training pictures in pixels; others are resized."""
    batch_size: int = 16
    """Samples in a step."""
    workers: int = 1
    """Decoding processes; 0 = decode in the training process."""
    repeats: list[int] | None = None
    """How often an epoch uses each data set, in the order of --data; None = once each."""
    share: tuple[float, float] = (0.0, 1.0)
    """Start and end of the training rows that are used, as fractions of each data set: [0.2, 0.4]."""
    validation_samples: int = 500
    """Largest number of samples in a validation."""
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    """Random changes of training batches."""

    def __post_init__(self) -> None:
        require(self.size >= 16, "data.size", self.size, "at least 16")
        require(self.batch_size >= 1, "data.batch_size", self.batch_size, "at least 1")
        require(0 <= self.workers <= 64, "data.workers", self.workers, "in 0..64")
        require(
            self.validation_samples >= 1, "data.validation_samples", self.validation_samples, "at least 1"
        )
        start, stop = self.share
        require(0 <= start < stop <= 1, "data.share", list(self.share), "[start, stop], rising, in 0..1")
        positive = self.repeats is None or all(repeat >= 1 for repeat in self.repeats)
        require(positive, "data.repeats", self.repeats, "whole numbers of at least 1")


@dataclass(frozen=True, kw_only=True)
class OptimizerConfig:
    """How weights are updated."""

    name: Literal["adam", "adamw", "sgd", "rmsprop"] = "adamw"
    """Method."""
    lr: float = 1e-3
    """Largest learning rate; the schedule multiplies it."""
    slow: dict[str, float] = field(default_factory=dict)
    """Submodule -> factor on its learning rate: pretrained parts learn slower than new ones."""
    betas: tuple[float, float] = (0.9, 0.999)
    """Decay of the averages of gradient and square (adam, adamw); betas[0]: momentum (sgd, rmsprop)."""
    weight_decay: float = 0.0
    """L2 decay of the weights of convolutions and products; biases and norms (one axis) never decay.

    sgd, rmsprop and adam add weight_decay × weight to the gradient, as published; adamw shrinks the weight by
    lr × weight_decay × weight instead (Loshchilov and Hutter, arXiv 1711.05101).
    """

    def __post_init__(self) -> None:
        require(self.lr > 0, "optimizer.lr", self.lr, "above 0")
        shares = list(self.slow.values())
        require(all(0 < share <= 1 for share in shares), "optimizer.slow", shares, "each above 0, at most 1")
        require(all(0 <= beta < 1 for beta in self.betas), "optimizer.betas", self.betas, "two in [0, 1)")
        require(self.weight_decay >= 0, "optimizer.weight_decay", self.weight_decay, "0 or more")


@dataclass(frozen=True, kw_only=True)
class ScheduleConfig:
    """The learning rate over time; see schedule.py."""

    name: Literal["constant", "cosine", "onecycle", "step", "plateau", "cyclic"] = "cosine"
    """Shape."""
    warmup_steps: int = 0
    """Steps of linear rise at the start (constant, cosine, step, plateau), or at the lowest rate (cyclic)."""
    warmup_epochs: float = 0.0
    """Further warm-up in epochs; added to `warmup_steps`."""
    final: float = 0.01
    """Factor at the end (cosine, onecycle) and lowest factor (plateau)."""
    gamma: float = 0.1
    """Factor at every drop (step, plateau, cyclic)."""
    every: int = 1000
    """Steps between drops (step)."""
    low: float = 0.01
    """Factor between two triangles (cyclic)."""
    edge_epochs: float = 5.0
    """Epochs of a rise, and of a fall (cyclic)."""
    cycles: int = 3
    """Triangles before the drops (cyclic)."""
    patience: int = 2
    """Validations without a lower loss before a drop (plateau)."""

    def __post_init__(self) -> None:
        for name in ("warmup_steps", "warmup_epochs", "patience"):
            require(getattr(self, name) >= 0, f"schedule.{name}", getattr(self, name), "0 or more")
        for name in ("final", "low"):
            require(0 <= getattr(self, name) <= 1, f"schedule.{name}", getattr(self, name), "in 0..1")
        require(0 < self.gamma < 1, "schedule.gamma", self.gamma, "between 0 and 1")
        for name in ("every", "cycles"):
            require(getattr(self, name) >= 1, f"schedule.{name}", getattr(self, name), "at least 1")
        require(self.edge_epochs > 0, "schedule.edge_epochs", self.edge_epochs, "above 0")
