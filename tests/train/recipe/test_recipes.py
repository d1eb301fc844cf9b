"""The recipes of the package: faithful to what was published, and every network of theirs learns."""

import math

import pytest
from synthetic import Squares

from mdeas.batches.loader import Samples
from mdeas.models.registry import model_info
from mdeas.train.guards import make_fabric
from mdeas.train.learner import Learner
from mdeas.train.recipe.catalogue import recipe_names, recipe_titles
from mdeas.train.recipe.curriculum import expand
from mdeas.train.recipe.load import load_recipe

PUBLISHED = ("wnet", "resunet", "hu-drn", "drn-hu", "twin-unet", "mdeas")
"""One recipe for each system, two for the two orders of system 3."""


def stages(name):
    recipe = load_recipe(name)
    return [stage.recipe for stage in expand(recipe)] if recipe.stages else [recipe]


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_is_whole(name):
    for recipe in stages(name):
        assert recipe.model.options.keys() <= set(model_info(recipe.model.name).options)


@pytest.mark.parametrize("name", recipe_names())
def test_the_first_line_says_what_a_recipe_is_for(name):
    """`mdeas train --list` prints it."""
    line = recipe_titles()[name]
    assert line.endswith(".") and 20 < len(line) <= 90 and line.isascii()


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_small_sibling_trains_the_same_network_with_the_same_loss(name):
    published, small = stages(name)[-1], stages(f"{name}-small")[-1]
    for field in ("model", "loss", "optimizer", "grad_clip_value"):
        ours, theirs = getattr(small, field), getattr(published, field)
        if field == "model":
            ours, theirs = (ours.name, ours.options), (theirs.name, theirs.options)
        assert ours == theirs


COMPARED = [name for name in PUBLISHED if name != "drn-hu"] + ["timm-unet", "twin"]


@pytest.mark.parametrize("name", [f"{name}-small" for name in COMPARED])
def test_the_comparison_shows_every_system_as_many_pictures(name):
    recipe = load_recipe(name)
    assert recipe.steps * recipe.data.batch_size == 20_480 and recipe.data.size == 96


def test_system_5_in_numbers():
    debug, actual = stages("mdeas")
    assert (debug.data.size, debug.data.batch_size, debug.epochs) == (224, 32, 20)
    assert debug.data.share == (0, 0.025) and actual.data.share == (0, 1)
    assert (actual.data.batch_size, actual.epochs) == (40, 4)
    assert actual.model.weights == "stage:01-debug"
    assert debug.optimizer.betas == (0.5, 0.999) and debug.optimizer.lr == 1e-3
    schedule = debug.schedule
    assert (schedule.name, schedule.warmup_epochs, schedule.edge_epochs, schedule.cycles) == (
        "cyclic",
        5,
        5,
        3,
    )
    assert math.isclose(schedule.low * debug.optimizer.lr, 1e-5)
    assert list(debug.loss.values()) == [2.0, 0.4, 0.1, 1.0, 1e-6, 1e-6]


def test_system_3_in_numbers():
    sizes = [(r.data.size, r.data.batch_size, r.epochs) for r in stages("hu-drn")]
    assert sizes == [(38, 512, 2), (38, 256, 2), (48, 256, 2), (48, 256, 4), (52, 256, 2), (64, 128, 2)]
    depth, mask = stages("drn-hu")
    assert depth.model.name == "hu-resnet50" and mask.model.freeze == ["core.depth_network"]
    assert mask.teacher == "stage:01-depth" and mask.loss["mask_sparsity"] == 5


def test_systems_1_2_and_4_in_numbers():
    archives = stages("wnet-archives")
    assert [recipe.data.share for recipe in archives] == [(k / 5, (k + 1) / 5) for k in range(5)]
    assert [recipe.data.size for recipe in stages("resunet")] == [64, 256]
    resunet = load_recipe("resunet")
    assert resunet.optimizer.weight_decay == 1e-3 and resunet.optimizer.betas[0] == 0.9
    assert resunet.grad_clip_value == load_recipe("twin-unet").grad_clip_value == 0.1
    assert load_recipe("twin-unet").loss == {"mask_ssim": 2, "depth_ssim": 1}


@pytest.mark.parametrize("name", [name for name in recipe_names() if name.endswith("-small")])
def test_two_steps_move_every_network(name):
    recipe = stages(name)[0]
    learner = Learner(recipe, make_fabric(recipe, "cpu"))
    before = {key: value.clone() for key, value in learner.plain.named_parameters()}
    batch = Samples([Squares(3)], 32).__getitems__([0, 1]).to_batch()
    for step in (1, 2):
        values = learner.step(batch, recipe.optimizer.lr, step)
        assert math.isfinite(values["total"])
    moved = [not before[key].equal(value) for key, value in learner.plain.named_parameters()]
    assert sum(moved) > 0.9 * len(moved)
