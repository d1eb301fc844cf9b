"""Size and cost of networks: operations, a table of the layers of one network, a table of all networks.

Counted on the meta device, where tensors have shapes but no values: fast, and almost without memory.
"""

import copy
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from mdeas.errors import ModelError
from mdeas.models.registry import ModelInfo, create_model, model_info, model_names

MIB = 2**20
BYTES = 4  # of a float32
UNKNOWN = "–"


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One call of one module that has no children, or parameters of its own."""

    kind: str
    """Its type and its number in the order of calls: "Conv2d-1"."""
    shape: tuple[int, ...]
    """Shape of its output (of the first of several); mostly (1, channels, height, width)."""
    parameters: int
    """Number of its own parameters, without those of its children; 0 from its second call on."""
    name: str
    """Its name in the network: "core.image_stem.0"."""


def gflop(model: nn.Module, size: int = 224) -> float:
    """Billions of floating-point operations for one pair of size×size photos.

    A multiply-add counts as two. Convolutions and matrix products are counted, element-wise operations not.
    Input: any module with forward(background, image); it is not changed.
    """
    with FlopCounterMode(display=False) as counter:
        _run(_on_meta(model), size)
    return counter.get_total_flops() / 1e9


def layers(model: nn.Module, size: int = 224) -> list[Layer]:
    """The layers of `model` in the order of their calls, for one pair of size×size photos.

    Input: any module with forward(background, image); it is not changed.
    """
    network = _on_meta(model)
    rows: list[Layer] = []
    counted: set[str] = set()

    def watch(name: str, module: nn.Module) -> None:
        def note(_module: nn.Module, _inputs: object, output: Tensor | tuple[Tensor, ...]) -> None:
            shape = tuple((output if isinstance(output, Tensor) else output[0]).shape)
            count = 0 if name in counted else _own(module)
            counted.add(name)
            kind = f"{type(module).__name__}-{len(rows) + 1}"
            rows.append(Layer(kind=kind, shape=shape, parameters=count, name=name))

        module.register_forward_hook(note)

    for name, module in network.named_modules():
        if _own(module) or not list(module.children()):
            watch(name, module)
    _run(network, size)
    return rows


def layer_table(name: str, size: int = 224) -> str:
    """The layers, totals and memory of the network `name` as text, laid out as by published system 5.

    Memory is in MiB, for float32; "Forward/backward pass" is every layer's output and its gradient.
    Errors: as in create_model.
    """
    model = _build(name)
    rows = layers(model, size)
    head = f"{'Layer (type)':<24}{'Output shape':>22}{'Param #':>14}  Name"
    body = [f"{row.kind:<24}{list(row.shape)!s:>22}{row.parameters:>14,}  {row.name}" for row in rows]
    thin, thick = "-" * 100, "=" * 100
    return "\n".join([thin, head, thick, *body, thick, *_totals(model, rows, size), thin])


def _totals(model: nn.Module, rows: list[Layer], size: int) -> list[str]:
    total = sum(p.numel() for p in model.parameters())
    learnt = sum(p.numel() for p in model.parameters() if p.requires_grad)
    megabytes = {
        "Input size": 2 * 3 * size * size * BYTES / MIB,
        "Forward/backward pass size": 2 * sum(torch.Size(row.shape).numel() for row in rows) * BYTES / MIB,
        "Params size": total * BYTES / MIB,
    }
    megabytes["Estimated total size"] = sum(megabytes.values())
    return [
        f"Total params: {total:,}",
        f"Trainable params: {learnt:,}",
        f"Non-trainable params: {total - learnt:,}",
        f"GFLOP: {gflop(model, size):.2f}",
        *(f"{label} (MB): {value:.2f}" for label, value in megabytes.items()),
    ]


def model_table() -> str:
    """All architectures as text: name, parameters, GFLOP at 224×224, heads, reference.

    An en dash marks a network whose packages are missing.
    """
    rows = [("name", "parameters", "GFLOP", "heads", "reference")]
    rows += [_row(model_info(name)) for name in model_names()]
    return "\n".join(f"{row[0]:<14}{row[1]:>12}{row[2]:>8}  {row[3]:<12}  {row[4]}" for row in rows)


def _row(info: ModelInfo) -> tuple[str, str, str, str, str]:
    try:
        model = _build(info.name)
        cost, heads = f"{gflop(model):.2f}", ", ".join(getattr(model, "heads", ()))
    except ModelError:
        cost, heads = UNKNOWN, UNKNOWN
    return info.name, f"{info.parameters:,}", cost, heads, info.reference


def _build(name: str) -> nn.Module:
    with torch.device("meta"):
        return create_model(name)


def _on_meta(model: nn.Module) -> nn.Module:
    """A copy of the model on the meta device: deepcopy uses the tensors that it finds in its memo."""
    memo: dict[int, Tensor] = {id(b): b.to("meta") for b in model.buffers()}
    memo |= {id(p): nn.Parameter(p.detach().to("meta"), p.requires_grad) for p in model.parameters()}
    return copy.deepcopy(model, memo).eval()


def _run(network: nn.Module, size: int) -> None:
    photos = [torch.empty(1, 3, size, size, device="meta") for _ in ("background", "image")]
    with torch.no_grad():
        network(*photos)


def _own(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters(recurse=False))
