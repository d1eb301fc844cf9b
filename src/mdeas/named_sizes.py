"""Names for the sizes of what flows inside an ONNX file.

ONNX Runtime keeps a sum in its fast layout, without reshaping both sides of it, only where it knows them to
be of one size; its own rules lose that where sizes follow the photo's. Here they are measured at two shapes,
and what is equal in both gets one name.
"""

from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, ValueInfoProto, helper

# (batch, height, width): all different, so that no size is taken for another; none that needs no padding;
# small, since every value inside is held at once.
_SHAPES = ((2, 67, 101), (3, 131, 45))


def name_sizes(model: onnx.ModelProto) -> None:
    """Describe every feature map (four axes, float) in `model.graph.value_info`; what stood there goes."""
    del model.graph.value_info[:]
    first, second = (_shapes(model, shape) for shape in _SHAPES)
    for name, shape in first.items():
        if len(shape) == 4:
            sizes = [_size(*axis) for axis in zip("bchw", shape, second[name], strict=True)]
            model.graph.value_info.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, sizes))


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
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(seen.SerializeToString(), options, providers=["CPUExecutionProvider"])
