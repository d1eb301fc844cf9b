"""Read a recipe of composites by name or file, and find its maker."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from mdeas.create.photos.base_maker import CompositeMaker
from mdeas.create.photos.maker import PhotosMaker
from mdeas.create.photos.published.product import ProductMaker
from mdeas.create.photos.published.product_recipe import ProductRecipe
from mdeas.create.photos.recipe import CompositeRecipe, PhotosRecipe
from mdeas.errors import UsageError

RECIPES = Path(__file__).parent / "recipes"
KINDS: dict[str, tuple[type[CompositeRecipe], type[CompositeMaker]]] = {
    "photos": (PhotosRecipe, PhotosMaker),
    "product": (ProductRecipe, ProductMaker),
}
"""By the field `maker` of a recipe file: the recipe's class and the maker's class."""


def recipe_names() -> list[str]:
    """List the names of the recipes in the package, sorted."""
    return sorted(path.stem for path in RECIPES.glob("*.yaml"))


def read_recipe(name_or_path: str) -> tuple[type[CompositeRecipe], type[CompositeMaker], dict[str, Any]]:
    """Read a YAML file, or a recipe in the package by name: (recipe class, maker class, the file's fields).

    Errors: UsageError E-RECIPE when there is no such recipe, it is not YAML, or its maker is unknown.

    Example:
        >>> recipe_class, maker_class, fields = read_recipe("system-1")
        >>> recipe_class.__name__, fields["places"]
        ('ProductRecipe', 20)
    """
    candidates = (Path(name_or_path), RECIPES / f"{name_or_path}.yaml")
    path = next((path for path in candidates if path.is_file()), None)
    if path is None:
        names = ", ".join(recipe_names())
        raise UsageError("E-RECIPE", f"recipe {name_or_path!r} is neither a file nor one of: {names}.")
    try:
        fields = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, ValueError) as error:
        raise UsageError(
            "E-RECIPE", f"recipe {name_or_path!r} is not YAML: {' '.join(str(error).split())}."
        ) from error
    maker = fields.pop("maker", None) if isinstance(fields, dict) else None
    if not isinstance(maker, str) or maker not in KINDS:
        known = ", ".join(KINDS)
        raise UsageError(
            "E-RECIPE", f"recipe {name_or_path!r}: maker is {maker!r}; set it to one of: {known}."
        )
    return *KINDS[maker], fields
