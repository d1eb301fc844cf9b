"""A run that begins with the weights of another."""

import pytest
import torch
from synthetic import Squares

from mdeas.errors import ModelError
from mdeas.train.checkpoint import load_run
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


def test_weights_of_another_network_are_refused(recipe_of, tmp_path):
    first_run(recipe_of, tmp_path / "first")
    recipe = recipe_of(f"model.weights={tmp_path / 'first'}", "model.name=mdeas")
    with pytest.raises(ModelError, match="does not fit"):
        Learner(recipe, make_fabric(recipe, "cpu"))
