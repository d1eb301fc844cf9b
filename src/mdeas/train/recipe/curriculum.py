"""Turn a recipe with stages into a list of ordinary recipes, one for each stage."""

import re
from dataclasses import dataclass
from typing import Any

from mdeas.errors import UsageError
from mdeas.train.checkpoint import STAGE
from mdeas.train.recipe.recipe import Recipe, recipe_of, to_dict
from mdeas.train.recipe.sections import require

_WHOLE = ("loss", "model.options", "model.parts")  # a stage replaces these as a whole
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One run of a curriculum."""

    folder: str
    """Number and name, such as "02-actual"; the run is in OUT/stages/02-actual."""
    recipe: Recipe
    """The stage's recipe; its "stage:" references contain folders, not names."""
    continue_lr: bool
    """Whether the stage begins at the learning rate with which the stage before ended."""


def expand(recipe: Recipe) -> list[Stage]:
    """The stages of `recipe`; UsageError E-RECIPE names the stage and the field that is wrong."""
    base = to_dict(recipe) | {"stages": []}
    stages: list[Stage] = []
    folders: dict[str, str] = {}
    for number, fields in enumerate(recipe.stages, 1):
        name = fields.get("name")
        fine = isinstance(name, str) and bool(_NAME.fullmatch(name)) and name not in folders
        require(fine, f"stages: name of stage {number}", name, "a file name that no other stage has")
        try:
            stages.append(_stage(base, fields, f"{number:02}-{name}", stages, folders))
        except UsageError as error:
            raise UsageError("E-RECIPE", f"stage '{name}': {error}") from error
        folders[str(name)] = stages[-1].folder
    return stages


def _stage(
    base: dict[str, Any], fields: dict[str, Any], folder: str, before: list[Stage], folders: dict[str, str]
) -> Stage:
    fields = {key: value for key, value in fields.items() if key != "name"}
    continue_lr = fields.pop("continue_lr", False)
    for key, value in fields.items():
        require(isinstance(value, dict) or not isinstance(base.get(key), dict), key, value, "a mapping")
    require("stages" not in fields, "stages", "a list", "given once, for the whole recipe")
    may = bool(before) and "lr" not in fields.get("optimizer", {})
    rule = "true or false, and true neither in the first stage nor beside an lr"
    require(continue_lr is False or (continue_lr is True and may), "continue_lr", continue_lr, rule)
    values = _merged(_inherited(base, fields), fields)
    given = fields.get("model", {})
    if before:
        _start_from(values["model"], given, before[-1])
    if before or "weights" in given:  # the recipe's mean_with belongs to its own weights
        values["model"]["mean_with"] = given.get("mean_with", [])
    _resolve_references(values, folders)
    return Stage(folder=folder, recipe=recipe_of(values), continue_lr=continue_lr)


def _inherited(base: dict[str, Any], fields: dict[str, Any]) -> dict[str, Any]:
    """The recipe's fields that a stage inherits: not the length or network if it has its own."""
    values = dict(base)
    if fields.keys() & {"steps", "epochs"}:
        values |= {"steps": None, "epochs": None}
    if fields.get("model", {}).get("name", base["model"]["name"]) != base["model"]["name"]:
        values["model"] = {}
    return values


def _merged(old: dict[str, Any], new: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    merged = dict(old)
    for key, value in new.items():
        deep = isinstance(value, dict) and isinstance(old.get(key), dict) and prefix + key not in _WHOLE
        merged[key] = _merged(old[key], value, f"{prefix}{key}.") if deep else value
    return merged


def _start_from(model: dict[str, Any], given: dict[str, Any], before: Stage) -> None:
    """Start from the weights of the stage before, unless the stage names weights or has another network."""
    last = before.recipe.model
    same = (model.get("name"), model.get("options") or {}) == (last.name, last.options)
    if same and "weights" not in given:
        model |= {"weights": STAGE + before.folder, "parts": given.get("parts", {})}


def _resolve_references(values: dict[str, Any], folders: dict[str, str]) -> None:
    """Replace the stage names in "stage:" references by folders."""
    model = values["model"]
    model["weights"] = _folder(model.get("weights"), folders)
    model["mean_with"] = [_folder(run, folders) for run in model.get("mean_with") or []]
    model["parts"] = {part: _folder(run, folders) for part, run in (model.get("parts") or {}).items()}
    values["teacher"] = _folder(values.get("teacher"), folders)


def _folder(run: Any, folders: dict[str, str]) -> Any:
    if not isinstance(run, str) or not run.startswith(STAGE) or run.removeprefix(STAGE) in folders.values():
        return run
    name, slash, weights = run.removeprefix(STAGE).partition("/")
    known = ", ".join(folders) or "none"
    require(name in folders, "reference", run, f"{STAGE} and the name of an earlier stage ({known})")
    return f"{STAGE}{folders[name]}{slash}{weights}"
