import numpy as np
import onnx
import pytest
import tiny_data
import torch
from torch import nn

from mdeas.cli import main
from mdeas.export.export import export_network
from mdeas.models.base import PairNetwork
from mdeas.runtime.onnx_predictor import OnnxPredictor
from mdeas.runtime.spec import Spec

pytestmark = pytest.mark.usefixtures("one_thread")


class Core(nn.Module):
    """Convolutions: of few channels, depthwise, two of many, the head of both tasks, depth smoothed."""

    def __init__(self):
        super().__init__()
        self.first, self.depthwise = (
            nn.Conv2d(6, 48, 3, padding=1),
            nn.Conv2d(48, 48, 3, padding=1, groups=48),
        )
        self.second, self.third = nn.Conv2d(48, 48, 3, padding=1), nn.Conv2d(48, 48, 1)
        self.head, self.smooth = nn.Conv2d(48, 2, 1), nn.Conv2d(1, 1, 3, padding=1)

    def forward(self, background, image):
        x = self.depthwise(self.first(torch.cat([background, image], 1)).relu())
        mask, depth = self.head(self.third(self.second(x).relu()).relu()).split(1, dim=1)
        return mask, self.smooth(depth)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """float.onnx and a data set whose validation split has pairs to measure ranges on."""
    folder = tmp_path_factory.mktemp("quantize")
    torch.manual_seed(0)
    export_network(
        PairNetwork(Core(), multiple=2), Spec(size=48, multiple=2, name="tiny"), folder / "float.onnx"
    )
    tiny_data.write(folder / "data", validation=[tiny_data.sample(number) for number in range(4)])
    return folder


@pytest.fixture(scope="module")
def quantized(folder):
    words = ["quantize", str(folder / "float.onnx"), "--data", str(folder / "data")]
    assert main([*words, "-o", str(folder / "int8.onnx")]) == 0
    assert main([*words, "-o", str(folder / "again.onnx"), "--limit", "100"]) == 0
    return folder / "int8.onnx"


def test_it_says_nearly_the_same(folder, quantized):
    sample = tiny_data.sample(9)
    exact, rounded = (
        OnnxPredictor(file.read_bytes(), "m").predict(sample.background, sample.image)
        for file in (folder / "float.onnx", quantized)
    )
    assert 0 < np.abs(exact.mask - rounded.mask).max() < 0.02
    assert 0 < np.abs(exact.depth - rounded.depth).max() < 0.05 * np.ptp(exact.depth)


def test_features_of_many_channels_are_bytes_and_heads_are_not(quantized):
    graph = onnx.load(quantized).graph
    kinds = {tensor.name: tensor.data_type for tensor in graph.initializer}
    made_by = {name: node for node in graph.node for name in node.output}
    weights = [made_by.get(node.input[1]) for node in graph.node if node.op_type == "Conv"]
    per_byte = [node for node in weights if node is not None and node.op_type == "DequantizeLinear"]
    assert len(weights) == 6 and len(per_byte) == 2
    assert {kinds[node.input[0]] for node in per_byte} == {onnx.TensorProto.INT8}


def test_its_spec_is_the_models_and_its_name_tells(folder, quantized):
    exact, rounded = (
        OnnxPredictor(file.read_bytes(), "m").spec for file in (folder / "float.onnx", quantized)
    )
    assert rounded.name == "tiny-int8"
    assert (rounded.size, rounded.multiple, rounded.tasks) == (exact.size, exact.multiple, exact.tasks)


def test_the_same_bytes_again(folder, quantized):
    assert quantized.read_bytes() == (folder / "again.onnx").read_bytes()


def test_refusals(folder, quantized, capsys):
    words = ["--data", str(folder / "data"), "-o", str(quantized)]
    assert main(["quantize", str(folder / "float.onnx"), *words]) == 4
    assert "E-EXISTS" in capsys.readouterr().err
    assert main(["quantize", "otsu", *words, "--force"]) == 5
    assert "E-MODEL-MISSING" in capsys.readouterr().err


def test_a_model_in_8_bits_is_refused_by_name(folder, quantized, capsys):
    words = ["quantize", str(quantized), "--data", str(folder / "data"), "-o", str(folder / "twice.onnx")]
    assert main(words) == 5
    told = capsys.readouterr().err
    assert "error[E-MODEL-FORMAT]" in told and quantized.name in told and "twice" not in told
    assert not (folder / "twice.onnx").exists()
