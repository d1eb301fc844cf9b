"""Costs and layers, counted by hand on a tiny network."""

import pytest
import torch
from torch import nn

from mdeas import cli
from mdeas.errors import ModelError
from mdeas.models import summary
from mdeas.models.registry import create_model, model_info, model_names


class Tiny(nn.Module):
    """A convolution on both photos, used twice, a scale of its own, and batch norm in between."""

    def __init__(self):
        super().__init__()
        self.shared = nn.Conv2d(6, 6, 3, stride=2, padding=1)
        self.norm = nn.BatchNorm2d(6)
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, background, image):
        return self.shared(self.norm(self.shared(torch.cat([background, image], 1)))) * self.scale


def test_gflop_counted_by_hand():
    # Two calls: 6 x 6 x 3 x 3 multiply-adds of two operations at 4 x 4 and at 2 x 2 places.
    assert summary.gflop(Tiny(), 8) == pytest.approx(2 * 6 * 6 * 9 * (16 + 4) / 1e9)


def test_layers_counted_by_hand():
    assert [(row.kind, row.name, row.shape, row.parameters) for row in summary.layers(Tiny(), 8)] == [
        ("Conv2d-1", "shared", (1, 6, 4, 4), 6 * 6 * 9 + 6),
        ("BatchNorm2d-2", "norm", (1, 6, 4, 4), 2 * 6),
        ("Conv2d-3", "shared", (1, 6, 2, 2), 0),
        ("Tiny-4", "", (1, 6, 2, 2), 1),
    ]


@pytest.mark.parametrize("count", [summary.gflop, summary.layers])
def test_the_model_stays_as_it_is(count):
    model = Tiny().train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    count(model, 8)
    assert model.training and not model.shared._forward_hooks
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


@pytest.mark.parametrize(("name", "cost"), [("mdeas", 4.301), ("twin-s", 0.301)])
def test_cost_of_known_networks(name, cost):
    assert summary.gflop(create_model(name)) == pytest.approx(cost, abs=5e-4)


@pytest.mark.parametrize("name", model_names())
def test_layers_hold_all_parameters(name):
    with torch.device("meta"):
        rows = summary.layers(create_model(name), 64)
    assert sum(row.parameters for row in rows) == model_info(name).parameters


def test_layer_table_has_the_published_lines(capsys):
    assert cli.main(["models", "mdeas"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[3].split() == ["Conv2d-1", "[1,", "32,", "224,", "224]", "864", "core.image_stem.0"]
    for line in ("Total params: 1,521,026", "Non-trainable params: 0", "Params size (MB): 5.80"):
        assert line in lines


def test_size_changes_shapes_and_not_parameters(capsys):
    assert cli.main(["models", "twin-s", "--size", "33"]) == 0
    text = capsys.readouterr().out
    assert ", 33]" not in text and "[1, 1, 64, 64]" in text  # padded to a multiple of 32
    assert "Total params: 749,650" in text


def test_list_has_cost_and_heads(capsys):
    assert cli.main(["models"]) == 0
    rows = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert set(rows) == {"name", *model_names()}
    assert rows["mdeas"].split()[:5] == ["mdeas", "1,521,026", "4.30", "mask,", "depth"]


def test_list_has_a_dash_for_what_does_not_load(monkeypatch):
    def refuse(name):
        raise ModelError("E-MODEL-PACKAGE", "no")

    monkeypatch.setattr(summary, "create_model", refuse)
    assert summary.model_table().splitlines()[1].split()[2:4] == ["–", "–"]


def test_unknown_name_answers_with_the_list(capsys):
    assert cli.main(["models", "mdaes"]) == 2
    assert "E-MODEL-NAME" in (error := capsys.readouterr().err) and "mdeas" in error
