"""Names for the sizes of what flows inside an ONNX file.

ONNX Runtime keeps a sum in its fast layout, without reshaping both sides of it, only where it knows them to
be of one size; its own rules lose that where sizes follow the photo's. Here they are measured at two shapes,
and what is equal in both gets one name.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, ValueInfoProto, helper

# (batch, height, width): all different, so that no size is taken for another, and none that needs no padding.
_SHAPES = ((2, 197, 301), (3, 131, 345))


def name_sizes(model: onnx.ModelProto) -> None:
    """Describe every feature map (four axes, float) in `model.graph.value_info`; what stood there goes."""
    graph = model.graph
    del graph.value_info[:]
    outer = {port.name for port in (*graph.input, *graph.output)}
    first, second = (_shapes(model, shape) for shape in _SHAPES)
    for name, shape in first.items():
        if name not in outer and len(shape) == 4:
            sizes = [_size(*axis) for axis in zip("bchw", shape, second[name], strict=True)]
            graph.value_info.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, sizes))


def _size(axis: str, one: int, other: int) -> int | str:
    return one if one == other else f"{axis}:{one}:{other}"


def _shapes(model: onnx.ModelProto, photo: tuple[int, int, int]) -> dict[str, tuple[int, ...]]:
    """Shapes of all float values inside, for a pair of that batch, height and width."""
    batch, height, width = photo
    seen = onnx.ModelProto.FromString(model.SerializeToString())
    named = {port.name for port in seen.graph.output}
    seen.graph.output.extend(ValueInfoProto(name=name) for name in _values(seen) if name not in named)
    pair = np.zeros((batch, 3, height, width), np.float32)
    session = _plain_session(seen)
    outputs = session.get_outputs()
    values = session.run(None, {port.name: pair for port in session.get_inputs()})
    return {
        port.name: value.shape
        for port, value in zip(outputs, values, strict=True)
        if port.type == "tensor(float)"
    }


def _values(model: onnx.ModelProto) -> Iterator[str]:
    return (name for node in model.graph.node for name in node.output if name)


def _plain_session(model: onnx.ModelProto) -> Any:
    """One that leaves the graph as it is, so that every value is there to be seen."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
