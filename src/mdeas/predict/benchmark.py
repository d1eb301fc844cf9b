"""How long each stage of a prediction takes: the code of `mdeas predict` under a clock."""

import re
import statistics
import tempfile
import time
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

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


def benchmark(
    image: str | Path | None = None,
    background: str | Path | None = None,
    *,
    resolution: str | None = None,
    rounds: int = 20,
    model: ModelChoice = DEFAULT_MODEL,
) -> dict[str, Any]:
    """Predict one pair `rounds` times, after one time that is told apart, and take the time of every stage.

    Input:
        image, background: a pair; without, the sample pair of the package.
        resolution: "WIDTHxHEIGHT" that both photos are brought to; None = theirs, or 1280x720.
        model: what to measure.
    Output: {"stages": {name: {"median_ms", "p95_ms", "first_ms"}}, "fps", "load_ms", "peak_mib", ...} where
        the stages are those of stages.STAGES and "total", and the rest says what was measured on what. In
        "decode" both photos are read; of a folder the background is read once.
    Errors: UsageError E-RESOLUTION; those of runtime.load and of reading the pair.
    """
    start = time.perf_counter()
    predictor = model.load()
    load_ms = 1000 * (time.perf_counter() - start)
    with tempfile.TemporaryDirectory(prefix="mdeas-") as folder:
        photos = _pair(image, background, resolution, Path(folder))
        rows = [_seconds(predictor, *photos, Path(folder, "out")) for _ in range(rounds + 1)]
        height, width, _ = read_rgb(photos[1]).shape
    stages = _summary(rows)
    return {
        "stages": stages,
        "fps": round(1000 / stages[_TOTAL]["median_ms"], 2),
        "rounds": rounds,
        "photo": f"{width}x{height}",
        "load_ms": round(load_ms, 1),
        "peak_mib": round(peak_memory_mib()),
        **_setting(predictor, model.threads),
    }


def table(result: dict[str, Any]) -> str:
    """The result of `benchmark` for people."""
    lines = [f"{'stage':<8} {'median':>9} {'p95':>9} {'first':>9}  ms"]
    for name, row in result["stages"].items():
        lines.append(f"{name:<8} {row['median_ms']:9.1f} {row['p95_ms']:9.1f} {row['first_ms']:9.1f}")
    rest = {name: value for name, value in result.items() if name != "stages"}
    width = max(map(len, rest))
    return "\n".join([*lines, "", *(f"{name:<{width}}  {value}" for name, value in rest.items())])


def _pair(
    image: str | Path | None, background: str | Path | None, resolution: str | None, folder: Path
) -> tuple[Path, Path]:
    """Files of background and image; copies in `folder` where they have to be of another size."""
    if image is not None and background is not None:
        given = Path(background), Path(image)
        return _resized(given, resolution, folder) if resolution else given
    with as_file(files("mdeas") / "weights" / "sample") as sample:
        given = sample / "background.png", sample / "image.png"
        return _resized(given, resolution or _SAMPLE_SIZE, folder)


def _resized(photos: tuple[Path, Path], resolution: str, folder: Path) -> tuple[Path, Path]:
    match = re.fullmatch(r"(\d{1,5})x(\d{1,5})", resolution)
    if not match or "0" in match.groups():
        raise UsageError("E-RESOLUTION", f"resolution {resolution!r}: expected WIDTHxHEIGHT, as 1280x720.")
    width, height = map(int, match.groups())
    copies = folder / "background.jpg", folder / "image.jpg"
    for photo, copy in zip(photos, copies, strict=True):
        write_jpeg(copy, resize(read_rgb(photo), height, width, enlarge=cv2.INTER_CUBIC))
    return copies


def _seconds(predictor: Predictor, background: Path, image: Path, out: Path) -> dict[str, float]:
    """Of one prediction: by stage, and in all."""
    with measured() as seconds:
        start = time.perf_counter()
        predict_pair(predictor, background, image, out)
        total = time.perf_counter() - start
    return {**seconds, _TOTAL: total}


def _summary(rows: list[dict[str, float]]) -> dict[str, dict[str, float]]:
    """By stage; the first row is the first prediction, which warms up."""
    return {
        name: _figures([1000 * row[name] for row in rows]) for name in (*STAGES, _TOTAL) if name in rows[0]
    }


def _figures(times_ms: list[float]) -> dict[str, float]:
    first, *later = times_ms
    figures = {"median_ms": statistics.median(later), "p95_ms": np.percentile(later, 95), "first_ms": first}
    return {name: round(float(value), 2) for name, value in figures.items()}


def _setting(predictor: Predictor, threads: int | None) -> dict[str, Any]:
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
