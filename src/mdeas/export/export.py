"""Export a trained network as one ONNX file with its spec inside, and compare the file with torch.

The network, the wrapper that names the ports, and the predictor are three things. No network has code for
export.
"""

import contextlib
import gc
import logging
import sys
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from torch import Tensor, nn

from mdeas.errors import ModelError
from mdeas.export.named_sizes import name_sizes
from mdeas.models.base import PairNetwork
from mdeas.runtime.onnx_predictor import INPUTS, OUTPUTS, SPEC_KEY, OnnxPredictor
from mdeas.runtime.spec import Spec
from mdeas.system.files import sha256_bytes, write_bytes
from mdeas.train.checkpoint import load_run, read_card

LICENCE = "Apache-2.0"
TOLERANCE = 1e-4
# (batch, height, width): none is the traced shape, one is odd, all differ in aspect.
PARITY_SHAPES = ((1, 96, 160), (2, 97, 131), (3, 192, 128))
_TRACED = (2, 3, 67, 101)


@dataclass(frozen=True, kw_only=True)
class Parity:
    """Largest difference between ONNX Runtime and torch at one shape."""

    batch: int
    height: int
    width: int
    mask: float
    """After the sigmoid, so in units of alpha."""
    depth: float
    """As a share of the range of torch's depth."""

    @property
    def equal(self) -> bool:
        """Whether both lie within TOLERANCE; False for NaN."""
        return self.mask <= TOLERANCE and self.depth <= TOLERANCE


class Ports(nn.Module):
    """Gives a network the ports of an mdeas model: (background, image) -> (mask in [0, 1], depth)."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, background: Tensor, image: Tensor) -> tuple[Tensor, Tensor]:
        """background, image: float32 (B, 3, H, W) in [0, 1]. Output: two (B, 1, H, W)."""
        output = self.network(background, image)
        return torch.sigmoid(output.mask_logits), output.depth


def export(
    run: Path, out: Path, *, size: int | None = None, looks: int = 1, force: bool = False
) -> dict[str, Any]:
    """Export the network of a run.

    Input:
        run: what train.checkpoint.load_run takes: a run folder (its last weights) or a .safetensors file.
        out: ONNX file to write.
        size: long side to work at; None = the size it was trained at.
        looks: passes of the network; 2 adds a mirrored pass over a crop around the detected subject.
    Output: {"name", "bytes", "sha256", "spec", "parity": rows of Parity}.
    Errors: ModelError (E-EXPORT-PARITY) when ONNX and torch differ; then nothing is written.
    """
    network, card = load_run(run), read_card(Path(run))
    assert isinstance(network, PairNetwork), type(network)
    size = size or card["recipe"]["data"]["size"]
    spec = Spec(
        size=int(size), multiple=network.multiple, name=card["model"], tasks=network.heads, looks=looks
    )
    return export_network(network, spec, Path(out), force=force)


def export_network(network: nn.Module, spec: Spec, out: Path, *, force: bool = False) -> dict[str, Any]:
    """`export` for a network in memory: forward(background, image) -> Output, see models/base.py."""
    ports = Ports(network).eval().cpu()
    data = to_onnx(ports, spec)
    parity = measure_parity(ports, data, spec.name)
    print(parity_table(parity), file=sys.stderr)
    if not all(row.equal for row in parity):
        raise ModelError(
            "E-EXPORT-PARITY",
            f"{spec.name!r}: ONNX and torch differ by more than {TOLERANCE:g}. Report the table above.",
        )
    record = write_bytes(out, data, force=force)
    return {**record, "spec": asdict(spec), "parity": [asdict(row) for row in parity]}


def to_onnx(ports: Ports, spec: Spec) -> bytes:
    """One ONNX file with dynamic batch, height and width, its weights inside and `spec` in its metadata."""
    with _quiet(), _no_garbage_collection():
        program = torch.onnx.export(
            _captured(ports),
            input_names=list(INPUTS),
            output_names=list(OUTPUTS),
            dynamo=True,
            dynamic_shapes={name: {0: "batch", 2: "height", 3: "width"} for name in INPUTS},
            external_data=False,
            verbose=False,
        )
    assert program is not None
    model = program.model_proto
    _strip(model)
    name_sizes(model)
    for key, value in sorted(metadata(ports, spec).items()):
        model.metadata_props.add(key=key, value=value)
    return model.SerializeToString(deterministic=True)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Hide the exporter's warnings about packages that are not used; measure_parity finds its mistakes."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


@contextlib.contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Pause the cycle collector: tracing keeps what it makes, so 15 % of its time was wasted on searches."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _captured(ports: Ports) -> torch.export.ExportedProgram:
    """The graph for any batch >= 1 and any size.

    Asserts are deferred: a decoder's doubled size equals the encoder's size only for padded photos, which the
    shape solver cannot prove. measure_parity checks it.
    """
    dynamic = dict.fromkeys((0, 2, 3), torch.export.Dim.DYNAMIC)
    photos = tuple(torch.rand(*_TRACED) for _ in INPUTS)
    with torch.no_grad():
        return torch.export.export(
            ports,
            photos,
            dynamic_shapes=dict.fromkeys(INPUTS, dynamic),
            prefer_deferred_runtime_asserts_over_guards=True,
        )


def metadata(ports: Ports, spec: Spec) -> dict[str, str]:
    """The file's metadata: its spec, its licence and the sha256 of the weights."""
    weights = weights_sha256(ports.network)
    return {SPEC_KEY: spec.to_json(), "mdeas.licence": LICENCE, "mdeas.weights_sha256": weights}


