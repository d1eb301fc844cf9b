"""A curriculum: the stages of a recipe as ordinary runs, one after the other.

OUT/stages/01-NAME/ is the run of the first stage, and so on. OUT/stages.json records which stages are done;
the other files in OUT are made from it and from the runs.
"""

import math
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mdeas.batches.loader import SampleSource
from mdeas.system.files import reached, read_json, write_bytes, write_json
from mdeas.system.signals import stop_requests
from mdeas.train.checkpoint import copy_checkpoints
from mdeas.train.folder import RECORD, held, refuse_another, refuse_foreign
from mdeas.train.loop import fingerprint, fit
from mdeas.train.ranks import ALONE, Ranks
from mdeas.train.recipe.curriculum import Stage, expand
from mdeas.train.recipe.recipe import Recipe, to_dict, to_yaml
from mdeas.train.reports.stage_report import write_report


def fit_stages(
    recipe: Recipe,
    training: Sequence[SampleSource],
    validation: Sequence[SampleSource],
    out: Path,
    *,
    device: str = "auto",
    ranks: Ranks = ALONE,
) -> dict[str, Any]:
    """Train every stage of `recipe` that is not done yet; output (of the last stage) and errors as loop.fit.

    OUT gets the checkpoints of the last stage, and the log (log.csv), figures (stages.csv) and last pictures
    (stages.png) of all stages.
    """
    with ranks.alike():
        stages = expand(recipe)
    with held(out, ranks), stop_requests() as stop:
        record = ranks.first_does(lambda: _begin(recipe, fingerprint(training, validation), out))
        for stage in stages[len(record["done"]) :]:
            stop.signum = ranks.agreed(stop.signum)
            with ranks.alike():
                stop.check()
            if ranks.first:
                write_report(out, record["done"])
                print(f"mdeas: stage {stage.folder} of {len(stages)}", file=sys.stderr)
            now, folder = _resolved(stage, record), out / "stages" / stage.folder
            facts = fit(now, training, validation, folder, device=device, ranks=ranks)
            record["done"].append(_storable(facts | {"stage": stage.folder}))
            ranks.first_does(lambda: write_json(out / RECORD, record, force=True))
            reached("stage")
        ranks.first_does(lambda: _finish(out, record["done"], stages[-1]))
    return {name: value for name, value in record["done"][-1].items() if name != "stage"}


def _finish(out: Path, done: list[dict[str, Any]], last: Stage) -> None:
    write_report(out, done)
    copy_checkpoints(out / "stages" / last.folder, out)


def _begin(recipe: Recipe, data: str, out: Path) -> dict[str, Any]:
    """The record in `out`, created if there is none; refuses a folder of another recipe or other data."""
    now = {"recipe": to_dict(recipe), "data": data}
    if not (out / RECORD).exists():
        refuse_foreign(out, stages=True)
        write_bytes(out / "recipe.yaml", to_yaml(recipe).encode(), force=True)
        write_json(out / RECORD, now | {"done": []}, force=True)
    record = read_json(out / RECORD)
    refuse_another(out, record, now)
    return record


def _resolved(stage: Stage, record: dict[str, Any]) -> Recipe:
    """The stage's recipe; with `continue_lr`, at the learning rate with which the stage before ended."""
    if not stage.continue_lr:
        return stage.recipe
    lr = record["done"][-1]["lr"]
    return replace(stage.recipe, optimizer=replace(stage.recipe.optimizer, lr=lr))


def _storable(facts: dict[str, Any]) -> dict[str, Any]:
    """The same without NaN and infinity, which JSON does not have."""
    return {
        name: value for name, value in facts.items() if not isinstance(value, float) or math.isfinite(value)
    }
