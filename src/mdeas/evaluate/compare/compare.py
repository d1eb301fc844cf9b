"""Compare networks on one data set in one process: a table, a figure and a sheet of pictures."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mdeas.dataset.dataset import Dataset
from mdeas.evaluate.compare.candidate import Candidate, Setting, candidate
from mdeas.evaluate.compare.entries import BASELINES_FOLDER, entries
from mdeas.evaluate.compare.figure import figure
from mdeas.evaluate.compare.measure import milliseconds, quality
from mdeas.evaluate.compare.pictures import pictures
from mdeas.evaluate.compare.protocol import protocol
from mdeas.evaluate.compare.table import TableRow, markdown, quality_columns, rows_csv
from mdeas.evaluate.compare.training import train
from mdeas.images.codec import encode_png
from mdeas.runtime import baselines
from mdeas.system.files import refuse_existing, remove_temporaries, write_bytes
from mdeas.system.lock import locked

TABLE, CSV, FIGURE, PICTURES = "compare.md", "compare.csv", "compare.png", "compare-pictures.png"


def compare(
    runs: Sequence[str],
    data: str | Path,
    out: str | Path,
    *,
    split: str = "test",
    limit: int | None = None,
    size: int | None = None,
    threads: int | None = None,
    force: bool = False,
) -> str:
    """Train recipes, export runs, measure all networks, and write the four results into `out`.

    A call after an interruption continues: runs resume; exports and evaluations are reused while their
    weights, data and settings are the same.
    Input: runs: see entries.entries; data: folder of the data set to measure on, and to train recipes on;
        size, limit: see Setting; threads: None = all cores.
    Output: the Markdown table.
    Errors: UsageError, StorageError (E-EXISTS, before any work), those of Dataset, export and evaluate.
    """
    data, out = Path(data), Path(out)
    refuse_existing(out / TABLE, force)
    samples = Dataset(data, split)
    found = entries(runs, out / "runs")
    setting = Setting(size=size, threads=threads or os.cpu_count() or 1, limit=limit)
    with locked(out):
        remove_temporaries(out)
        for entry in found:
            if entry.recipe:
                train(entry, data)
        candidates = [candidate(entry, out / "models", setting) for entry in found]
        return _write(candidates, samples, out, setting)


def _write(candidates: list[Candidate], samples: Dataset, out: Path, setting: Setting) -> str:
    """Measure the candidates and write the results, the table last."""
    simple, summary = _baselines(samples, out, setting)
    networks = [_network(one, samples, out, setting) for one in candidates]
    predictors = [one.predictor for one in candidates]
    timed_at = max(predictor.spec.size for predictor in predictors)
    busy = os.getloadavg()[0]
    times = milliseconds(predictors, timed_at)
    rows = [*simple, *(row | time for row, time in zip(networks, times, strict=True))]
    text = markdown(rows, protocol(candidates, summary, setting, timed_at, busy))
    write_bytes(out / CSV, rows_csv(rows), force=True)
    write_bytes(out / FIGURE, figure(rows), force=True)
    sheet = pictures(predictors, samples, summary["num_pictures"]["all"])
    write_bytes(out / PICTURES, encode_png(sheet), force=True)
    write_bytes(out / TABLE, text.encode(), force=True)
    return text


def _baselines(samples: Dataset, out: Path, setting: Setting) -> tuple[list[TableRow], dict[str, Any]]:
    predictors = list(baselines.BASELINES.values())
    folder, facts = out / "evaluations" / BASELINES_FOLDER, {"names": [one.name for one in predictors]}
    summary = quality(predictors, samples, folder, limit=setting.limit, facts=facts)
    means = summary["predictors"]
    rows = [
        {"name": baselines.BASELINES[n].title, "network": False} | quality_columns(means[n]) for n in means
    ]
    return rows, summary


def _network(one: Candidate, samples: Dataset, out: Path, setting: Setting) -> TableRow:
    facts = {"sha256": one.sha256, "size": one.predictor.spec.size}
    folder = out / "evaluations" / one.name
    summary = quality([one.predictor], samples, folder, limit=setting.limit, facts=facts)
    means = summary["predictors"][one.name]
    return {"name": one.name, "network": True} | one.facts | quality_columns(means)
