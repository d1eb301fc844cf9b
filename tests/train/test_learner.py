"""A run that begins with the weights of another."""

import pytest
import torch
from synthetic import Squares

from mdeas.errors import ModelError, UsageError
from mdeas.models.registry import create_model
from mdeas.train.checkpoint import load_run, save_weights
from mdeas.train.guards import make_fabric
from mdeas.train.learner import Learner
from mdeas.train.loop import fit


def first_run(recipe_of, out):
    fit(recipe_of("steps=2"), [Squares(8)], [Squares(4, seed=1)], out, device="cpu")
    return load_run(out).state_dict()


def test_begins_with_the_named_weights(recipe_of, tmp_path):
    weights = first_run(recipe_of, tmp_path / "first")
    recipe = recipe_of(f"model.weights={tmp_path / 'first'}", "seed=9")
    learner = Learner(recipe, make_fabric(recipe, "cpu"))
    for state in (learner.plain.state_dict(), learner.average.state_dict()):
        assert all(torch.equal(state[name], weights[name]) for name in weights)
    fresh = Learner(recipe_of("seed=9"), make_fabric(recipe, "cpu")).plain.state_dict()
    assert not all(torch.equal(fresh[name], weights[name]) for name in weights)


def test_begins_with_the_mean_of_several_runs(recipe_of, tmp_path):
    first, second, third = (tmp_path / name for name in "abc")
    for folder, value in ((first, 0), (second, 1), (third, 4)):
        state = create_model("tiny-for-tests").state_dict()
        for weights in state.values():
            weights.fill_(value)
        save_weights(folder, "last", state, {"model": "tiny-for-tests", "options": {}})
    recipe = recipe_of(f"model.weights={first}", f"model.mean_with=[{second}, {third}]")
    learner = Learner(recipe, make_fabric(recipe, "cpu"))
    for state in (learner.plain.state_dict(), learner.average.state_dict()):
        for name, weights in state.items():  # mean of 0, 1 and 4; integers are the first run's
            wanted = 5 / 3 if weights.is_floating_point() else 0
            torch.testing.assert_close(weights, torch.full_like(weights, wanted), msg=name)


def test_a_mean_needs_weights_to_begin_with(recipe_of):
    with pytest.raises(UsageError, match=r"model\.mean_with is \['run'\]; it must be beside model\.weights"):
        recipe_of("model.mean_with=[run]")


def test_weights_of_another_network_are_refused(recipe_of, tmp_path):
    first_run(recipe_of, tmp_path / "first")
    recipe = recipe_of(f"model.weights={tmp_path / 'first'}", "model.name=mdeas")
    with pytest.raises(ModelError, match="does not fit"):
        Learner(recipe, make_fabric(recipe, "cpu"))
