"""What a run starts from: samples, weights of other runs, frozen parts, a teacher network."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from mdeas.batches.loader import Samples, SampleSource
from mdeas.batches.part import Part
from mdeas.errors import InputError, ModelError, UsageError
from mdeas.train.checkpoint import load_run, referred
from mdeas.train.recipe.recipe import Recipe
from mdeas.train.recipe.sections import ModelConfig


def training_samples(recipe: Recipe, training: Sequence[SampleSource]) -> Samples:
    """The part of the open train splits `training` that `recipe` uses, at its picture size."""
    data = recipe.data
    return Samples([Part(source, data.share) for source in training], data.size, data.repeats)


def require_samples(samples: Samples) -> None:
    """InputError E-DATASET-EMPTY when there are no training samples."""
    if not len(samples):
        raise InputError("E-DATASET-EMPTY", "the train split has no samples. Make some, or check --data.")


def load_first_weights(model: nn.Module, config: ModelConfig, stages: Path) -> None:
    """Load the weights of the runs that `config` names: first the whole model, or the mean of several runs,
    then single parts.

    Input: stages: folder of the runs that "stage:" references name.
    Errors: ModelError E-CHECKPOINT when they cannot be read or do not fit; UsageError E-RECIPE for a part
        that the network does not have.
    """
    if config.weights:
        runs = (config.weights, *config.mean_with)
        states = [load_run(referred(run, stages)).state_dict() for run in runs]
        for run, state in zip(runs, states, strict=True):
            fill(model, state, run, "model.name")
        if config.mean_with:
            model.load_state_dict(mean_state(states))
    for name, run in config.parts.items():
        part = submodule(model, name, "model.parts")
        fill(part, _fitting(load_run(referred(run, stages)), name, part), run, f"model.parts.{name}")


def mean_state(states: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """The mean of several state dicts of one network; integer entries are those of the first.

    The mean of checkpoints of one run is often better than each of them (Izmailov et al., arXiv 1803.05407),
    and so is the mean of runs that start from the same weights (Wortsman et al., arXiv 2203.05482).
    """
    return {
        name: torch.stack([state[name] for state in states]).mean(0) if value.is_floating_point() else value
        for name, value in states[0].items()
    }


def fill(model: nn.Module, weights: dict[str, Tensor], run: str, field_name: str) -> None:
    """Load all of `weights`; ModelError E-CHECKPOINT when they do not fit."""
    try:
        model.load_state_dict(weights, strict=True)
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise ModelError("E-CHECKPOINT", f"'{run}' does not fit {field_name}: {reason}") from error


def _fitting(network: nn.Module, name: str, part: nn.Module) -> dict[str, Tensor]:
    """Weights of the submodule `name` of `network` if it has the layers of `part`, else those of its core."""
    same = dict(network.named_modules()).get(name)
    wanted = part.state_dict().keys()
    if same is not None and same.state_dict().keys() == wanted:
        return same.state_dict()
    return network.get_submodule("core").state_dict()


def freeze(model: nn.Module, names: Iterable[str]) -> list[nn.Module]:
    """Stop the gradients of the named submodules and return these; errors as in `submodule`."""
    frozen = [submodule(model, name, "model.freeze").requires_grad_(False) for name in names]
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise UsageError("E-RECIPE", "model.freeze leaves nothing that learns. Freeze less.")
    return frozen


def load_teacher(run: str | None, stages: Path, device: torch.device) -> nn.Module | None:
    """The network of `run` in eval mode on `device`, without gradients; None for no run."""
    if run is None:
        return None
    return load_run(referred(run, stages)).requires_grad_(False).to(device)


def submodule(model: nn.Module, name: str, field_name: str) -> nn.Module:
    """The submodule `name`; UsageError E-RECIPE, which lists the upper submodules, when there is none."""
    try:
        return model.get_submodule(name)
    except AttributeError as error:
        children = [child for child, _ in model.named_modules() if child and child.count(".") < 2]
        raise UsageError(
            "E-RECIPE", f"{field_name}: the network has no part '{name}'. Parts: {', '.join(children)}."
        ) from error
