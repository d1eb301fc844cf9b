"""Errors that end a run early: a missing device, too little memory, too small batches, non-finite numbers."""

import contextlib
import math
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies.ddp import DDPStrategy

from mdeas.batches.batch import Batch
from mdeas.errors import MemoryLimitError, NonFiniteError, UsageError
from mdeas.models.base import Output
from mdeas.train.ranks import ALONE, Ranks
from mdeas.train.recipe.recipe import Recipe

_MEMORY_WORDS = ("out of memory", "can't allocate memory", "Cannot allocate memory")


def make_fabric(recipe: Recipe, device: str, ranks: Ranks = ALONE) -> Fabric:
    """Fabric on the wanted device, with DDP among several ranks.

    Input: device: auto | cpu | cuda.
    Errors: UsageError E-DEVICE when CUDA is wanted and missing, or has fewer GPUs than ranks here;
        E-RECIPE when several ranks on CPUs are to share batch norm.
    """
    available = torch.cuda.is_available()
    if device == "cuda" and not available:
        raise UsageError("E-DEVICE", "device cuda: torch sees no CUDA GPU. Use --device auto or cpu.")
    if device == "auto" and not available and ranks.first:
        print("mdeas: no GPU; training on the CPU.", file=sys.stderr)
    accelerator = "cuda" if available and device != "cpu" else "cpu"
    if accelerator == "cuda" and ranks.local_count > torch.cuda.device_count():
        raise UsageError(
            "E-DEVICE",
            f"{ranks.local_count} ranks on this machine, but {torch.cuda.device_count()} GPUs. "
            "Start as many ranks as GPUs, or use --device cpu.",
        )
    if accelerator == "cpu" and ranks.many and recipe.sync_batch_norm:
        raise UsageError(
            "E-RECIPE",
            "sync_batch_norm: torch shares batch norm between GPUs only, and these ranks train on the CPU. "
            "Set it to false.",
        )
    precision: Any = {"float32": "32-true", "bf16": "bf16-mixed"}[recipe.precision]
    machines = ranks.count // ranks.local_count
    # Without find_unused_parameters DDP waits for ever for the gradients of a head that has no loss term.
    one_head = len({name.partition("_")[0] for name, weight in recipe.loss.items() if weight}) < 2
    fabric = Fabric(
        accelerator=accelerator,
        devices=ranks.local_count,
        num_nodes=machines,
        strategy=DDPStrategy(find_unused_parameters=one_head) if ranks.many else "auto",
        precision=precision,
    )
    if ranks.many:
        fabric.launch()
    return fabric


@contextlib.contextmanager
def memory_named(batch_size: int) -> Iterator[None]:
    """Turn an out-of-memory error of torch or Python into MemoryLimitError with a batch size to try."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not isinstance(error, MemoryError) and not any(word in str(error) for word in _MEMORY_WORDS):
            raise
        smaller = max(1, batch_size // 2)
        raise MemoryLimitError(
            "E-MEMORY",
            f"batches of {batch_size} do not fit into memory. Try --set data.batch_size={smaller}.",
        ) from error


@contextlib.contextmanager
def batch_norm_named(recipe: Recipe, batch: Batch, ranks: Ranks = ALONE) -> Iterator[None]:
    """Turn batch norm's refusal of one value per channel into UsageError E-RECIPE, on all ranks."""
    try:
        yield
    except ValueError as error:
        if "more than 1 value per channel" not in str(error):
            raise
        got = f"got {len(batch.ids)} of {recipe.data.size}×{recipe.data.size} pixels"
        with ranks.alike():
            raise UsageError(
                "E-RECIPE",
                f"data.batch_size or data.size is too small: a batch norm of '{recipe.model.name}' needs at "
                f"least 2 values per channel, and this batch leaves it 1 ({got}). "
                "Set data.batch_size=2 or more (with as many samples), or double data.size.",
            ) from error


def check_finite(
    values: dict[str, float], output: Output, batch: Batch, step: int, ranks: Ranks = ALONE
) -> None:
    """NonFiniteError on all ranks unless all `values` of step `step` are finite.

    It names the samples with non-finite tensors, or all samples when there are none.
    Input: values: the same on all ranks.
    """
    wrong = ", ".join(f"{name} {value}" for name, value in values.items() if not math.isfinite(value))
    if not wrong:
        return
    tensors = (batch.background, batch.image, batch.mask, batch.inverse_depth, *output)
    good = torch.stack([tensor.isfinite().flatten(1).all(1) for tensor in tensors]).all(0).tolist()
    bad = _named(ranks, [name for name, fine in zip(batch.ids, good, strict=True) if not fine])
    with ranks.alike():
        raise NonFiniteError(
            "E-NON-FINITE",
            f"step {step}: {wrong}; samples {bad or _named(ranks, batch.ids)}. The state before is kept. "
            "Look at these samples (mdeas show), or lower optimizer.lr.",
        )


def _named(ranks: Ranks, ids: Sequence[str]) -> str:
    """The ids of all ranks."""
    return ", ".join(text for text in ranks.texts(", ".join(ids)) if text)
