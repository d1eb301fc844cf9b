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
    """The summary of an evaluation of `predictors` in the folder `out`, kept when it is there already.

    Input: facts: what the predictors are. An evaluation by the same version of the same facts, data, split
        and limit is not repeated.
    Output: as evaluate.evaluate.
    """
    facts = facts | {"limit": limit, "version": __version__}
    known = {"alignment": ALIGNMENT, **facts, "split": samples.split, "fingerprint": samples.fingerprint}
    found = read_json_if_any(out / SUMMARY)
    if found is not None and known == {name: (found | found["data"]).get(name) for name in known}:
        return found
    print(f"mdeas: measuring {out.name}", file=sys.stderr)
    return evaluate_predictors(
        predictors, samples, out, limit=limit, alignment=ALIGNMENT, facts=facts, force=True
    )


def milliseconds(predictors: Sequence[OnnxPredictor], size: int) -> list[dict[str, float]]:
    """{"ms": median, "ms_fastest"} of each network for one pair of size×size photos, padded as it wants.

    Taken in turn, ROUNDS times, so that a busy moment meets all alike. Each turn begins with a call that is
    not counted: it warms the caches, and outlasts the threads of the network before, which spin for a while.
    """
    rows = [_turns(predictors, size) for _ in range(ROUNDS)]
    columns = [[1000 * row[number] for row in rows] for number in range(len(predictors))]
    return [{"ms": statistics.median(column), "ms_fastest": min(column)} for column in columns]


def _turns(predictors: Sequence[OnnxPredictor], size: int) -> list[float]:
    return [_seconds(predictor, _photos(predictor, size)) for predictor in predictors]


def _photos(predictor: OnnxPredictor, size: int) -> list[np.ndarray]:
    side = math.ceil(size / predictor.spec.multiple) * predictor.spec.multiple
    return list(np.random.default_rng(0).random((2, 1, 3, side, side), np.float32))


def _seconds(predictor: OnnxPredictor, photos: list[np.ndarray]) -> float:
    predictor.run(*photos)
    start = time.perf_counter()
    predictor.run(*photos)
    return time.perf_counter() - start
