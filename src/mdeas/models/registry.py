"""Registry of architectures: one file per architecture in this folder, found by itself.

@register("mdeas", reference="SYSTEMS.md, system 5", parameters=1_521_026)
def mdeas(**options: Any) -> PairNetwork: ...
"""

import importlib
import inspect
import pkgutil
import typing
from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from mdeas.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class ModelInfo:
    """What the registry knows about one architecture."""

    name: str
    builder: Callable[..., nn.Module]
    reference: str
    """Where the architecture comes from: paper, repository or "this project"."""
    parameters: int
    """Number of parameters with default options; held by a test."""

    @property
    def options(self) -> tuple[str, ...]:
        """Names of the keyword options the builder takes."""
        return tuple(inspect.signature(self.builder).parameters)


_REGISTRY: dict[str, ModelInfo] = {}


def register(name: str, *, reference: str, parameters: int):
    """Decorator that puts a builder function into the registry under `name`."""

    def add(builder: Callable[..., nn.Module]) -> Callable[..., nn.Module]:
        _REGISTRY[name] = ModelInfo(name=name, builder=builder, reference=reference, parameters=parameters)
        return builder

    return add


def _discover() -> dict[str, ModelInfo]:
    package = __name__.rpartition(".")[0]
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
        importlib.import_module(f"{package}.{module.name}")
    return _REGISTRY


def model_names() -> list[str]:
    """Sorted names of all architectures."""
    return sorted(_discover())


def model_info(name: str) -> ModelInfo:
    """The registry row of `name`; UsageError (E-MODEL-NAME) lists the names when it is unknown."""
    if name not in _discover():
        raise UsageError("E-MODEL-NAME", f"model '{name}' is unknown. Known: {', '.join(model_names())}.")
    return _REGISTRY[name]


def create_model(name: str, **options) -> nn.Module:
    """Build the architecture `name` with fresh weights from torch's global generator.

    Output: a module with forward(background, image) -> Output, see models/base.py.
    Errors: UsageError for an unknown name (E-MODEL-NAME) or option (E-MODEL-OPTION).
    """
    info = model_info(name)
    unknown = sorted(set(options) - set(info.options))
    if unknown:
        known = ", ".join(info.options) or "none"
        raise UsageError("E-MODEL-OPTION", f"model '{name}' has no option {unknown}. Its options: {known}.")
    for option, value in options.items():
        _check_choice(info, option, value)
    return info.builder(**options)


def _check_choice(info: ModelInfo, option: str, value: object) -> None:
    """UsageError (E-MODEL-OPTION) when the builder names the values it takes and `value` is none of them."""
    annotation = inspect.signature(info.builder, eval_str=True).parameters[option].annotation
    choices = typing.get_args(annotation) if typing.get_origin(annotation) is typing.Literal else (value,)
    if value not in choices:
        raise UsageError(
            "E-MODEL-OPTION",
            f"model '{info.name}': {option} is {value!r}; it must be one of {', '.join(choices)}.",
        )
