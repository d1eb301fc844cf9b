"""Registry of architectures. Every file of this folder is imported, so a new file needs no entry elsewhere.

@register("mdeas", reference="docs/systems.md, system 5", parameters=1_521_026)
def mdeas() -> PairNetwork: ...
"""

import importlib
import inspect
import pkgutil
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from torch import nn

from mdeas.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class ModelInfo:
    """One row of the registry."""

    name: str
    builder: Callable[..., nn.Module]
    """Function that builds the network from keyword options."""
    reference: str
    """Where the architecture comes from: paper, repository or "this project"."""
    parameters: int
    """Number of parameters with default options; a test compares it with the network's."""

    @property
    def options(self) -> tuple[str, ...]:
        """Names of the builder's keyword options."""
        return tuple(inspect.signature(self.builder).parameters)


Builder = TypeVar("Builder", bound=Callable[..., nn.Module])

_REGISTRY: dict[str, ModelInfo] = {}


def register(name: str, *, reference: str, parameters: int) -> Callable[[Builder], Builder]:
    """Decorator that enters a builder function into the registry under `name`; see ModelInfo."""

    def add(builder: Builder) -> Builder:
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
    """The registry row of `name`; UsageError E-MODEL-NAME, which lists all names, when there is none."""
    if name not in _discover():
        raise UsageError("E-MODEL-NAME", f"model '{name}' is unknown. Known: {', '.join(model_names())}.")
    return _REGISTRY[name]


def create_model(name: str, **options: Any) -> nn.Module:
    """Build the network `name` with random weights, drawn from torch's global generator.

    Output: a module with forward(background, image) -> Output, see base.py.
    Errors: UsageError for an unknown name (E-MODEL-NAME) or option (E-MODEL-OPTION).
    Example:
        >>> network = create_model("twin-s")
        >>> sum(parameter.numel() for parameter in network.parameters())
        749650
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
    """UsageError E-MODEL-OPTION when the builder lists the allowed values and `value` is not one of them."""
    annotation = inspect.signature(info.builder, eval_str=True).parameters[option].annotation
    choices = typing.get_args(annotation) if typing.get_origin(annotation) is typing.Literal else (value,)
    if value not in choices:
        raise UsageError(
            "E-MODEL-OPTION",
            f"model '{info.name}': {option} is {value!r}; it must be one of {', '.join(choices)}.",
        )
