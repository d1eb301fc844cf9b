"""Names for the sizes of what flows inside an ONNX file, and where they are asked.

ONNX Runtime keeps a sum in its fast layout, without reshaping both sides of it, only where it knows them to
be of one size; its own rules lose that where sizes follow the photo's. Here they are measured at two shapes,
and what is equal in both gets one name. And it computes a convolution, its norm and its activation in one go
only where nothing else, not even a question for the size, reads what is between them: another of that size is
asked.
"""

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, ValueInfoProto, helper

from mdeas.system.optional import import_onnxruntime

# (batch, height, width): all different, so that no size is taken for another; none that needs no padding;
# small, since every value inside is held at once.
_SHAPES = ((2, 67, 101), (3, 131, 45))
_ONE_GO = ("Conv", "BatchNormalization", "Relu", "Clip")  # none of these is asked for its size


def name_sizes(model: onnx.ModelProto) -> None:
    """Describe every feature map (four axes, float) in `model.graph.value_info`; what stood there goes.

    Every size is asked of the first map that has it and is no convolution's.
    """
    del model.graph.value_info[:]
    first, second = (_shapes(model, shape) for shape in _SHAPES)
    for name, shape in first.items():
        if len(shape) == 4:
            sizes = [_size(*axis) for axis in zip("bchw", shape, second[name], strict=True)]
            model.graph.value_info.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, sizes))
    _ask_the_first(model.graph)


def _ask_the_first(graph: onnx.GraphProto) -> None:
    sizes = {one.name: one.type.tensor_type.shape.dim for one in graph.value_info}
    first: dict[tuple[int, str], str] = {}
    for node in graph.node:
        axis = _asked_axis(node)
        if axis is not None and (source := node.input[0]) in sizes:
            node.input[0] = first.get((axis, str(sizes[source][axis])), source)
        elif node.op_type not in _ONE_GO:
            for name in node.output:
                for axis, size in enumerate(sizes.get(name, ())):
                    first.setdefault((axis, str(size)), name)


def _asked_axis(node: onnx.NodeProto) -> int | None:
    """Of what a node asks one size, as the exporter does."""
    asked = {attribute.name: attribute.i for attribute in node.attribute} if node.op_type == "Shape" else {}
    start = asked.get("start", 0)
    return start if asked.get("end") == start + 1 else None


def _size(axis: str, one: int, other: int) -> int | str:
    return one if one == other else f"{axis}:{one}:{other}"


def _shapes(model: onnx.ModelProto, photo: tuple[int, int, int]) -> dict[str, tuple[int, ...]]:
    """Shapes of all float values between inputs and outputs, for a pair of that batch, height and width."""
    batch, height, width = photo
    session = _all_seen(model)
    known = {port.name for port in model.graph.output}
    inner = [p.name for p in session.get_outputs() if p.type == "tensor(float)" and p.name not in known]
    pair = np.zeros((batch, 3, height, width), np.float32)
    values = session.run(inner, {port.name: pair for port in session.get_inputs()})
    return {name: value.shape for name, value in zip(inner, values, strict=True)}


def _all_seen(model: onnx.ModelProto) -> Any:
    """A session of the graph as it stands, every value an output."""
    seen = onnx.ModelProto.FromString(model.SerializeToString())
    known = {port.name for port in seen.graph.output}
    names = (name for node in seen.graph.node for name in node.output)
    seen.graph.output.extend(ValueInfoProto(name=name) for name in names if name and name not in known)
    onnxruntime = import_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(seen.SerializeToString(), options, providers=["CPUExecutionProvider"])
