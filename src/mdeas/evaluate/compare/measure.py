"""Quality of every network and baseline on one data set, and milliseconds of all networks side by side."""

import math
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mdeas import __version__
from mdeas.dataset.dataset import Dataset
from mdeas.evaluate.evaluate import evaluate_predictors
from mdeas.evaluate.report import SUMMARY
from mdeas.runtime.onnx_predictor import OnnxPredictor
from mdeas.runtime.predictor import Predictor
from mdeas.system.files import read_json_if_any

ALIGNMENT = "affine-disparity"
ROUNDS = 21


def quality(
    predictors: Sequence[Predictor], samples: Dataset, out: Path, *, limit: int | None, facts: dict[str, Any]
) -> dict[str, Any]:
    """Evaluate `predictors` into the folder `out`, unless the same evaluation is there already.

    Input: facts: identify the predictors, and are stored in the summary. Two evaluations are the same when
        facts, data, split, limit and version of mdeas are equal.
    Output: the summary, as of evaluate.evaluate.
    """
    facts = facts | {"limit": limit, "version": __version__}
    wanted = {"alignment": ALIGNMENT, **facts, "split": samples.split, "fingerprint": samples.fingerprint}
    stored = read_json_if_any(out / SUMMARY)
    if stored is not None and wanted == {name: (stored | stored["data"]).get(name) for name in wanted}:
        return stored
    print(f"mdeas: measuring {out.name}", file=sys.stderr)
    return evaluate_predictors(
        predictors, samples, out, limit=limit, alignment=ALIGNMENT, facts=facts, force=True
    )


def milliseconds(predictors: Sequence[OnnxPredictor], size: int) -> list[dict[str, float]]:
    """The time of each network for one pair of photos of `size` pixels, padded to its multiple.

    The networks take turns, ROUNDS times, so that a busy moment of the machine affects all alike.
    Output: {"ms": median, "ms_fastest": minimum} of each.
    """
    rounds = [[_seconds(predictor, size) for predictor in predictors] for _ in range(ROUNDS)]
    columns = [[1000 * seconds[number] for seconds in rounds] for number in range(len(predictors))]
    return [{"ms": statistics.median(column), "ms_fastest": min(column)} for column in columns]


def _seconds(predictor: OnnxPredictor, size: int) -> float:
    """The second of two calls; the first warms the caches after the turn of another network."""
    side = math.ceil(size / predictor.spec.multiple) * predictor.spec.multiple
    photos = np.random.default_rng(0).random((2, 1, 3, side, side), np.float32)
    predictor.run(*photos)
    start = time.perf_counter()
    predictor.run(*photos)
    return time.perf_counter() - start
