import importlib.resources
from typing import get_args

import numpy as np
import pytest
import tiny_model
from onnx import TensorProto, helper

import mdeas
from mdeas.commands.choices import Device, PairMode
from mdeas.errors import InputError, ModelError, NonFiniteError, UsageError
from mdeas.pairing import match
from mdeas.runtime import onnx_guard, onnx_predictor
from mdeas.runtime.baselines import BASELINES
from mdeas.runtime.session import PROVIDERS
from mdeas.system.files import sha256_bytes


def photos(height=30, width=40):
    """A grey view, and the same with a white square."""
    background = np.full((height, width, 3), 100, np.uint8)
    image = background.copy()
    image[height // 3 : height // 3 * 2, width // 3 : width // 3 * 2] = 255
    return background, image


def code_of(error: type[Exception], function, *arguments, **options) -> str:
    with pytest.raises(error) as caught:
        function(*arguments, **options)
    return caught.value.code


def onnx(**changes) -> onnx_predictor.OnnxPredictor:
    return onnx_predictor.OnnxPredictor(tiny_model.model_bytes(**changes), "tiny.onnx", threads=1)


@pytest.mark.parametrize("size", [(30, 40), (1, 1), (2, 3), (1, 500), (300, 2)])
def test_a_prediction_has_the_photos_size(size):
    prediction = onnx().predict(*photos(*size))
    for output in (prediction.mask, prediction.depth):
        assert output.shape == size and output.dtype == np.float32
    assert prediction.mask.min() >= 0 and prediction.mask.max() <= 1


def test_the_mask_is_where_the_photos_differ():
    background, image = photos()
    mask = onnx().predict(background, image).mask
    assert mask[15, 20] > 0.9 and mask[2, 2] < 0.1


def test_batches_equal_single_runs():
    background, image = np.random.default_rng(0).random((2, 8, 3, 64, 48), np.float32)
    predictor = onnx()
    together = predictor.run(background, image)
    for i in range(8):
        alone = predictor.run(background[i : i + 1], image[i : i + 1])
        np.testing.assert_allclose(alone.mask[0], together.mask[i], atol=1e-4)
        np.testing.assert_allclose(alone.depth[0], together.depth[i], atol=1e-3)


def test_photos_of_two_sizes_are_refused():
    background, image = photos()
    assert code_of(InputError, onnx().predict, background[:-1], image) == "E-PAIR-SIZE"


def test_nan_is_never_returned():
    assert code_of(NonFiniteError, onnx(gain=float("inf")).predict, *photos()) == "E-MODEL-NAN"


def test_load_takes_a_file(tmp_path):
    (tmp_path / "m.onnx").write_bytes(tiny_model.model_bytes())
    predictor = mdeas.load(str(tmp_path / "m.onnx"), threads=1)
    assert predictor.name == "tiny" and predictor.tasks == ("mask", "depth")


@pytest.mark.parametrize("name", ["missing.onnx", "."])
def test_load_of_no_file_names_what_there_is(tmp_path, name):
    with pytest.raises(ModelError, match=r"default, default-int8, .*mog2") as caught:
        mdeas.load(str(tmp_path / name))
    assert caught.value.code == "E-MODEL-MISSING"


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package folder whose default model is the tiny one."""
    weights = tmp_path / "weights"
    weights.mkdir()
    data = tiny_model.model_bytes()
    (weights / "default.onnx").write_bytes(data)
    (weights / "default.sha256").write_text(f"{sha256_bytes(data)}  default.onnx\n")
    monkeypatch.setattr(importlib.resources, "files", lambda package: tmp_path)
    return weights


@pytest.mark.parametrize("name", [None, "default"])
def test_the_default_model(package, name):
    assert mdeas.load(name).predict(*photos()).mask.shape == (30, 40)


def test_a_second_model_of_the_package(package):
    assert code_of(ModelError, mdeas.load, "default-int8") == "E-MODEL-MISSING"
    data = tiny_model.model_bytes(gain=20.0)
    (package / "default-int8.onnx").write_bytes(data)
    (package / "default-int8.sha256").write_text(f"{sha256_bytes(data)}  default-int8.onnx\n")
    assert onnx_predictor.packaged_bytes("default-int8") == data != onnx_predictor.packaged_bytes("default")
    assert mdeas.load("default-int8").predict(*photos()).depth.max() == pytest.approx(20)
    (package / "default-int8.onnx").write_bytes(tiny_model.model_bytes())
    assert code_of(ModelError, mdeas.load, "default-int8") == "E-MODEL-HASH"


def test_a_damaged_default_model_is_refused(package):
    data = bytearray((package / "default.onnx").read_bytes())
    data[len(data) // 2] ^= 1
    (package / "default.onnx").write_bytes(data)
    assert code_of(ModelError, mdeas.load) == "E-MODEL-HASH"


def test_a_missing_default_model_says_what_to_do(package):
    (package / "default.sha256").unlink()
    assert code_of(ModelError, mdeas.load) == "E-MODEL-MISSING"


def test_a_device_that_is_not_there_is_refused():
    data = tiny_model.model_bytes()
    for device in ("cuda", "tpu"):
        assert code_of(UsageError, onnx_predictor.OnnxPredictor, data, "m", device=device) == "E-DEVICE"
    assert onnx_predictor.OnnxPredictor(data, "m", device="auto").device == "cpu"
    assert get_args(Device) == ("auto", *PROVIDERS) and PairMode == match.Mode


def test_a_provider_that_does_not_start_is_told_unless_any_will_do(monkeypatch):
    import onnxruntime

    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: list(PROVIDERS.values()))
    data = tiny_model.model_bytes()
    assert code_of(UsageError, onnx_predictor.OnnxPredictor, data, "m", device="openvino") == "E-DEVICE"
    assert onnx_predictor.OnnxPredictor(data, "m", device="auto").device == "cpu"


def test_the_working_size_can_be_chosen():
    predictor = onnx_predictor.OnnxPredictor(tiny_model.model_bytes(), "m", size=96)
    assert predictor.spec.size == 96
    assert predictor.predict(*photos(300, 400)).mask.shape == (300, 400)
    assert code_of(UsageError, mdeas.load, "mog2", size=96) == "E-SIZE"


EXTERNAL = helper.make_tensor("outside", TensorProto.FLOAT, [1], [1.0])
EXTERNAL.ClearField("float_data")
EXTERNAL.data_location = TensorProto.EXTERNAL
EXTERNAL.external_data.add(key="location", value="/etc/hostname")


def constant(tensor):
    return helper.make_node("Constant", [], ["unused"], value=tensor)


def branch(node):
    """`node` inside both branches of an If."""
    inner = helper.make_graph(
        [node], "inner", [], [helper.make_tensor_value_info("unused", TensorProto.FLOAT, [1])]
    )
    return helper.make_node("If", ["condition"], ["out"], then_branch=inner, else_branch=inner)


def foreign(domain="org.example"):
    return helper.make_node("Run", ["mask"], ["unused"], domain=domain)


@pytest.mark.parametrize(
    "changes, code",
    [
        ({"extra_initializers": [EXTERNAL]}, "E-MODEL-EXTERNAL"),
        ({"extra_nodes": [constant(EXTERNAL)]}, "E-MODEL-EXTERNAL"),
        ({"extra_nodes": [branch(constant(EXTERNAL))]}, "E-MODEL-EXTERNAL"),
        ({"extra_nodes": [foreign()], "domains": ["org.example"]}, "E-MODEL-OPERATOR"),
        ({"extra_nodes": [branch(foreign())]}, "E-MODEL-OPERATOR"),
        ({"extra_nodes": [foreign("com.microsoft")]}, "E-MODEL-OPERATOR"),
        ({"spec": None}, "E-SPEC"),
        ({"spec": "{}"}, "E-SPEC"),
        ({"inputs": ("bgr", "src")}, "E-MODEL-PORTS"),
        ({"channels": 1}, "E-MODEL-PORTS"),
    ],
)
def test_other_models_are_refused(changes, code):
    assert code_of(ModelError, onnx, **changes) == code


def test_external_data_is_refused_before_onnx_runtime_sees_it(monkeypatch):
    monkeypatch.setattr(onnx_predictor, "open_session", lambda *a: pytest.fail("the session was created"))
    data = tiny_model.model_bytes(extra_initializers=[EXTERNAL])
    assert code_of(ModelError, onnx_predictor.OnnxPredictor, data, "m") == "E-MODEL-EXTERNAL"


def test_functions_are_walked_too():
    made = tiny_model.model()
    function = made.functions.add(name="Run", domain="org.example")
    function.node.append(foreign())
    assert code_of(ModelError, onnx_guard.check, made.SerializeToString(), "m") == "E-MODEL-OPERATOR"


@pytest.mark.parametrize(
    "data", [b"", b"\0", b"PK\x03\x04 zip", b"<html></html>", b"\x08\x0a", b"\x80\x02}q\x00.", bytes(64)]
)
def test_other_files_are_refused(data):
    assert code_of(ModelError, onnx_predictor.OnnxPredictor, data, "m") == "E-MODEL-FORMAT"


def test_a_cut_file_never_passes():
    data = tiny_model.model_bytes()
    for end in range(0, len(data), 7):
        with pytest.raises(ModelError):
            onnx_predictor.OnnxPredictor(data[:end], "m")


def test_a_flipped_bit_ends_as_a_model_or_as_a_model_error():
    data = tiny_model.model_bytes()
    opened, codes = [], set()
    for at in np.random.default_rng(0).integers(0, 8 * len(data), 60):
        flipped = bytearray(data)
        flipped[at // 8] ^= 1 << (at % 8)
        try:
            opened.append(onnx_predictor.OnnxPredictor(bytes(flipped), "m", threads=1))
        except ModelError as error:
            codes.add(error.code)
    assert 0 < len(opened) < 60  # a flip in a weight or an inner name goes unnoticed
    assert "E-MODEL-FORMAT" in codes and len(codes) > 1
    assert all(set(predictor.tasks) <= {"mask", "depth"} for predictor in opened)


def test_deep_nesting_is_refused():
    data = b""
    for _ in range(200):  # a Graph in an Attribute in a Node in a Graph ...
        for key in (b"\x32", b"\x2a", b"\x0a"):
            data = key + length(len(data)) + data
    assert code_of(ModelError, onnx_guard.check, b"\x3a" + length(len(data)) + data, "m") == "E-MODEL-FORMAT"


def length(number: int) -> bytes:
    """A protobuf varint."""
    low, rest = number & 127, number >> 7
    return bytes([low | 128]) + length(rest) if rest else bytes([low])


@pytest.mark.parametrize("name", BASELINES)
def test_baselines_follow_the_contract(name):
    predictor = mdeas.load(name)
    background, image = photos(31, 40)
    for prediction in (predictor.predict(background, image), predictor.predict(image, image)):
        for output in (prediction.mask, prediction.depth):
            assert output.shape == (31, 40) and output.dtype == np.float32 and np.isfinite(output).all()
        assert prediction.mask.min() >= 0 and prediction.mask.max() <= 1
    assert code_of(InputError, predictor.predict, background[1:], image) == "E-PAIR-SIZE"
    assert predictor.name == name and predictor.tasks in (("mask",), ("depth",))


@pytest.mark.parametrize("name", ["difference", "mog2"])
def test_baselines_find_a_plain_change_and_no_other(name):
    background, image = photos()
    mask = mdeas.load(name).predict(background, image).mask
    np.testing.assert_array_equal(mask, (image != background).all(axis=2))
    assert not mdeas.load(name).predict(background, background).mask.any()


def test_gradients_are_nearer_at_the_bottom():
    background, image = photos()
    plain, raised = (
        mdeas.load(name).predict(background, image).depth for name in ("gradient", "gradient+mask")
    )
    assert plain[0, 0] == 0 and plain[-1, -1] == 1 and (np.diff(plain, axis=0) > 0).all()
    np.testing.assert_allclose(raised - plain, (image != background).all(axis=2), atol=1e-6)
