"""A model of six operators with the ports of an mdeas model, made without torch so that tests start fast."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from mdeas.runtime.spec import Spec

SPEC = Spec(size=64, multiple=8, name="tiny")


def graph(*, extra_nodes=(), extra_initializers=(), channels=3, inputs=("background", "image"), gain=40.0):
    """mask = sigmoid(gain * (mean |image - background| - .1)), depth = gain * mean of the image."""
    photo = ["batch", channels, "height", "width"]
    nodes = [
        helper.make_node("Sub", [inputs[1], inputs[0]], ["change"]),
        helper.make_node("Abs", ["change"], ["size"]),
        helper.make_node("ReduceMean", ["size", "channel"], ["mean"]),
        helper.make_node("Sub", ["mean", "tenth"], ["over"]),
        helper.make_node("Mul", ["over", "gain"], ["logits"]),
        helper.make_node("Sigmoid", ["logits"], ["mask"]),
        helper.make_node("ReduceMean", [inputs[1], "channel"], ["grey"]),
        helper.make_node("Mul", ["grey", "gain"], ["depth"]),
    ]
    constants = {"channel": np.array([1]), "tenth": np.float32(0.1), "gain": np.float32(gain)}
    initializers = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    return helper.make_graph(
        [*nodes, *extra_nodes],
        "tiny",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, photo) for name in inputs],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 1, "height", "width"])
            for name in ("mask", "depth")
        ],
        [*initializers, *extra_initializers],
    )


def model(spec: str | None = SPEC.to_json(), domains=(), **changes):
    """The same as ModelProto; `changes` go to `graph`."""
    opsets = [helper.make_opsetid("", 18), *(helper.make_opsetid(domain, 1) for domain in domains)]
    made = helper.make_model(graph(**changes), opset_imports=opsets, ir_version=10)
    if spec is not None:
        helper.set_model_props(made, {"mdeas.spec": spec})
    return made


def model_bytes(**changes) -> bytes:
    """The same as a file's bytes."""
    return model(**changes).SerializeToString()
