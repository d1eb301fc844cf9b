"""A training recipe: YAML checked against frozen dataclasses, with overrides, and its resolved form."""

import contextlib
import dataclasses
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import yaml
from jsonargparse import ArgumentError, ArgumentParser

from mdeas.errors import UsageError
from mdeas.train.recipe.sections import DataConfig, ModelConfig, OptimizerConfig, ScheduleConfig, require


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything besides the data that determines what a training run computes."""

    model: ModelConfig
    """The network."""
    loss: dict[str, float]
    """Weight of each loss term; the names are those of losses.table.LOSSES."""
    data: DataConfig = field(default_factory=DataConfig)
    """The batches."""
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    """The optimizer."""
    schedule: ScheduleConfig = field(default_factory=ScheduleConfig)
    """The learning rate over time."""
    steps: int | None = None
    """Number of optimizer steps; give this or `epochs`."""
    epochs: int | None = None
    """Number of passes over the data."""
    teacher: str | None = None
    """Run whose network predicts the true depth, on the augmented photos; None = the data's depth."""
    ema: float = 0.0
    """Decay of a running average of the weights, which is validated and saved; 0 = no average."""
    grad_clip: float = 0.0
    """Largest norm of the gradient; larger ones are scaled down. 0 = not clipped."""
    grad_clip_value: float = 0.0
    """Largest absolute value in the gradient, after `grad_clip`; 0 = not clipped."""
    sync_batch_norm: bool = False
    """With several GPUs: batch norm uses the statistics of all GPUs' batches. Not available on the CPU."""
    precision: Literal["float32", "bf16"] = "float32"
    """bf16: forward and backward of the network in bfloat16, weights and losses in float32."""
    channels_last: bool = True
    """Whether the network uses the memory format channels_last, which is faster on CPU."""
    threads: int = 0
    """CPU threads of torch; 0 = as many as there are free cores when the run starts, shared by its ranks.

    The bits of a run depend on the number, so the run stores it and uses the same after a resume.
    """
    validate_every: int | Literal["epoch"] = 500
    """Steps between validations, or "epoch": validate after each pass over the data."""
    save_every: int = 500
    """Steps between resume states; a crash loses at most so many."""
    seed: int = 0
    """Seed of weights, order and augmentation."""
    stages: list[dict[str, Any]] = field(default_factory=list)
    """Runs one after the other: each has a `name` and the fields in which it differs from this recipe.

    A stage replaces `loss`, `model.options` and `model.parts` as a whole, other mappings field by field. It
    begins with the last weights of the stage before if it has the same network. "stage:NAME" or
    "stage:NAME/best-mask" in `model.weights`, `model.mean_with`, `model.parts` or `teacher` means the run of
    an earlier stage. `continue_lr: true` begins at the learning rate with which the stage before ended.
    """

    def __post_init__(self) -> None:
        from mdeas.train.losses.table import LOSSES

        lengths = [length for length in (self.steps, self.epochs) if length is not None]
        one = len(lengths) == 1 or (not lengths and bool(self.stages))
        require(one, "steps", self.steps, "given, or else epochs")
        require(all(length >= 1 for length in lengths), "steps or epochs", lengths, "at least 1")
        unknown = sorted(set(self.loss) - set(LOSSES))
        require(not unknown, "loss", unknown, f"made of {', '.join(sorted(LOSSES))}")
        require(
            any(weight > 0 for weight in self.loss.values()), "loss", self.loss, "one positive weight or more"
        )
        require(all(weight >= 0 for weight in self.loss.values()), "loss", self.loss, "0 or more each")
        require(0 <= self.ema < 1, "ema", self.ema, "in [0, 1)")
        for name in ("grad_clip", "grad_clip_value", "threads"):
            require(getattr(self, name) >= 0, name, getattr(self, name), "0 or more")
        often = self.validate_every == "epoch" or self.validate_every >= 1
        require(often, "validate_every", self.validate_every, 'at least 1, or "epoch"')
        require(self.save_every >= 1, "save_every", self.save_every, "at least 1")
        require(0 <= self.seed < 2**32, "seed", self.seed, "in 0..2^32-1")


def recipe_of(values: dict[str, Any]) -> Recipe:
    """The recipe with these fields, given as YAML types; errors as in load.load_recipe."""
    parser = recipe_parser()
    with named("recipe"):
        found = parser.parse_object(values)
    return Recipe(**vars(parser.instantiate(found)))


def recipe_parser() -> ArgumentParser:
    """A parser of the fields of a Recipe, for YAML files and `--FIELD=VALUE`."""
    parser = ArgumentParser(exit_on_error=False, add_help=False)
    parser.add_class_arguments(Recipe)
    return parser


@contextlib.contextmanager
def named(what: str) -> Iterator[None]:
    """Turn the parser's errors into UsageError E-RECIPE: one line that begins with `what`."""
    try:
        yield
    except (ArgumentError, TypeError) as error:
        refusal = " ".join(str(error).split())
        raise UsageError("E-RECIPE", f"{what}: {refusal}{_advice(refusal)}") from error


def to_dict(recipe: Recipe) -> dict[str, Any]:
    """The resolved recipe as JSON-able values."""
    return _plain(dataclasses.asdict(recipe))


def _plain(value: Any) -> Any:
    """The same with lists for tuples, as a file would return it."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def to_yaml(recipe: Recipe) -> str:
    """The resolved recipe as YAML that `load_recipe` reads back."""
    return yaml.safe_dump(to_dict(recipe), sort_keys=False)


_FREE = ("data.workers", "data.cache")  # change the speed of a run, not its result
_REMOVED = {"compile": False, "data.cache": False, "schedule.every_epochs": 0.0}
"""Removed fields with their defaults; the resume states of older runs still contain them."""


def _advice(refusal: str) -> str:
    """What to do about a message of the parser that refuses a removed field; "" for any other message."""
    for field_name in _REMOVED:
        name = field_name.rpartition(".")[2]
        if f"option '{name}'" in refusal.lower() or f"--{field_name}=" in refusal:
            return f". Recipes have no field {field_name} any more: delete it."
    return ""


def differences(before: dict[str, Any], now: dict[str, Any], prefix: str = "") -> list[str]:
    """Fields of two resolved recipes that differ in what they compute, as "field: old -> new"."""
    found = []
    for name in sorted(before.keys() | now.keys()):
        old, new, field_name = _by_number(before.get(name)), _by_number(now.get(name)), f"{prefix}{name}"
        in_recipe = re.sub(r"^stages\.\d+\.", "", field_name)
        if isinstance(old, dict) and isinstance(new, dict):
            found += differences(old, new, f"{field_name}.")
        elif old not in (new, _REMOVED.get(in_recipe, new)) and in_recipe not in _FREE:
            found.append(f"{field_name}: {old} -> {new}")
    return found


def _by_number(value: Any) -> Any:
    """A list of mappings as a mapping from the number of each, counted from 1; else the value."""
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        return {str(number): item for number, item in enumerate(value, 1)}
    return value
