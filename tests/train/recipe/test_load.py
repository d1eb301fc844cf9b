"""Recipes: read, overridden, refused, written back."""

import re

import pytest

from mdeas.errors import UsageError
from mdeas.train.recipe.catalogue import recipe_names
from mdeas.train.recipe.load import load_recipe
from mdeas.train.recipe.recipe import differences, to_dict, to_yaml

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
    ("", ["channels_last=3"], "channels_last"),
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


REMOVED = {
    "compile": "compile: {}\n",
    "data.cache": "data: {{cache: {}}}\n",
    "schedule.every_epochs": "schedule: {{every_epochs: {}}}\n",
}


@pytest.mark.parametrize("name", REMOVED)
@pytest.mark.parametrize("place", ["file", "override", "stage"])
def test_a_removed_field_is_named(name, place, tmp_path):
    extra = {"file": REMOVED[name].format("1"), "override": ""}.get(place)
    if extra is None:
        extra = f"stages: [{{name: a, {REMOVED[name].format('1').strip()}}}]\n"
    (tmp_path / "r.yaml").write_text(MINIMAL + extra)
    with pytest.raises(UsageError, match=rf"no field {re.escape(name)} any more: delete it\.$") as caught:
        load_recipe(tmp_path / "r.yaml", [f"{name}=1"] if place == "override" else [])
    assert caught.value.code == "E-RECIPE" and "\n" not in str(caught.value)


def test_a_run_of_before_goes_on_unless_it_used_a_removed_field():
    now = to_dict(load_recipe("twin-small"))
    before = now | {"compile": False, "data": now["data"] | {"cache": True}}
    before |= {"schedule": now["schedule"] | {"every_epochs": 0.0}}
    assert differences(before, now) == []
    assert differences(before | {"compile": True}, now) == ["compile: True -> None"]


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
