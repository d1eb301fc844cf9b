"""The door to a model that is measured: every form that a model has, and runs as they ship."""

import shutil

import numpy as np
import pytest
import tiny_data
import tiny_model
import torch
from tiny_network import Tiny

from mdeas.errors import ModelError
from mdeas.evaluate.open_model import is_run, onnx_bytes, open_model
from mdeas.export import export
from mdeas.models.base import PairNetwork
from mdeas.models.registry import _REGISTRY as REGISTRY
from mdeas.models.registry import create_model, register
from mdeas.runtime.choice import ModelChoice
from mdeas.runtime.onnx_predictor import model_bytes
from mdeas.train.checkpoint import save_weights

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run folder of a tiny network, trained at 32 pixels; its checkpoint `best` has other weights."""
    register("tiny-to-open", reference="tests", parameters=474)(lambda: PairNetwork(Tiny(), multiple=2))
    folder = tmp_path_factory.mktemp("open") / "run"
    for seed, name in enumerate(("last", "best")):
        torch.manual_seed(seed)
        card = {"model": "tiny-to-open", "options": {}, "recipe": {"data": {"size": 32}}}
        save_weights(folder, name, create_model("tiny-to-open").state_dict(), card)
    yield folder
    del REGISTRY["tiny-to-open"]


@pytest.fixture(scope="module")
def last(run):
    return onnx_bytes(run)


def test_a_run_is_opened_as_it_ships(run, last, tmp_path):
    (tmp_path / "model.onnx").write_bytes(last)
    assert onnx_bytes(tmp_path / "model.onnx") == last
    pair = tiny_data.sample(0).background, tiny_data.sample(0).image
    shipped = open_model(ModelChoice(model=tmp_path / "model.onnx", threads=1)).predict(*pair)
    opened = open_model(ModelChoice(model=run, threads=1))
    assert opened.name == "tiny-to-open" and opened.spec.size == 32
    np.testing.assert_array_equal(opened.predict(*pair).mask, shipped.mask)
    np.testing.assert_array_equal(opened.predict(*pair).depth, shipped.depth)


def test_a_checkpoint_of_the_run_may_be_named(run, last):
    assert onnx_bytes(run / "last.safetensors") == last != onnx_bytes(run / "best.safetensors")


def test_a_kept_export_is_made_once_for_its_weights_and_size(run, last, tmp_path):
    keep = tmp_path / "models" / "run.onnx"
    assert onnx_bytes(run, keep=keep) == last
    made = keep.stat().st_mtime_ns
    assert onnx_bytes(run, keep=keep) == last and keep.stat().st_mtime_ns == made
    assert onnx_bytes(run, size=48, keep=keep) != last and keep.stat().st_mtime_ns != made
    keep.write_bytes(b"damaged")
    assert onnx_bytes(run, keep=keep) == last


def test_an_export_in_the_run_folder_is_used(run, last, tmp_path, monkeypatch):
    folder = shutil.copytree(run, tmp_path / "run")
    (folder / "a-damaged.onnx").write_bytes(b"damaged")
    export.export(folder / "best.safetensors", folder / "best.onnx")
    export.export(folder, folder / "looks.onnx", looks=2)
    (folder / "model.onnx").write_bytes(last)
    monkeypatch.setattr(export, "export_network", lambda *_, **__: pytest.fail("exported again"))
    assert onnx_bytes(folder) == last
    assert onnx_bytes(folder / "best.safetensors") == (folder / "best.onnx").read_bytes() != last
    with pytest.raises(pytest.fail.Exception, match="exported again"):
        onnx_bytes(folder, size=48)


def test_names_and_files_are_opened_as_mdeas_load_does(tmp_path):
    (tmp_path / "model.onnx").write_bytes(tiny_model.model_bytes())
    assert open_model(ModelChoice(model=tmp_path / "model.onnx")).name == "tiny"
    assert open_model(ModelChoice(model="difference")).name == "difference"
    assert onnx_bytes("default") == model_bytes("default")


def test_a_name_of_a_model_is_no_run_whatever_folder_lies_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("zero", "default", "other"):
        (tmp_path / name).mkdir()
    assert [is_run(name) for name in ("zero", "default", "other", "./zero")] == [False, False, True, True]
    assert open_model(ModelChoice(model="zero")).name == "zero"
    with pytest.raises(ModelError) as caught:
        open_model(ModelChoice(model="other"))
    assert caught.value.code == "E-CHECKPOINT"
