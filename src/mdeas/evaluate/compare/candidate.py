"""A network that is compared: what it ships as, and what its checkpoint's card says it cost."""

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
# ONNX folds batch norm into convolutions, so that a file holds slightly fewer numbers than the network.
_FOLDED = 0.02


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
    """One network, loaded."""

    name: str
    predictor: OnnxPredictor
    """What is measured is what ships."""
    sha256: str
    """Of the ONNX file."""
    facts: dict[str, float]
    """Columns of the table that need no measurement; a column that is not known is not there."""
    device: str | None
    """Where it was trained; None = not known."""


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
        facts=_size(network) | _training(cost),
        device=cost.get("device"),
    )


def _architecture(name: str, data: bytes) -> nn.Module | None:
    """The network of the registry that an ONNX file holds; None when the file is of another size.

    A file names its architecture and not its options, so the count of its numbers has to agree.
    """
    try:
        network = create_model(name)
    except MdeasError:  # no name of ours, or a package that is not here
        return None
    numbers = sum(tensor.numel() for tensor in network.state_dict().values() if tensor.is_floating_point())
    return network if abs(_num_numbers(data) - numbers) <= _FOLDED * numbers else None


def _num_numbers(data: bytes) -> int:
    """How many float32 numbers an ONNX file holds as constants."""
    import onnx

    constants = onnx.load_from_string(data).graph.initializer
    return sum(
        math.prod(constant.dims) for constant in constants if constant.data_type == onnx.TensorProto.FLOAT
    )


def _size(network: nn.Module | None) -> dict[str, float]:
    if network is None:
        return {}
    count = sum(parameter.numel() for parameter in network.parameters())
    return {"parameters": count, "gflop_224": gflop(network, GFLOP_SIZE)}


def _training(cost: dict[str, Any]) -> dict[str, float]:
    """Columns of a run's cost; {} when its card says nothing."""
    if not cost.get("images"):
        return {}
    return {
        "training_ms_per_picture": 1000 * cost["seconds"] / cost["images"],
        "training_pictures": cost["images"],
        "training_s": cost["seconds"],
        "training_peak_mib": cost["peak_gpu_memory_mib"] or cost["peak_memory_mib"],
    }


def training_cost(run: Path) -> dict[str, Any]:
    """What a run's card says it cost (see train.cost.Cost), of all stages together when it has stages."""
    stages = sorted(run.glob("stages/*/last.json"))
    costs = [read_card(card).get("cost", {}) for card in stages or [run]]
    if not all(costs):
        return {}
    total = dict(costs[-1])
    total |= {name: sum(cost[name] for cost in costs) for name in ("images", "seconds")}
    peaks = ("peak_memory_mib", "peak_gpu_memory_mib")
    return total | {name: max(cost[name] for cost in costs) for name in peaks}
