"""The reports of a curriculum: one log, one table and one picture of all stages."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mdeas.images.codec import read_rgb, write_png
from mdeas.images.sheets import stacked
from mdeas.system.files import csv_bytes, write_bytes
from mdeas.train.reports.curve import read_log, write_curve

Row = dict[str, Any]


def write_report(out: Path, done: Sequence[Row]) -> None:
    """Write log.csv, stages.csv and curve.png, and stages.png if a stage has been validated.

    Input: out: folder of the curriculum; done: for each stage its folder ("stage") and its figures.
    """
    rows = [
        {"stage": facts["stage"]} | row for facts in done for row in read_log(_folder(out, facts) / "log.csv")
    ]
    write_bytes(out / "log.csv", _csv(rows), force=True)
    write_curve(out)
    write_bytes(out / "stages.csv", _csv(done), force=True)
    sheets = {_caption(facts): sheet for facts in done for sheet in _last_sheet(_folder(out, facts))}
    if sheets:
        pictures = [read_rgb(path) for path in sheets.values()]
        write_png(out / "stages.png", stacked(pictures, list(sheets)), force=True)


def _folder(out: Path, facts: Row) -> Path:
    return out / "stages" / facts["stage"]


def _csv(rows: Sequence[Row]) -> bytes:
    """A table of all columns that occur, "stage" first; missing values stay empty."""
    columns = dict.fromkeys(["stage", *(name for row in rows for name in row)])
    return csv_bytes(columns, rows)


def _last_sheet(folder: Path) -> list[Path]:
    """The picture of the last validation, in a list that is empty without one."""
    sheets = (folder / "pictures").glob("step-*.png")
    return sorted(sheets, key=lambda path: int(path.stem.removeprefix("step-")))[-1:]


def _caption(facts: Row) -> str:
    """One line about a stage: name, steps, and the figures that choose the best checkpoints."""
    figures = {"mask IoU": facts.get("mask_iou"), "depth delta1": facts.get("depth_delta1")}
    known = [f"{name} {value:.3f}" for name, value in figures.items() if value is not None]
    return ", ".join([f"{facts['stage']}: step {facts['step']}", *known])
