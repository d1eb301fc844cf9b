"""Recipes of composites by name or file, and the maker that each is for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from mdeas.create.photos.maker import PhotosMaker
from mdeas.create.photos.published.product import ProductMaker
from mdeas.create.photos.published.product_recipe import ProductRecipe
from mdeas.create.photos.recipe import PhotosRecipe
from mdeas.errors import UsageError

RECIPES = Path(__file__).parent / "recipes"
KINDS: dict[str, tuple[type, type]] = {
    "photos": (PhotosRecipe, PhotosMaker),
    "product": (ProductRecipe, ProductMaker),
}
"""By the recipe file's field `maker`: the recipe's class and the maker's."""


def recipe_names() -> list[str]:
    """Sorted names of the recipes in the package."""
    return sorted(path.stem for path in RECIPES.glob("*.yaml"))


def read_recipe(name_or_path: str) -> tuple[type, type, dict[str, Any]]:
    """(recipe class, maker class, the file's fields) of a recipe in the package by name, or of a YAML file.

    Errors: UsageError E-RECIPE when there is none of that name, or it is not YAML or for no maker.
    """
    path = _find(name_or_path)
    try:
        fields = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, ValueError) as error:
        raise UsageError("E-RECIPE", f"recipe {name_or_path!r}: {' '.join(str(error).split())}.") from error
    maker = fields.pop("maker", None) if isinstance(fields, dict) else None
    if maker not in KINDS:
        known = ", ".join(KINDS)
        raise UsageError("E-RECIPE", f"recipe {name_or_path!r}: maker is {maker!r}; one of {known}.")
    return *KINDS[maker], fields


def _find(name_or_path: str) -> Path:
    for path in (Path(name_or_path), RECIPES / f"{name_or_path}.yaml"):
        if path.is_file():
            return path
    raise UsageError(
        "E-RECIPE", f"recipe {name_or_path!r} is neither a file nor one of: {', '.join(recipe_names())}."
    )
