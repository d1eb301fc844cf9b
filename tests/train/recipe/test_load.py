"""Recipes: read, overridden, refused, written back."""

import pytest

from mdeas.errors import UsageError
from mdeas.train.recipe.load import load_recipe
from mdeas.train.recipe.recipe import differences, recipe_names, to_dict, to_yaml

MINIMAL = "model: {name: mdeas}\nloss: {mask_bce: 1}\nsteps: 5\n"


@pytest.mark.parametrize("name", recipe_names())
def test_recipes_of_the_package_come_back_from_their_resolved_form(name, tmp_path):
    recipe = load_recipe(name)
    (tmp_path / "a b.yaml").write_text(to_yaml(recipe))
    assert load_recipe(tmp_path / "a b.yaml") == recipe


def test_overrides():
    recipe = load_recipe(
        "twin-small", ["optimizer.lr=1e-2", "loss.mask_l1=2", "data.repeats=[1, 2]", "data.augment.mirror=0"]
    )
    assert recipe.optimizer.lr == 0.01
    assert recipe.loss["mask_l1"] == 2 and recipe.loss["mask_dice"] == 2
    assert recipe.data.repeats == [1, 2]
    assert recipe.data.augment.mirror == 0 and recipe.data.augment.shared.gain == 0.15


REFUSED = [
    ("", ["optimizer.lrr=1"], "lrr"),
    ("", ["steps=1.5"], "steps"),
    ("", ["epochs=1"], "epochs"),
    ("", ["compile=3"], "compile"),
    ("", ["x"], "FIELD=VALUE"),
    ("", ["help=1"], "help"),
    ("", ["optimizer.lr=-1"], "lr"),
    ("", ["optimizer.lr=.nan"], "lr"),
    ("", ["optimizer.betas=[1]"], "betas"),
    ("", ["data.augment.crop=1"], "crop"),
    ("", ["data.augment.own.gain=2"], "data.augment.own.gain"),
    ("", ["data.augment.shared.one_of=[gain, hvs]"], "hsv"),
    ("", ["schedule.name=cosinus"], "cosine"),
    ("", ["loss.mask_bec=1"], "mask_bce"),
    ("", ["loss={mask_bce: 0}"], "loss"),
    ("", ["data.size=abc"], "data.size"),
    ("", ["save_every=0"], "save_every"),
    ("unknown: 1\n", [], "unknown"),
    ("optimizer: {lrr: 1}\n", [], "lrr"),
    ("optimizer: {lr: fast}\n", [], "lr"),
    ("optimizer: [\n", [], "recipe"),
]


@pytest.mark.parametrize(("extra", "overrides", "said"), REFUSED)
def test_refused(extra, overrides, said, tmp_path):
    (tmp_path / "r.yaml").write_text(MINIMAL + extra)
    with pytest.raises(UsageError, match=said) as caught:
        load_recipe(tmp_path / "r.yaml", overrides)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["", "steps: 5\nloss: {mask_bce: 1}\n", "- 1\n", "model: {name: mdeas}\nsteps: 3\n"]
)
def test_incomplete_file_is_refused(text, tmp_path):
    (tmp_path / "r.yaml").write_text(text)
    with pytest.raises(UsageError):
        load_recipe(tmp_path / "r.yaml")


def test_unknown_recipe_answers_with_the_list():
    with pytest.raises(UsageError, match="mdeas-small"):
        load_recipe("mdeas-smal")


def test_differences_name_the_field_and_leave_out_speed():
    before = to_dict(load_recipe("twin-small"))
    now = to_dict(load_recipe("twin-small", ["data.workers=0", "optimizer.lr=1", "loss.mask_l1=1"]))
    assert differences(before, now) == ["loss.mask_l1: None -> 1.0", "optimizer.lr: 0.005 -> 1.0"]
