"""Network, optimizer and the running average of the weights, updated batch by batch."""

import copy
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from mdeas.batches.batch import Batch
from mdeas.models.base import Output
from mdeas.models.pretrained import import_timm
from mdeas.models.registry import create_model
from mdeas.train.first_weights import freeze, load_first_weights, load_teacher
from mdeas.train.guards import batch_norm_named, check_finite
from mdeas.train.losses.table import loss_terms
from mdeas.train.ranks import ALONE, Ranks
from mdeas.train.recipe.recipe import Recipe
from mdeas.train.schedule import make_optimizer
from mdeas.train.validate import accuracies as accuracies_of


def with_shared_statistics(model: nn.Module) -> nn.Module:
    """The model with batch norm over the batches of all ranks; weights and their names stay. GPUs only."""
    if any(type(module).__name__ == "BatchNormAct2d" for module in model.modules()):
        # timm's own norm, which holds an activation: torch's conversion would lose that.
        return import_timm().layers.convert_sync_batchnorm(model)
    return nn.SyncBatchNorm.convert_sync_batchnorm(model)


class Learner:
    """A network with weights from the recipe's seed, or from runs that it names, and all that updates it.

    Input: stages: folder of the runs that "stage:" references in the recipe name.
    """

    def __init__(self, recipe: Recipe, fabric: Fabric, stages: Path = Path(), ranks: Ranks = ALONE):
        self.recipe, self.fabric, self.ranks = recipe, fabric, ranks
        torch.manual_seed(recipe.seed)
        self.plain = create_model(recipe.model.name, **recipe.model.options)
        load_first_weights(self.plain, recipe.model, stages)
        self.frozen = freeze(self.plain, recipe.model.freeze)
        self.teacher = load_teacher(recipe.teacher, stages, fabric.device)
        if recipe.sync_batch_norm and ranks.many:
            self.plain = with_shared_statistics(self.plain)
        if recipe.channels_last:
            self.plain.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        optimizer = make_optimizer(self.plain, recipe.optimizer)
        # Stored here, from the recipe: a resume state of an early version replaces the groups without them.
        self.shares = [group["share"] for group in optimizer.param_groups]
        self.model, self.optimizer = fabric.setup(self.plain, optimizer)
        self.average = copy.deepcopy(self.plain).requires_grad_(False) if recipe.ema else None

    def step(self, batch: Batch, lr: float, step: int, *, accuracies: bool = False) -> dict[str, float]:
        """One optimizer step, the `step`-th counted from 1.

        Output: the loss terms by name, "total" and "grad_norm" (before clipping); with `accuracies` also the
            means of validate.accuracies, before the step.
        Errors: NonFiniteError; UsageError E-RECIPE for a batch too small for batch norm. The weights are
            then unchanged.
        """
        self.plain.train()
        for part in self.frozen:
            part.eval()
        self.optimizer.zero_grad()
        with batch_norm_named(self.recipe, batch, self.ranks):
            output = self.model(batch.background, batch.image)
        terms = loss_terms(output, batch, self.recipe.loss)
        self.fabric.backward(terms["total"])
        terms["grad_norm"] = self._clip()
        # One transfer for all values: on a GPU every .item() waits.
        values = dict(zip(terms, torch.stack(list(terms.values())).tolist(), strict=True))
        values = self.ranks.mean(values)
        check_finite(values, output, batch, step, self.ranks)
        for group, share in zip(self.optimizer.param_groups, self.shares, strict=True):
            group["lr"] = lr * share
        self.optimizer.step()
        self._update_average(step)
        return values | (self._accuracies(output, batch) if accuracies else {})

    def _accuracies(self, output: Output, batch: Batch) -> dict[str, float]:
        with torch.no_grad():
            found = accuracies_of(output, batch, self.recipe.loss)
        return self.ranks.mean({name: values.nanmean().item() for name, values in found.items()})

    def _clip(self) -> Tensor:
        """Clip the gradient; return its norm before clipping."""
        parameters = [parameter for parameter in self.plain.parameters() if parameter.requires_grad]
        norm = nn.utils.clip_grad_norm_(parameters, self.recipe.grad_clip or math.inf)
        if self.recipe.grad_clip_value:
            nn.utils.clip_grad_value_(parameters, self.recipe.grad_clip_value)
        return norm

    def with_teacher(self, batch: Batch) -> Batch:
        """The batch with the teacher's depth as true depth, known everywhere; unchanged without a teacher."""
        if self.teacher is None:
            return batch
        with torch.no_grad():
            depth = self.teacher(batch.background, batch.image).depth
        known = torch.ones_like(batch.depth_known)
        return replace(batch, inverse_depth=depth, depth_known=known, stretch=False)

    def _update_average(self, step: int) -> None:
        if self.average is None:
            return
        decay = min(self.recipe.ema, (1 + step) / (10 + step))  # a short average while weights change fast
        old, new = self.average.state_dict(), self.plain.state_dict()
        names = [name for name in old if old[name].is_floating_point()]
        get_ema_multi_avg_fn(decay)([old[name] for name in names], [new[name] for name in names], step)

    @property
    def best_guess(self) -> nn.Module:
        """The network to validate and save: the averaged one if the recipe averages."""
        return self.plain if self.average is None else self.average

    def predict(self, batch: Batch) -> Output:
        """Output of `best_guess` in eval mode."""
        with torch.inference_mode(), self.fabric.autocast():
            return self.best_guess.eval()(batch.background, batch.image)

    def state(self) -> dict[str, Any]:
        """Input for `restore`."""
        return {
            "model": self.plain.state_dict(),
            "average": self.average.state_dict() if self.average is not None else None,
            "optimizer": self.optimizer.state_dict(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Return to the `state` that `state()` gave."""
        self.plain.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.average is not None:
            self.average.load_state_dict(state["average"])

    def weights(self) -> dict[str, Tensor]:
        """State dict of `best_guess`."""
        return self.best_guess.state_dict()
