import numpy as np
import pytest
import torch
from torch import nn

from mdeas.errors import ModelError
from mdeas.export import export
from mdeas.models.base import Output, PairNetwork
from mdeas.runtime.onnx_predictor import OnnxPredictor
from mdeas.runtime.spec import Spec, prepare


class TinyCore(nn.Module):
    """Halves, doubles and adds what it had, as real decoders do; wrong for sizes that are not padded."""

    def __init__(self):
        super().__init__()
        self.down = nn.Conv2d(6, 4, 3, stride=2, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.out = nn.Conv2d(4 + 6, 2, 1)

    def forward(self, background, image):
        both = torch.cat([background, image], 1)
        low = nn.functional.interpolate(self.norm(self.down(both)).relu(), scale_factor=2)
        return self.out(torch.cat([low, both], 1)).split(1, dim=1)


class Unstable(nn.Module):
    """Another answer at every call."""

    def forward(self, background, image):
        depth = (image - background).mean(1, keepdim=True)
        return Output(depth, depth + torch.rand(()))


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    network = PairNetwork(TinyCore(), multiple=2).eval()
    network.core.norm.running_mean.uniform_()
    return network


SPEC = Spec(size=40, multiple=2, name="tiny")


@pytest.fixture(scope="module")
def exported(network, tmp_path_factory):
    """(path, what export_network returned)."""
    path = tmp_path_factory.mktemp("export") / "m.onnx"
    return path, export.export_network(network, SPEC, path)


def test_record(exported):
    path, record = exported
    assert record["name"] == "m.onnx" and record["bytes"] == path.stat().st_size
    assert record["spec"]["size"] == 40
    assert [(r["batch"], r["height"], r["width"]) for r in record["parity"]] == list(export.PARITY_SHAPES)
    assert all(r["mask"] <= 1e-4 and r["depth"] <= 1e-4 for r in record["parity"])


def test_parity_covers_other_batches_sizes_and_an_odd_one():
    shapes = set(export.PARITY_SHAPES)
    assert len(shapes) >= 3 and (export._TRACED[0], *export._TRACED[2:]) not in shapes
    assert any(height % 2 and width % 2 for _, height, width in shapes)
    assert len({batch for batch, _, _ in shapes}) > 1


def test_metadata(exported, network):
    predictor = OnnxPredictor(exported[0].read_bytes(), "m")
    assert predictor.spec == SPEC and predictor.name == "tiny"
    assert predictor.metadata["mdeas.licence"] == "Apache-2.0"
    assert predictor.metadata["mdeas.weights_sha256"] == export.weights_sha256(network)


def test_no_paths_of_this_machine(exported):
    data = exported[0].read_bytes()
    assert b".py" not in data and b"site-packages" not in data


def test_predictor_equals_torch(exported, network):
    background, image = np.random.default_rng(0).integers(0, 256, (2, 30, 40, 3), np.uint8)
    photos = prepare(background, image, SPEC)
    found = OnnxPredictor(exported[0].read_bytes(), "m", threads=1).run(*photos)
    with torch.no_grad():
        output = network(*map(torch.from_numpy, photos))
    np.testing.assert_allclose(found.mask, output.mask_logits.sigmoid(), atol=1e-4)
    np.testing.assert_allclose(found.depth, output.depth, atol=1e-4)


def test_a_file_that_differs_from_torch_is_not_written(tmp_path, capsys):
    with pytest.raises(ModelError) as caught:
        export.export_network(Unstable(), SPEC, tmp_path / "m.onnx")
    assert caught.value.code == "E-EXPORT-PARITY" and caught.value.exit_code == 5
    assert "over 0.0001" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("mask, depth, equal", [(0, 0, True), (2e-4, 0, False), (0, 2e-4, False)])
def test_parity_is_enforced_on_both_outputs(mask, depth, equal):
    row = export.Parity(batch=1, height=2, width=3, mask=mask, depth=depth)
    assert row.equal is equal
    assert ("equal" in export.parity_table([row])) is equal
    assert not export.Parity(batch=1, height=2, width=3, mask=float("nan"), depth=0).equal


def test_weights_sha256_follows_the_weights(network):
    before = export.weights_sha256(network)
    other = PairNetwork(TinyCore(), multiple=2)
    other.load_state_dict(network.state_dict())
    assert export.weights_sha256(other) == before
    with torch.no_grad():
        other.core.out.bias += 1
    assert export.weights_sha256(other) != before


def test_export_of_a_run_takes_size_and_name_from_its_card(network, exported, tmp_path, monkeypatch):
    monkeypatch.setattr(export, "load_run", lambda run: network)
    card = {"model": "tiny", "recipe": {"data": {"size": 48}}}
    monkeypatch.setattr(export, "read_card", lambda run: card)
    specs = []

    def export_network(network, spec, out, *, force=False):
        specs.append(spec)
        out.write_bytes(exported[0].read_bytes())

    monkeypatch.setattr(export, "export_network", export_network)
    export.export(tmp_path, tmp_path / "first.onnx")
    export.export(tmp_path, tmp_path / "m.onnx", size=96, looks=2)
    assert specs == [Spec(size=48, multiple=2, name="tiny"), Spec(size=96, multiple=2, name="tiny", looks=2)]
