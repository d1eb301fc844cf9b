"""A training recipe by its name or from a YAML file, with the user's overrides."""

from collections.abc import Sequence
from pathlib import Path

from mdeas.errors import UsageError
from mdeas.train.recipe.catalogue import RECIPES, recipe_names
from mdeas.train.recipe.curriculum import expand
from mdeas.train.recipe.recipe import Recipe, named, recipe_parser
from mdeas.train.recipe.sections import require


def load_recipe(name_or_path: str | Path, overrides: Sequence[str] = ()) -> Recipe:
    """A recipe of the package by name, or a YAML file, with `FIELD=VALUE` overrides (`optimizer.lr=1e-3`).

    Errors: UsageError E-RECIPE naming the field that is unknown, of a wrong type or out of range.
    Example:
        >>> load_recipe("twin-small", ["steps=60"]).steps
        60
    """
    parser = recipe_parser()
    with named(f"recipe '{name_or_path}'"):
        base = parser.parse_path(str(_find(name_or_path)))
        found = parser.parse_args([_option(text) for text in overrides], namespace=base)
    recipe = Recipe(**vars(parser.instantiate(found)))
    expand(recipe)  # reports a mistake in the last stage before the first one runs
    return recipe


def _find(name_or_path: str | Path) -> Path:
    for path in (Path(name_or_path), RECIPES / f"{name_or_path}.yaml"):
        if path.is_file():
            return path
    raise UsageError(
        "E-RECIPE",
        f"recipe '{name_or_path}' is neither a file nor one of: {', '.join(recipe_names())}.",
    )


def _option(text: str) -> str:
    name, equals, _ = text.partition("=")
    require(bool(equals and name), "--set", text, "FIELD=VALUE")
    return f"--{text}"
