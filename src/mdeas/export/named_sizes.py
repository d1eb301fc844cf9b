"""Give equal dimensions of an ONNX graph one symbolic name, so that ONNX Runtime can prove that they match.

ONNX Runtime keeps a sum in its fast layout only where it knows that both sides have one size; its own shape
inference loses that where sizes depend on the photo. Here sizes are measured with two photos: dimensions that
are equal in both get one name.

ONNX Runtime also fuses a convolution, its norm and its activation only where nothing else reads the values
between them, not even a Shape node. So every Shape node is moved to another value of the same size.
"""

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, ValueInfoProto, helper

from mdeas.system.optional import import_onnxruntime

# (batch, height, width). All numbers differ, so that no size is mistaken for another. All need padding. They
# are small, because every value of the graph is in memory at once.
_SHAPES = ((2, 67, 101), (3, 131, 45))
_FUSED = ("Conv", "BatchNormalization", "Relu", "Clip")  # no Shape node reads the output of these


def name_sizes(model: onnx.ModelProto) -> None:
    """Replace `model.graph.value_info` by named sizes of every feature map (four axes, float).

    Every Shape node then reads the first map of that size that is no output of _FUSED.
    """
    del model.graph.value_info[:]
    first, second = (_shapes(model, shape) for shape in _SHAPES)
    for name, shape in first.items():
        if len(shape) == 4:
            sizes = [_size(*axis) for axis in zip("bchw", shape, second[name], strict=True)]
            model.graph.value_info.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, sizes))
    _move_shape_nodes(model.graph)


def _move_shape_nodes(graph: onnx.GraphProto) -> None:
    sizes = {one.name: one.type.tensor_type.shape.dim for one in graph.value_info}
    first: dict[tuple[int, str], str] = {}
    for node in graph.node:
        axis = _shape_axis(node)
        if axis is not None and (source := node.input[0]) in sizes:
            node.input[0] = first.get((axis, str(sizes[source][axis])), source)
        elif node.op_type not in _FUSED:
            for name in node.output:
                for axis, size in enumerate(sizes.get(name, ())):
                    first.setdefault((axis, str(size)), name)


def _shape_axis(node: onnx.NodeProto) -> int | None:
    """The axis whose size a Shape node reads, as the exporter writes them; None for other nodes."""
    if node.op_type != "Shape":
        return None
    values = {attribute.name: attribute.i for attribute in node.attribute}
    start = values.get("start", 0)
    return start if values.get("end") == start + 1 else None


def _size(axis: str, one: int, other: int) -> int | str:
    return one if one == other else f"{axis}:{one}:{other}"


def _shapes(model: onnx.ModelProto, photo: tuple[int, int, int]) -> dict[str, tuple[int, ...]]:
    """Shapes of all float values between inputs and outputs for a pair of photos (batch, height, width)."""
    batch, height, width = photo
    session = _session_of_all_values(model)
    known = {port.name for port in model.graph.output}
    inner = [p.name for p in session.get_outputs() if p.type == "tensor(float)" and p.name not in known]
    pair = np.zeros((batch, 3, height, width), np.float32)
    values = session.run(inner, {port.name: pair for port in session.get_inputs()})
    return {name: value.shape for name, value in zip(inner, values, strict=True)}


def _session_of_all_values(model: onnx.ModelProto) -> Any:
    """A session of the unoptimised graph in which every value is an output."""
    copy = onnx.ModelProto.FromString(model.SerializeToString())
    known = {port.name for port in copy.graph.output}
    names = (name for node in copy.graph.node for name in node.output)
    copy.graph.output.extend(ValueInfoProto(name=name) for name in names if name and name not in known)
    onnxruntime = import_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(copy.SerializeToString(), options, providers=["CPUExecutionProvider"])
