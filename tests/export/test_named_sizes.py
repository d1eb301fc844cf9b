import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from mdeas.export.named_sizes import name_sizes


def conv(name: str, source: str, target: str, channels: int, model_weights: list, **attributes):
    weight = np.random.default_rng(len(name)).normal(scale=0.1, size=(16, channels, 3, 3)).astype(np.float32)
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


def operators(model: onnx.ModelProto, name: str, tmp_path) -> int:
    """How many ONNX Runtime has of them when it has made the graph its own."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    graph = onnx.load(options.optimized_model_filepath).graph
    return sum(node.op_type == name for node in graph.node)


def outputs(model: onnx.ModelProto) -> list[np.ndarray]:
    """Of a pair at two sizes."""
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    pairs = (np.random.default_rng(0).random((2, 1, 3, *size), np.float32) for size in ((64, 96), (33, 71)))
    return [session.run(None, dict(zip(("background", "image"), pair, strict=True)))[0] for pair in pairs]


def test_sums_are_no_longer_reshaped_and_stay_what_they_were(model, tmp_path):
    before, unnamed = outputs(model), operators(model, "Reshape", tmp_path)
    name_sizes(model)
    assert operators(model, "Reshape", tmp_path) < unnamed
    for found, wanted in zip(outputs(model), before, strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-4)


def test_a_question_for_a_size_does_not_part_a_convolution_from_its_norm(model, tmp_path):
    """Of the convolution "ccc" height and width are asked for the size of what is added."""
    nodes, make = model.graph.node, helper.make_node
    rng = np.random.default_rng(1)
    for name in ("scale", "bias", "level", "variance"):
        model.graph.initializer.append(numpy_helper.from_array(rng.random(16, np.float32) + 0.5, name))
    model.graph.initializer.append(numpy_helper.from_array(np.array([1, 1], np.int64), "ones"))
    nodes[-1].output[0] = "seen"
    norm = make("BatchNormalization", ["seen", "scale", "bias", "level", "variance"], ["normed"])
    height, width = (
        make("Shape", ["seen"], [name], start=axis, end=axis + 1) for axis, name in ((2, "h"), (3, "w"))
    )
    size = make("Concat", ["ones", "h", "w"], ["size"], axis=0)
    nodes.extend([norm, height, width, size, make("ConstantOfShape", ["size"], ["blank"])])
    nodes.append(make("Add", ["normed", "blank"], ["mask"]))
    onnx.checker.check_model(model)
    before, apart = outputs(model), operators(model, "Conv", tmp_path)
    name_sizes(model)
    assert (apart, operators(model, "Conv", tmp_path)) == (4, 3)
    for found, wanted in zip(outputs(model), before, strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-4)
