"""The training recipes in the package, found without PyTorch."""

from pathlib import Path

RECIPES = Path(__file__).parents[1] / "recipes"


def recipe_names() -> list[str]:
    """Sorted names of the recipes in the package."""
    return sorted(path.stem for path in RECIPES.glob("*.yaml"))


def recipe_titles() -> dict[str, str]:
    """The first comment line of every recipe in the package, by the recipe's name."""
    titles = {}
    for name in recipe_names():
        lines = (RECIPES / f"{name}.yaml").read_text(encoding="utf-8").splitlines()
        titles[name] = next(line for line in lines if line.startswith("#")).removeprefix("#").strip()
    return titles
