"""Learning-rate factors by hand; optimizers by name."""

import math

import pytest
import torch

from mdeas.train.recipe.recipe import OptimizerConfig, ScheduleConfig
from mdeas.train.schedule import SCHEDULES, Plateau, lr_factor, make_optimizer

TABLE = [
    ({"name": "constant"}, 10, 0, 1.0),
    ({"name": "constant", "warmup_steps": 4}, 10, 0, 0.25),
    ({"name": "constant", "warmup_steps": 4}, 10, 3, 1.0),
    ({"name": "cosine", "final": 0.1}, 11, 0, 1.0),
    ({"name": "cosine", "final": 0.1}, 11, 5, 0.55),
    ({"name": "cosine", "final": 0.1}, 11, 10, 0.1),
    ({"name": "cosine", "final": 0.0, "warmup_steps": 2}, 13, 2, 1.0),
    ({"name": "cosine", "final": 0.0, "warmup_steps": 2}, 13, 7, 0.5),
    ({"name": "step", "every": 3, "gamma": 0.5}, 10, 2, 1.0),
    ({"name": "step", "every": 3, "gamma": 0.5}, 10, 6, 0.25),
    ({"name": "cosine", "final": 0.0, "warmup_epochs": 1.2}, 17, 11, 0.5),  # epochs of 5 steps
    ({"name": "constant", "warmup_epochs": 1, "warmup_steps": 5}, 40, 3, 0.4),
    ({"name": "onecycle", "final": 0.0}, 11, 0, 0.04),
    ({"name": "onecycle", "final": 0.0}, 11, 3, 1.0),
    ({"name": "onecycle", "final": 0.0}, 11, 10, 0.0),
]


@pytest.mark.parametrize(("fields", "total", "step", "factor"), TABLE)
def test_factor(fields, total, step, factor):
    assert lr_factor(ScheduleConfig(**fields), step, total, each=5) == pytest.approx(factor)


# Epochs of 10 steps: 0-9 warm-up, triangles of 20 + 20 from 10, 50 and to 90, drops at 90, 110, ...
CYCLIC = {"name": "cyclic", "warmup_epochs": 1, "edge_epochs": 2, "cycles": 2, "low": 0.2}
CYCLIC_TABLE = {
    0: 0.2, 9: 0.2, 10: 0.2, 15: 0.4, 20: 0.6, 30: 1.0, 35: 0.8, 45: 0.4, 49: 0.24, 50: 0.2, 60: 0.6, 70: 1.0,
    89: 0.24, 90: 0.02, 109: 0.02, 110: 0.002, 129: 0.002, 130: 0.0002,
}  # fmt: skip


@pytest.mark.parametrize("step", CYCLIC_TABLE)
def test_cyclic(step):
    factor = lr_factor(ScheduleConfig(**CYCLIC), step, 999, each=10)
    assert factor == pytest.approx(CYCLIC_TABLE[step])


def test_cyclic_has_the_published_rates_by_default():
    """System 5: 5 epochs of warm-up, 3 cycles between 1e-5 and 1e-3, edges of 5, then a tenth each edge."""
    config = ScheduleConfig(name="cyclic", warmup_epochs=5)
    rates = [1e-3 * lr_factor(config, epoch, 99, each=1) for epoch in (0, 5, 10, 15, 20, 30, 34, 35, 40)]
    assert rates == pytest.approx([1e-5, 1e-5, 1e-3, 1e-5, 1e-3, 1e-3, 2.08e-4, 1e-6, 1e-7])


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("total", [1, 2, 7])
def test_factor_stays_in_0_to_1_also_for_short_runs(name, total):
    factors = [lr_factor(ScheduleConfig(name=name), step, total, each=3) for step in range(total)]
    assert all(0 <= factor <= 1 and math.isfinite(factor) for factor in factors)


def test_plateau_drops_after_its_patience():
    config, plateau, seen = ScheduleConfig(name="plateau", patience=1, gamma=0.1, final=0.05), Plateau(), []
    for loss in (5, 4, 4.5, 4.2, 3, 3, 3, 3, 3):
        plateau.observe(loss, config.patience)
        seen.append(lr_factor(config, 0, 1, each=1, drops=plateau.drops))
    assert seen == pytest.approx([1, 1, 1, 0.1, 0.1, 0.1, 0.05, 0.05, 0.05])


@pytest.mark.parametrize("name", ["adam", "adamw", "sgd", "rmsprop"])
def test_biases_and_norms_do_not_decay(name):
    model = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 1), torch.nn.BatchNorm2d(2))
    optimizer = make_optimizer(model, OptimizerConfig(name=name, weight_decay=0.3))
    groups = [(group["weight_decay"], len(group["params"])) for group in optimizer.param_groups]
    assert groups == [(0.3, 1), (0.0, 3)]
    before = model[0].weight.clone()
    model(torch.ones(1, 1, 2, 2)).square().sum().backward()
    optimizer.step()
    assert not torch.equal(before, model[0].weight)


COUPLED = 0.1 * (2 + 0.3 * 5)  # lr × (gradient + decay × weight)
FIRST_STEP = {"sgd": COUPLED, "rmsprop": 1.0, "adam": 0.1, "adamw": 0.1 + 0.1 * 0.3 * 5}


@pytest.mark.parametrize("name", FIRST_STEP)
def test_decay_is_the_published_one(name):
    """sgd shows it at once; adam's and rmsprop's first steps do not depend on the gradient's size."""
    layer = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.constant_(layer.weight, 5.0)
    optimizer = make_optimizer(layer, OptimizerConfig(name=name, lr=0.1, weight_decay=0.3))
    layer.weight.grad = torch.full((1, 1), 2.0)
    optimizer.step()
    assert 5 - layer.weight.item() == pytest.approx(FIRST_STEP[name], rel=1e-4)


@pytest.mark.parametrize(("name", "moved"), [("adam", 0.1), ("adamw", 0.1 * 0.3 * 5), ("rmsprop", 1.0)])
def test_decay_alone_goes_through_the_average_unless_it_is_adamw(name, moved):
    layer = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.constant_(layer.weight, 5.0)
    optimizer = make_optimizer(layer, OptimizerConfig(name=name, lr=0.1, weight_decay=0.3))
    layer.weight.grad = torch.zeros(1, 1)
    optimizer.step()
    assert 5 - layer.weight.item() == pytest.approx(moved, rel=1e-4)


def test_what_is_frozen_is_not_in_the_optimizer():
    model = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 1), torch.nn.BatchNorm2d(2))
    model[0].requires_grad_(False)
    groups = make_optimizer(model, OptimizerConfig(weight_decay=0.3)).param_groups
    assert [len(group["params"]) for group in groups] == [0, 2]
