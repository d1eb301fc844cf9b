"""Train a recipe in a process of its own, which measures its peak memory alone."""

import subprocess
import sys
from pathlib import Path

from mdeas.dataset.dataset import Dataset
from mdeas.errors import Stopped, WorkerError
from mdeas.evaluate.compare.entries import Entry
from mdeas.system.files import read_json_if_any, sha256_file, write_json
from mdeas.system.signals import stop_requests
from mdeas.train.recipe.load import load_recipe
from mdeas.train.recipe.recipe import to_dict

_POLL_S = 0.5


def train(entry: Entry, data: Path) -> None:
    """Train the recipe of an entry into its run folder with `mdeas train`, unless that is finished.

    Errors: WorkerError E-TRAIN when training fails (its own message is on stderr); Stopped by a signal.
    """
    assert entry.recipe
    done = entry.source.with_name(f"{entry.name}.json")  # beside the run: how it was made
    if read_json_if_any(done) == _record(entry, data):
        return
    print(f"mdeas: training {entry.recipe!r} into '{entry.source}'", file=sys.stderr)
    words = ["train", entry.recipe, "--data", str(data), "-o", str(entry.source)]
    code, signum = _wait([sys.executable, "-m", "mdeas", *words])
    if signum is not None:
        raise Stopped(signum, f"stopped while {entry.name!r} trained. Run the same command again to go on.")
    if code:
        raise WorkerError(
            "E-TRAIN",
            f"training {entry.recipe!r} ended with exit code {code}; the line above says why. "
            "Mend that and run the same command again.",
        )
    write_json(done, _record(entry, data), force=True)


def _record(entry: Entry, data: Path) -> dict[str, object]:
    """What identifies a finished run: its recipe, its data and its weights."""
    weights = entry.source / "last.safetensors"
    return {
        "recipe": to_dict(load_recipe(str(entry.recipe))),
        "data": Dataset(data).fingerprint,
        "weights": sha256_file(weights) if weights.is_file() else None,
    }


def _wait(words: list[str]) -> tuple[int, int | None]:
    """(exit code of the command, signal that this process got and passed on to it, or None)."""
    passed = None
    with stop_requests() as stop, subprocess.Popen(words) as child:
        while child.poll() is None:
            if stop.signum is not None and passed is None:
                child.send_signal(passed := stop.signum)
            try:
                child.wait(_POLL_S)
            except subprocess.TimeoutExpired:
                continue
    return child.returncode, stop.signum
