"""Time every stage of a prediction: the code of `mdeas predict` under a clock."""

import re
import statistics
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

import cv2
import numpy as np

from mdeas.errors import UsageError
from mdeas.images.codec import read_rgb, write_jpeg
from mdeas.images.resize import resize
from mdeas.predict.photos import predict_pair
from mdeas.runtime.choice import DEFAULT_MODEL, ModelChoice
from mdeas.runtime.clock import STAGES, measured
from mdeas.runtime.onnx_predictor import OnnxPredictor
from mdeas.runtime.predictor import Predictor
from mdeas.system.machine import cpu_name, num_cores, peak_memory_mib
from mdeas.system.optional import import_onnxruntime

_SAMPLE_SIZE = "1280x720"
_TOTAL = "total"


@dataclass(frozen=True, kw_only=True)
class BenchmarkResult:
    """The times of `benchmark`, and the setting in which they were measured."""

    stages: Mapping[str, Mapping[str, float]]
    """For each of clock.STAGES that occurred, and "total": "median_ms", "p95_ms" and "first_ms"."""
    facts: Mapping[str, object]
    """Figures of the whole, and the setting: "fps", "load_ms", "peak_mib", "model", "size", "cpu", ..."""

    def to_json(self) -> dict[str, object]:
        """One object: "stages" and the facts."""
        return {"stages": self.stages, **self.facts}

    def table(self) -> str:
        """Two tables as text: the stages, then the facts."""
        names = max(map(len, self.stages))
        lines = [f"{'stage':<{names}} {'median':>9} {'p95':>9} {'first':>9}  ms"]
        for name, row in self.stages.items():
            lines.append(
                f"{name:<{names}} {row['median_ms']:9.1f} {row['p95_ms']:9.1f} {row['first_ms']:9.1f}"
            )
        width = max(map(len, self.facts))
        return "\n".join([*lines, "", *(f"{name:<{width}}  {value}" for name, value in self.facts.items())])


def benchmark(
    image: str | Path | None = None,
    background: str | Path | None = None,
    *,
    resolution: str | None = None,
    rounds: int = 20,
    model: ModelChoice = DEFAULT_MODEL,
) -> BenchmarkResult:
    """Predict one pair `rounds` times and time every stage; the first prediction is reported separately.

    Input:
        image, background: a pair; without one, the sample pair of the package.
        resolution: "WIDTHxHEIGHT" to which both photos are resized; None = theirs, or 1280x720 of the sample.
        model: what to measure.
    Output: the times. "decode" reads both photos; `mdeas predict` of a folder reads the background only once.
    Errors: UsageError E-RESOLUTION; those of runtime.load and of reading the pair.
    """
    start = time.perf_counter()
    predictor = model.load()
    load_ms = 1000 * (time.perf_counter() - start)
    with tempfile.TemporaryDirectory(prefix="mdeas-") as folder:
        photos = _pair(image, background, resolution, Path(folder))
        rows = [_time_one(predictor, *photos, Path(folder, "out")) for _ in range(rounds + 1)]
        height, width, _ = read_rgb(photos[1]).shape
    names = [name for name in (*STAGES, _TOTAL) if name in rows[0]]
    stages = {name: _summary([1000 * row[name] for row in rows]) for name in names}
    facts = {
        "fps": round(1000 / stages[_TOTAL]["median_ms"], 2),
        "rounds": rounds,
        "photo": f"{width}x{height}",
        "load_ms": round(load_ms, 1),
        "peak_mib": round(peak_memory_mib()),
        **_setting(predictor, model.threads),
    }
    return BenchmarkResult(stages=stages, facts=facts)


def _pair(
    image: str | Path | None, background: str | Path | None, resolution: str | None, folder: Path
) -> tuple[Path, Path]:
    """Files of background and image; copies in `folder` if their size must change."""
    if image is not None and background is not None:
        given = Path(background), Path(image)
        return _resized(given, resolution, folder) if resolution else given
    with as_file(files("mdeas") / "weights" / "sample") as sample:
        given = sample / "background.png", sample / "image.png"
        return _resized(given, resolution or _SAMPLE_SIZE, folder)


def _resized(photos: tuple[Path, Path], resolution: str, folder: Path) -> tuple[Path, Path]:
    match = re.fullmatch(r"(\d{1,5})x(\d{1,5})", resolution)
    if not match or not all(map(int, match.groups())):
        raise UsageError(
            "E-RESOLUTION", f"--resolution {resolution!r}: expected WIDTHxHEIGHT, such as 1280x720."
        )
    width, height = map(int, match.groups())
    copies = folder / "background.jpg", folder / "image.jpg"
    for photo, copy in zip(photos, copies, strict=True):
        write_jpeg(copy, resize(read_rgb(photo), height, width, enlarge=cv2.INTER_CUBIC))
    return copies


def _time_one(predictor: Predictor, background: Path, image: Path, out: Path) -> dict[str, float]:
    """Seconds of one prediction: by stage, and in total."""
    with measured() as seconds:
        start = time.perf_counter()
        predict_pair(predictor, background, image, out)
        total = time.perf_counter() - start
    return {**seconds, _TOTAL: total}


def _summary(times_ms: list[float]) -> dict[str, float]:
    """Median and 95th percentile without the first prediction, which warms up and is reported separately."""
    first, *later = times_ms
    return {
        "median_ms": round(statistics.median(later), 2),
        "p95_ms": round(float(np.percentile(later, 95)), 2),
        "first_ms": round(first, 2),
    }


def _setting(predictor: Predictor, threads: int | None) -> dict[str, object]:
    network = predictor if isinstance(predictor, OnnxPredictor) else None
    return {
        "model": predictor.name,
        "size": network and network.spec.size,
        "device": network.device if network else "cpu",
        "threads": threads or "chosen by ONNX Runtime",
        "cpu": cpu_name(),
        "cores": num_cores(),
        "onnxruntime": import_onnxruntime().__version__,
    }
