"""Learning-rate factors by hand; optimizers by name."""

import math

import pytest
import torch

from mdeas.train.config import OptimizerConfig, ScheduleConfig
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
    ({"name": "onecycle", "final": 0.0}, 11, 0, 0.04),
    ({"name": "onecycle", "final": 0.0}, 11, 3, 1.0),
    ({"name": "onecycle", "final": 0.0}, 11, 10, 0.0),
]


@pytest.mark.parametrize(("fields", "total", "step", "factor"), TABLE)
def test_factor(fields, total, step, factor):
    assert lr_factor(ScheduleConfig(**fields), step, total) == pytest.approx(factor)


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("total", [1, 2, 7])
def test_factor_stays_in_0_to_1_also_for_short_runs(name, total):
    factors = [lr_factor(ScheduleConfig(name=name), step, total) for step in range(total)]
    assert all(0 <= factor <= 1 and math.isfinite(factor) for factor in factors)


def test_plateau_drops_after_its_patience():
    config, plateau, seen = ScheduleConfig(name="plateau", patience=1, gamma=0.1, final=0.05), Plateau(), []
    for loss in (5, 4, 4.5, 4.2, 3, 3, 3, 3, 3):
        plateau.observe(loss, config.patience)
        seen.append(lr_factor(config, 0, 1, plateau.drops))
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
