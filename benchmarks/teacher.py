"""Measure the cost of depth labels: a network sees each layer once, or every composite as published.

A network of real size (DINOv2-small, 24.8 M parameters, random weights, 518 pixels) is timed; the totals are
computed for 100 backgrounds, 100 cut-outs and 400,000 composites. On a CPU it is processor time, so that
other processes do not count; on a GPU it is wall time. The index.json of a data set made with
`teacher=layered` tells how well both kinds of labels agree.
"""

import os
import tempfile
import time
from pathlib import Path

os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

import numpy as np
import transformers.utils.logging

from mdeas.create.depth.model import find_model
from mdeas.create.depth.teacher import DepthNetwork
from mdeas.system.optional import import_torchvision

LAYERS, COMPOSITES = 100 + 100, 100 * 100 * 2 * 20
SIDE_PX = 518


def real_size(folder: Path) -> Path:
    """Save a network of the size of Depth-Anything-V2-Small, with random weights."""
    import_torchvision()
    from transformers import DepthAnythingConfig, DepthAnythingForDepthEstimation, DPTImageProcessor

    network = DepthAnythingForDepthEstimation(DepthAnythingConfig())
    network.save_pretrained(folder)
    size = {"height": SIDE_PX, "width": SIDE_PX}
    DPTImageProcessor(size=size, ensure_multiple_of=14, keep_aspect_ratio=True).save_pretrained(folder)
    return folder


def seconds_per_picture(network: DepthNetwork) -> float:
    """Time a batch of 224 x 224 pictures, from uint8 to float32 depth; return seconds per picture."""
    pictures = np.random.default_rng(0).integers(0, 255, (network.batch_size, 224, 224, 3), np.uint8)
    clock = time.perf_counter if network.device == "cuda" else time.process_time

    def spent() -> float:
        start = clock()
        network.predict(pictures)
        return clock() - start

    spent()
    return float(np.median([spent() for _ in range(3)])) / network.batch_size


def main() -> None:
    """Print seconds per picture, and the totals of both ways."""
    with tempfile.TemporaryDirectory() as place:
        network = DepthNetwork(find_model(str(real_size(Path(place) / "random-small"))))
        each_s = seconds_per_picture(network)
    parameters = sum(parameter.numel() for parameter in network.network.parameters())
    print(f"depth network, {parameters / 1e6:.1f} M parameters, {network.device}: {each_s:.2f} s per picture")
    print(f"layered: {LAYERS} runs, {LAYERS * each_s / 60:.1f} min; composite: {COMPOSITES:,} runs, "
          f"{COMPOSITES * each_s / 86400:.1f} days: {COMPOSITES // LAYERS:,}x as many")  # fmt: skip


if __name__ == "__main__":
    transformers.utils.logging.disable_progress_bar()
    main()
