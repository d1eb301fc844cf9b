"""The networks to compare: run folders, checkpoints, ONNX files, packaged models, and recipes to train."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mdeas.errors import ModelError, UsageError
from mdeas.evaluate.open_model import is_run
from mdeas.runtime.baselines import BASELINES
from mdeas.runtime.onnx_predictor import PACKAGED
from mdeas.system.files import quoted
from mdeas.train.recipe.catalogue import recipe_names
from mdeas.train.recipe.load import load_recipe

BASELINES_FOLDER = "baselines"  # among the folders of the networks, so no network may have this name


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One network of the comparison."""

    name: str
    """In tables, figures and file names; unique."""
    source: Path
    """Run folder, .safetensors file, ONNX file, or the name of a model in the package."""
    recipe: str | None = None
    """Name or file of the recipe by which `source`, a run folder, is trained first; None = no training."""

    @property
    def is_run(self) -> bool:
        """Whether `source` is a checkpoint with a card, not an ONNX file."""
        return self.recipe is not None or is_run(self.source)


def entries(words: Sequence[str], runs: Path) -> list[Entry]:
    """The entry of every word, checked before any work.

    Input: words as `mdeas compare` takes them; runs: folder in which recipes are trained.
    Errors: UsageError E-COMPARE (an unknown word, a name that occurs twice), E-RECIPE; ModelError
        E-CHECKPOINT (a run folder without weights).
    """
    found = [_entry(word, runs) for word in words]
    names = Counter([*(entry.name.casefold() for entry in found), *BASELINES, BASELINES_FOLDER])
    for entry in found:
        if names[entry.name.casefold()] > 1:
            raise UsageError(
                "E-COMPARE",
                f"the name {entry.name!r} is taken by another run or a baseline. "
                f"Rename or copy {quoted(entry.source)}.",
            )
    return found


def _entry(word: str, runs: Path) -> Entry:
    path = Path(word)
    if word in PACKAGED:
        return Entry(name=word, source=path)
    if word in recipe_names() or path.suffix in (".yaml", ".yml"):
        load_recipe(word)
        return Entry(name=path.stem, source=runs / path.stem, recipe=word)
    if path.is_dir():
        if not (path / "last.safetensors").is_file():
            advice = "Continue its training, or name another run."
            raise ModelError("E-CHECKPOINT", f"{quoted(path)} holds no last.safetensors. {advice}")
        return Entry(name=path.resolve().name, source=path)
    if path.is_file():
        parent = f"{path.resolve().parent.name}-" * (path.suffix == ".safetensors")
        return Entry(name=parent + path.stem, source=path)
    raise UsageError(
        "E-COMPARE",
        f"{word!r} is no run folder, no ONNX file, none of {', '.join(PACKAGED)} and no recipe. "
        f"Recipes: {', '.join(recipe_names())}.",
    )
