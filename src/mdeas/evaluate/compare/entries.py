"""What is to be compared: run folders, checkpoints, ONNX files, packaged models, recipes to train first."""

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

BASELINES_FOLDER = "baselines"  # beside those of the networks, so no network's name


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One network of the comparison."""

    name: str
    """In tables, figures and file names; no two are equal."""
    source: Path
    """Run folder, .safetensors file, ONNX file, or the name of a model in the package."""
    recipe: str | None = None
    """Name or file of the recipe that makes `source`, a run folder, first."""

    @property
    def is_run(self) -> bool:
        """Whether `source` is a checkpoint with a card, not an ONNX file."""
        return self.recipe is not None or is_run(self.source)


def entries(words: Sequence[str], runs: Path) -> list[Entry]:
    """The entry of every word, checked before any work.

    Input: words as `mdeas compare` takes them; runs: folder in which recipes are trained.
    Errors: UsageError E-COMPARE (what is it? a name twice), E-RECIPE; ModelError E-CHECKPOINT (no weights).
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
        _require_weights(path)
        return Entry(name=path.resolve().name, source=path)
    if path.is_file():
        parent = f"{path.resolve().parent.name}-" * (path.suffix == ".safetensors")
        return Entry(name=parent + path.stem, source=path)
    raise UsageError(
        "E-COMPARE",
        f"{word!r} is no run folder, no ONNX file, none of {', '.join(PACKAGED)} and no recipe. "
        f"Recipes: {', '.join(recipe_names())}.",
    )


def _require_weights(run: Path) -> None:
    if not (run / "last.safetensors").is_file():
        raise ModelError(
            "E-CHECKPOINT",
            f"{quoted(run)} holds no last.safetensors. Train it on, or name another run.",
        )
