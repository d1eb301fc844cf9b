"""What depth labels cost: a network over each layer once, or over every composite as the five systems did.

Measured at real size (DINOv2-small, 24.8 M parameters, random weights, 518 pixels), then counted for 100
backgrounds, 100 cut-outs and 400,000 composites. Seconds are those of the processor (of the GPU's clock where
there is one), so that company on the machine does not count.
How well both agree stands in the index.json of a data set that was made with `teacher=layered`.
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
    """Save a network of the size of Depth-Anything-V2-Small with random weights."""
    import_torchvision()
    from transformers import DepthAnythingConfig, DepthAnythingForDepthEstimation, DPTImageProcessor

    network = DepthAnythingForDepthEstimation(DepthAnythingConfig())
    network.save_pretrained(folder)
    size = {"height": SIDE_PX, "width": SIDE_PX}
    DPTImageProcessor(size=size, ensure_multiple_of=14, keep_aspect_ratio=True).save_pretrained(folder)
    return folder


def seconds_a_picture(network: DepthNetwork) -> float:
    """One batch of composites of 224², from uint8 to float32 depth, by the processor's clock."""
    pictures = np.random.default_rng(0).integers(0, 255, (network.batch_size, 224, 224, 3), np.uint8)
    clock = time.perf_counter if network.device == "cuda" else time.process_time

    def spent() -> float:
        start = clock()
        network.predict(pictures)
        return clock() - start

    spent()
    return float(np.median([spent() for _ in range(3)])) / network.batch_size


def main() -> None:
    """Seconds a picture, and what both ways amount to."""
    with tempfile.TemporaryDirectory() as place:
        network = DepthNetwork(find_model(str(real_size(Path(place) / "random-small"))))
        each_s = seconds_a_picture(network)
    parameters = sum(parameter.numel() for parameter in network.network.parameters())
    print(f"depth network, {parameters / 1e6:.1f} M parameters, {network.device}: {each_s:.2f} s a picture")
    print(f"layered: {LAYERS} runs, {LAYERS * each_s / 60:.1f} min; composite: {COMPOSITES:,} runs, "
          f"{COMPOSITES * each_s / 86400:.1f} days: {COMPOSITES // LAYERS:,}x as many")  # fmt: skip


if __name__ == "__main__":
    transformers.utils.logging.disable_progress_bar()
    main()
