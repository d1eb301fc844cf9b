"""A training recipe: YAML checked against frozen dataclasses, with overrides, and its resolved form."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml
from jsonargparse import ArgumentError, ArgumentParser

from mdeas.data.augment import AugmentConfig
from mdeas.errors import UsageError

RECIPES = Path(__file__).parent / "recipes"


def _require(ok: bool, field_name: str, value: Any, rule: str) -> None:
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
    """Run folder or .safetensors file of the same network to begin with; None = fresh from the seed."""


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """How samples become batches."""

    size: int = 128
    """Side of the square training pictures in pixels; others are resized."""
    batch_size: int = 16
    """Samples a step."""
    workers: int = 1
    """Decoding processes; 0 = decode in the training process."""
    cache: bool = False
    """Decode everything once and keep it in memory: 12 bytes a pixel."""
    repeats: list[int] | None = None
    """How often an epoch shows each data set, in the order of --data; None = once each."""
    validation_samples: int = 500
    """Validation looks at this many samples at most."""
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    """Random changes of training batches."""

    def __post_init__(self):
        _require(self.size >= 16, "data.size", self.size, "at least 16")
        _require(self.batch_size >= 1, "data.batch_size", self.batch_size, "at least 1")
        _require(0 <= self.workers <= 64, "data.workers", self.workers, "in 0..64")
        _require(
            self.validation_samples >= 1, "data.validation_samples", self.validation_samples, "at least 1"
        )
        positive = self.repeats is None or all(repeat >= 1 for repeat in self.repeats)
        _require(positive, "data.repeats", self.repeats, "whole numbers of at least 1")


@dataclass(frozen=True, kw_only=True)
class OptimizerConfig:
    """How weights move."""

    name: Literal["adam", "adamw", "sgd", "rmsprop"] = "adamw"
    """Method."""
    lr: float = 1e-3
    """Largest learning rate; the schedule multiplies it."""
    betas: tuple[float, float] = (0.9, 0.999)
    """Averaging of gradient and square (adam, adamw); the first is the momentum of sgd and rmsprop."""
    weight_decay: float = 0.0
    """Applied to weights of convolutions and products, not to biases and norms."""

    def __post_init__(self):
        _require(self.lr > 0, "optimizer.lr", self.lr, "above 0")
        _require(all(0 <= beta < 1 for beta in self.betas), "optimizer.betas", self.betas, "two in [0, 1)")
        _require(self.weight_decay >= 0, "optimizer.weight_decay", self.weight_decay, "0 or more")


@dataclass(frozen=True, kw_only=True)
class ScheduleConfig:
    """How the learning rate moves; see schedule.py."""

    name: Literal["constant", "cosine", "onecycle", "step", "plateau"] = "cosine"
    """Shape."""
    warmup_steps: int = 0
    """Linear rise at the start (constant, cosine, step, plateau)."""
    final: float = 0.01
    """Factor at the end (cosine, onecycle) and lowest factor (plateau)."""
    gamma: float = 0.1
    """Factor at every drop (step, plateau)."""
    every: int = 1000
    """Steps between drops (step)."""
    patience: int = 2
    """Validations without a lower loss before a drop (plateau)."""

    def __post_init__(self):
        _require(self.warmup_steps >= 0, "schedule.warmup_steps", self.warmup_steps, "0 or more")
        _require(0 <= self.final <= 1, "schedule.final", self.final, "in 0..1")
        _require(0 < self.gamma < 1, "schedule.gamma", self.gamma, "between 0 and 1")
        _require(self.every >= 1, "schedule.every", self.every, "at least 1")
        _require(self.patience >= 0, "schedule.patience", self.patience, "0 or more")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything that decides what a training run computes, besides its data."""

    model: ModelConfig
    """The network."""
    loss: dict[str, float]
    """Weight of each term, names of losses.LOSSES."""
    data: DataConfig = field(default_factory=DataConfig)
    """The batches."""
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    """The optimizer."""
    schedule: ScheduleConfig = field(default_factory=ScheduleConfig)
    """The learning rate over time."""
    steps: int | None = None
    """Length in optimizer steps; give this or `epochs`."""
    epochs: int | None = None
    """Length in passes over the data."""
    ema: float = 0.0
    """Decay of a running average of the weights, used for validation and checkpoints; 0 = none."""
    grad_clip: float = 0.0
    """Largest norm of the gradient; 0 = not clipped."""
    precision: Literal["float32", "bf16"] = "float32"
    """bf16: forward and backward of the network in bfloat16, weights and losses in float32."""
    channels_last: bool = True
    """Memory format of the network; free speed on CPU."""
    compile: bool = False
    """torch.compile the network; needs a C++ compiler on CPU."""
    threads: int = 0
    """Threads of torch on CPU; 0 = all cores. Bits of a run depend on it."""
    validate_every: int = 500
    """Steps between validations."""
    save_every: int = 500
    """Steps between resume states: what a crash may lose."""
    seed: int = 0
    """Of weights, order and augmentation."""

    def __post_init__(self):
        from mdeas.train.losses import LOSSES

        _require((self.steps is None) != (self.epochs is None), "steps", self.steps, "given, or else epochs")
        _require(
            (self.steps or self.epochs or 0) >= 1, "steps or epochs", self.steps or self.epochs, "at least 1"
        )
        unknown = sorted(set(self.loss) - set(LOSSES))
        _require(not unknown, "loss", unknown, f"made of {', '.join(sorted(LOSSES))}")
        _require(
            any(weight > 0 for weight in self.loss.values()), "loss", self.loss, "one positive weight or more"
        )
        _require(all(weight >= 0 for weight in self.loss.values()), "loss", self.loss, "0 or more each")
        _require(0 <= self.ema < 1, "ema", self.ema, "in [0, 1)")
        _require(self.grad_clip >= 0, "grad_clip", self.grad_clip, "0 or more")
        for name in ("validate_every", "save_every"):
            _require(getattr(self, name) >= 1, name, getattr(self, name), "at least 1")
        _require(self.threads >= 0, "threads", self.threads, "0 or more")
        _require(0 <= self.seed < 2**32, "seed", self.seed, "in 0..2^32-1")


