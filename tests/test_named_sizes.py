import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from mdeas.named_sizes import name_sizes


def conv(name: str, source: str, target: str, channels: int, model_weights: list, **attributes):
    weight = np.random.default_rng(len(name)).normal(size=(16, channels, 3, 3)).astype(np.float32)
    model_weights.append(numpy_helper.from_array(weight, name))
    return helper.make_node("Conv", [source, name], [target], kernel_shape=[3, 3], **attributes)


@pytest.fixture
def model() -> onnx.ModelProto:
    """Two branches from photos of any size, at half size, and their sum."""
    weights: list = []
    half = {"strides": [2, 2], "pads": [1, 1, 1, 1]}
    nodes = [
        conv("a", "background", "left", 3, weights, **half),
        conv("bb", "image", "right", 3, weights, **half),
        helper.make_node("Add", ["left", "right"], ["sum"]),
        conv("ccc", "sum", "mask", 16, weights, pads=[1, 1, 1, 1]),
    ]
    sizes = ["batch", 3, "height", "width"]
    ports = [helper.make_tensor_value_info(n, TensorProto.FLOAT, sizes) for n in ("background", "image")]
    out = helper.make_tensor_value_info("mask", TensorProto.FLOAT, ["batch", 16, "h", "w"])
    graph = helper.make_graph(nodes, "two", ports, [out], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def sizes(model: onnx.ModelProto) -> dict[str, list]:
    return {
        value.name: [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]
        for value in model.graph.value_info
    }


def test_equal_sizes_have_one_name_and_others_another(model):
    model.graph.value_info.append(
        helper.make_tensor_value_info("left", TensorProto.FLOAT, ["x", 16, "y", "z"])
    )
    name_sizes(model)
    found = sizes(model)
    assert set(found) == {"left", "right", "sum"}
    assert found["left"] == found["right"] == found["sum"]
    batch, channels, height, width = found["left"]
    assert channels == 16 and len({batch, height, width}) == 3
    assert {batch, height, width}.isdisjoint({"batch", "height", "width"})


def reshapes(model: onnx.ModelProto, tmp_path) -> int:
    """How often ONNX Runtime reshapes when it has made the graph its own."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    graph = onnx.load(options.optimized_model_filepath).graph
    return sum(node.op_type == "Reshape" for node in graph.node)


def test_sums_are_no_longer_reshaped_and_stay_what_they_were(model, tmp_path):
    def run(height: int, width: int):
        photos = np.random.default_rng(0).random((2, 1, 3, height, width), np.float32)
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        return session.run(None, {"background": photos[0], "image": photos[1]})[0]

    shapes = ((64, 96), (33, 71))
    before, unnamed = [run(*shape) for shape in shapes], reshapes(model, tmp_path)
    name_sizes(model)
    assert reshapes(model, tmp_path) < unnamed
    for shape, wanted in zip(shapes, before, strict=True):
        np.testing.assert_allclose(run(*shape), wanted, atol=1e-4)
