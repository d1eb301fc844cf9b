"""A network of the comparison, loaded: its predictor, its size, and the cost of its training."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from mdeas.errors import MdeasError
from mdeas.evaluate.compare.entries import Entry
from mdeas.evaluate.open_model import onnx_bytes
from mdeas.models.registry import create_model
from mdeas.models.summary import gflop
from mdeas.runtime.onnx_predictor import OnnxPredictor
from mdeas.train.checkpoint import load_run, read_card

GFLOP_SIZE = 224
# The export folds batch norm into convolutions, so a file holds slightly fewer numbers than the network.
_MAX_FOLDED = 0.02


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What is the same for all networks of a comparison."""

    size: int | None
    """Long side at which all work, pixels; None = each at the size that its file names."""
    threads: int
    """CPU threads of ONNX Runtime."""
    limit: int | None
    """Only the first so many samples; None = all."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One network of the comparison, loaded."""

    name: str
    predictor: OnnxPredictor
    """The network as it ships."""
    sha256: str
    """Of the ONNX file."""
    facts: dict[str, float]
    """Columns of the table that need no measurement; unknown ones are missing."""
    device: str | None
    """The device it was trained on; None = unknown."""


def candidate(entry: Entry, models: Path, setting: Setting) -> Candidate:
    """Load an entry; a run is exported to models/NAME.onnx first, unless that is there already.

    Errors: those of open_model.onnx_bytes and runtime.OnnxPredictor.
    """
    data = onnx_bytes(entry.source, size=setting.size, keep=models / f"{entry.name}.onnx")
    predictor = OnnxPredictor(data, entry.name, device="cpu", threads=setting.threads, size=setting.size)
    network = load_run(entry.source) if entry.is_run else _architecture(predictor.spec.name, data)
    cost = training_cost(entry.source) if entry.is_run else {}
    predictor.name = entry.name
    return Candidate(
        name=entry.name,
        predictor=predictor,
        sha256=predictor.sha256,
        facts=_size_columns(network) | _training_columns(cost),
        device=cost.get("device"),
    )


def _architecture(name: str, data: bytes) -> nn.Module | None:
    """The registry's network that an ONNX file holds; None when there is none or its size differs.

    A file names its architecture but not the options, so the numbers of weights are compared.
    """
    try:
        network = create_model(name)
    except MdeasError:  # not in the registry, or a package is missing
        return None
    numbers = sum(tensor.numel() for tensor in network.state_dict().values() if tensor.is_floating_point())
    return network if abs(_num_numbers(data) - numbers) <= _MAX_FOLDED * numbers else None


def _num_numbers(data: bytes) -> int:
    """The number of float32 constants in an ONNX file."""
    import onnx

    constants = onnx.load_from_string(data).graph.initializer
    return sum(
        math.prod(constant.dims) for constant in constants if constant.data_type == onnx.TensorProto.FLOAT
    )


def _size_columns(network: nn.Module | None) -> dict[str, float]:
    if network is None:
        return {}
    count = sum(parameter.numel() for parameter in network.parameters())
    return {"parameters": count, "gflop_224": gflop(network, GFLOP_SIZE)}


def _training_columns(cost: dict[str, Any]) -> dict[str, float]:
    """Columns of the cost of a run; {} when its card has none."""
    if not cost.get("images"):
        return {}
    return {
        "training_ms_per_picture": 1000 * cost["seconds"] / cost["images"],
        "training_pictures": cost["images"],
        "training_s": cost["seconds"],
        "training_peak_mib": cost["peak_gpu_memory_mib"] or cost["peak_memory_mib"],
    }


def training_cost(run: Path) -> dict[str, Any]:
    """The cost in a run's card (fields of train.cost.Cost), summed over stages; {} when a card has none."""
    stages = sorted(run.glob("stages/*/last.json"))
    costs = [read_card(card).get("cost", {}) for card in stages or [run]]
    if not all(costs):
        return {}
    total = dict(costs[-1])
    total |= {name: sum(cost[name] for cost in costs) for name in ("images", "seconds")}
    peaks = ("peak_memory_mib", "peak_gpu_memory_mib")
    return total | {name: max(cost[name] for cost in costs) for name in peaks}