def recipe_names() -> list[str]:
    """Sorted names of the recipes in the package."""
    return sorted(path.stem for path in RECIPES.glob("*.yaml"))


def load_recipe(name_or_path: str | Path, overrides: Sequence[str] = ()) -> Recipe:
    """A recipe of the package by name, or a YAML file, with `FIELD=VALUE` overrides (`optimizer.lr=1e-3`).

    Errors: UsageError E-RECIPE naming the field that is unknown, of a wrong type or out of range.
    """
    parser = ArgumentParser(exit_on_error=False, add_help=False)
    parser.add_class_arguments(Recipe)
    try:
        base = parser.parse_path(str(_find(name_or_path)))
        found = parser.parse_args([_option(text) for text in overrides], namespace=base)
    except (ArgumentError, TypeError) as error:
        raise UsageError("E-RECIPE", f"recipe '{name_or_path}': {' '.join(str(error).split())}") from error
    return Recipe(**vars(parser.instantiate(found)))


def _find(name_or_path: str | Path) -> Path:
    for path in (Path(name_or_path), RECIPES / f"{name_or_path}.yaml"):
        if path.is_file():
            return path
    raise UsageError(
        "E-RECIPE",
        f"recipe '{name_or_path}' is neither a file nor one of: {', '.join(recipe_names())}.",
    )


def _option(text: str) -> str:
    name, equals, _ = text.partition("=")
    _require(bool(equals and name), "--set", text, "FIELD=VALUE")
    return f"--{text}"


def to_dict(recipe: Recipe) -> dict[str, Any]:
    """The resolved recipe as JSON-able values."""
    values = dataclasses.asdict(recipe)
    values["optimizer"]["betas"] = list(recipe.optimizer.betas)
    return values


def to_yaml(recipe: Recipe) -> str:
    """The resolved recipe as YAML that `load_recipe` reads back."""
    return yaml.safe_dump(to_dict(recipe), sort_keys=False)


_FREE = ("data.workers", "data.cache")  # decide how fast, not what, a run computes


def differences(before: dict[str, Any], now: dict[str, Any], prefix: str = "") -> list[str]:
    """Fields of two resolved recipes that differ in what they compute, as "field: old -> new"."""
    found = []
    for name in sorted(before.keys() | now.keys()):
        old, new, field_name = before.get(name), now.get(name), f"{prefix}{name}"
        if isinstance(old, dict) and isinstance(new, dict):
            found += differences(old, new, f"{field_name}.")
        elif old != new and field_name not in _FREE:
            found.append(f"{field_name}: {old} -> {new}")
    return found