def weights_sha256(network: nn.Module) -> str:
    """sha256 of the weights as safetensors; weights of a checkpoint give the sha256 of its file."""
    weights = {name: tensor.cpu().contiguous() for name, tensor in network.state_dict().items()}
    return sha256_bytes(safetensors.torch.save(weights))


def _strip(model: Any) -> None:
    """Remove the exporter's notes: they name paths of this machine and take a third of a small file."""
    graph = model.graph
    for part in (model, graph, *graph.node, *graph.input, *graph.output, *graph.initializer):
        del part.metadata_props[:]
        part.ClearField("doc_string")


def measure_parity(ports: Ports, data: bytes, name: str) -> list[Parity]:
    """Compare the file with torch at PARITY_SHAPES, on fixed random photos."""
    predictor = OnnxPredictor(data, name, device="cpu")
    generator = torch.Generator().manual_seed(0)
    return [_compare(ports, predictor, shape, generator) for shape in PARITY_SHAPES]


def _compare(
    ports: Ports, predictor: OnnxPredictor, shape: tuple[int, int, int], generator: torch.Generator
) -> Parity:
    batch, height, width = shape
    photos = [torch.rand(batch, 3, height, width, generator=generator) for _ in INPUTS]
    with torch.no_grad():
        mask, depth = (tensor.numpy() for tensor in ports(*photos))
    ours = predictor.run(*(photo.numpy() for photo in photos))
    span = float(np.ptp(depth)) or 1.0
    return Parity(
        batch=batch,
        height=height,
        width=width,
        mask=float(np.abs(ours.mask - mask).max()),
        depth=float(np.abs(ours.depth - depth).max()) / span,
    )


def parity_table(rows: list[Parity]) -> str:
    """Aligned text: one line per shape."""
    lines = [f"{'batch':>5} {'height':>6} {'width':>6} {'mask':>9} {'depth':>9}   ONNX against torch"]
    for row in rows:
        verdict = "equal" if row.equal else f"over {TOLERANCE:g}"
        lines.append(
            f"{row.batch:5} {row.height:6} {row.width:6} {row.mask:9.1e} {row.depth:9.1e}   {verdict}"
        )
    return "\n".join(lines)
