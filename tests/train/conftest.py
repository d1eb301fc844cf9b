"""A network of a few weights, so that a training run takes a second."""

import pytest
import torch
from tiny_network import RECIPE, Tiny

from mdeas.models.base import PairNetwork
from mdeas.models.registry import _REGISTRY as REGISTRY
from mdeas.models.registry import register
from mdeas.train.recipe.load import load_recipe

torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def tiny_model():
    register("tiny-for-tests", reference="tests", parameters=474)(lambda: PairNetwork(Tiny(), multiple=2))
    yield
    del REGISTRY["tiny-for-tests"]


@pytest.fixture
def recipe_of(tmp_path):
    """recipe_of("steps=3", ...) -> Recipe."""

    def make(*overrides):
        (tmp_path / "recipe.yaml").write_text(RECIPE)
        return load_recipe(tmp_path / "recipe.yaml", overrides)

    return make
