"""Checkpoints and resume states: whole, or noticed before they are parsed."""

import json

import pytest
import torch

from mdeas.errors import ModelError
from mdeas.models.registry import create_model
from mdeas.train.checkpoint import load_run, load_state, save_state, save_weights

CARD = {"model": "tiny-for-tests", "options": {}, "recipe": {}, "step": 3, "metrics": {}}


def save(folder, **card):
    torch.manual_seed(1)
    model = create_model("tiny-for-tests")
    save_weights(folder, "last", model.state_dict(), CARD | card)
    return model


def test_weights_come_back(tmp_path):
    model = save(tmp_path)
    for path in (tmp_path, tmp_path / "last.safetensors"):
        for name, value in load_run(path).state_dict().items():
            assert torch.equal(value, model.state_dict()[name])


def cut(data):
    return data[:-7]


def flip(data):
    return data[:-9] + bytes([data[-9] ^ 1]) + data[-8:]


@pytest.mark.parametrize("damage", [cut, flip, lambda data: b""])
def test_damaged_weights_are_refused(damage, tmp_path):
    save(tmp_path)
    path = tmp_path / "last.safetensors"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ModelError, match="sha256"):
        load_run(tmp_path)


def test_weights_of_another_network_are_refused(tmp_path):
    save(tmp_path, model="mdeas")
    with pytest.raises(ModelError, match="core"):
        load_run(tmp_path)


@pytest.mark.parametrize("missing", ["last.json", "last.safetensors"])
def test_a_missing_file_is_named(missing, tmp_path):
    save(tmp_path)
    (tmp_path / missing).unlink()
    with pytest.raises(ModelError, match=missing):
        load_run(tmp_path)


@pytest.mark.parametrize("text", ["[]", "{}", '{"model": 3, "options": {}, "sha256": "x"}', "{"])
def test_a_card_that_is_none_is_refused(text, tmp_path):
    save(tmp_path)
    (tmp_path / "last.json").write_text(text)
    with pytest.raises(ModelError):
        load_run(tmp_path)


def test_no_state_yet(tmp_path):
    assert load_state(tmp_path) is None


@pytest.mark.parametrize("damage", [cut, flip, lambda data: b"", lambda data: None])
def test_the_state_before_stands_in_for_a_damaged_one(damage, tmp_path, capsys):
    for step in (1, 2, 3):
        save_state(tmp_path, {"step": step, "weight": torch.ones(3)})
    assert load_state(tmp_path)["step"] == 3
    path = tmp_path / "resume.pt"
    data = damage(path.read_bytes())
    path.unlink() if data is None else path.write_bytes(data)
    assert load_state(tmp_path)["step"] == 2
    assert data is None or "damaged" in capsys.readouterr().err


def test_two_damaged_states_end_the_run(tmp_path):
    for step in (1, 2):
        save_state(tmp_path, {"step": step})
    for path in tmp_path.glob("resume*.pt"):
        path.write_bytes(cut(path.read_bytes()))
    with pytest.raises(ModelError, match="every resume state"):
        load_state(tmp_path)


class Malicious:
    def __reduce__(self):
        import os

        return os.mkdir, ("/tmp/mdeas-test-executed",)


def test_nothing_is_unpickled(tmp_path):
    """Even a state whose sha256 fits holds tensors and plain values only."""
    save_state(tmp_path, {"step": Malicious()})
    with pytest.raises(ModelError, match="not a state"):
        load_state(tmp_path)


def test_the_card_is_json_for_everyone(tmp_path):
    save(tmp_path)
    card = json.loads((tmp_path / "last.json").read_text())
    assert card["step"] == 3 and len(card["sha256"]) == 64
