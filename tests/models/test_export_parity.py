"""Every registered architecture leaves as an ONNX file that answers as torch does, also where not traced."""

import pytest
import torch

from mdeas.export.export import export_network
from mdeas.models.registry import create_model, model_names
from mdeas.runtime.onnx_predictor import OnnxPredictor
from mdeas.runtime.spec import Spec

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("name", model_names())
def test_export_is_equal_to_torch(name, tmp_path):
    torch.manual_seed(0)
    network = create_model(name).eval()
    spec = Spec(size=64, multiple=network.multiple, name=name, tasks=network.heads)
    record = export_network(network, spec, tmp_path / "model.onnx")  # refuses one that differs
    assert {row["batch"] for row in record["parity"]} == {1, 2, 3}
    generator = torch.Generator().manual_seed(1)
    photos = torch.randint(0, 256, (2, 50, 75, 3), generator=generator, dtype=torch.uint8).numpy()
    prediction = OnnxPredictor((tmp_path / "model.onnx").read_bytes(), name).predict(*photos)
    told = {"mask": prediction.mask, "depth": prediction.depth}
    assert all(values.shape == (50, 75) for values in told.values())
    assert all(told[head].max() > told[head].min() for head in network.heads)
