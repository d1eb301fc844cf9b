"""The commands about networks: recipes and networks by name."""

import subprocess
import sys

import pytest

from mdeas.cli import main
from mdeas.models import model_names
from mdeas.train.recipe.catalogue import RECIPES, recipe_names


def test_the_recipes_are_listed_with_a_line_each(capsys):
    assert main(["train", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == recipe_names()
    for name, line in zip(recipe_names(), lines, strict=True):
        first = (RECIPES / f"{name}.yaml").read_text().splitlines()[0]
        assert first == f"# {line.split(maxsplit=1)[1]}"


def test_the_recipes_are_listed_without_torch():
    code = (
        "import sys; sys.modules['torch'] = None; from mdeas.cli import main;"
        "assert main(['train', '--list']) == 0"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


@pytest.mark.parametrize("name", sorted({*model_names(), *recipe_names()}))
def test_models_lists_every_network_and_that_of_every_recipe(name, capsys):
    assert main(["models", name, "--size", "64"]) == 0
    assert "Total params:" in capsys.readouterr().out


def test_a_recipe_stands_for_its_network(capsys):
    assert main(["models", "twin", "--size", "64"]) == 0
    first, table = capsys.readouterr().out.split("\n", 1)
    assert first == "The recipe twin trains the network twin-s:"
    assert main(["models", "twin-s", "--size", "64"]) == 0
    assert capsys.readouterr().out == table


def test_an_unknown_network_is_told_with_the_names(capsys):
    assert main(["models", "nonsense"]) == 2
    assert "twin-s" in capsys.readouterr().err
