"""What depth labels cost: a network over each layer once, or over every composite as the five systems did.

Measured at real size (DINOv2-small, 24.8 M parameters, random weights, 518 pixels), then counted for 100
backgrounds, 100 cut-outs and 400,000 composites. Seconds are those of the processor (of the GPU's clock where
there is one), so that company on the machine does not count.

    python benchmarks/teacher.py                                        the cost
    python benchmarks/teacher.py DATASET [NETWORK]                      and how well both labels agree

DATASET was made with `teacher=layered`; the network, Depth-Anything-V2-Small unless named, sees its images.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

import numpy as np
import transformers.utils.logging

from mdeas.create.depth.model import find_model
from mdeas.create.depth.teacher import Network
from mdeas.dataset import Dataset
from mdeas.metrics_depth import abs_rel, align, boundary_recall, delta1
from mdeas.torchvision_import import import_torchvision

LAYERS, COMPOSITES = 100 + 100, 100 * 100 * 2 * 20
SIDE_PX, NUM_AGREEMENT = 518, 32
_FARTHEST = 0.02  # of the nearest: inverse depth below is the sky, where a ratio of depths means nothing


def real_size(folder: Path) -> Path:
    """Save a network of the size of Depth-Anything-V2-Small with random weights."""
    import_torchvision()
    from transformers import DepthAnythingConfig, DepthAnythingForDepthEstimation, DPTImageProcessor

    network = DepthAnythingForDepthEstimation(DepthAnythingConfig())
    network.save_pretrained(folder)
    size = {"height": SIDE_PX, "width": SIDE_PX}
    DPTImageProcessor(size=size, ensure_multiple_of=14, keep_aspect_ratio=True).save_pretrained(folder)
    return folder


def seconds_a_picture(network: Network) -> float:
    """One batch of composites of 224², from uint8 to float32 depth, by the processor's clock."""
    pictures = np.random.default_rng(0).integers(0, 255, (network.batch, 224, 224, 3), np.uint8)
    clock = time.perf_counter if network.device == "cuda" else time.process_time

    def spent() -> float:
        start = clock()
        network.predict(pictures)
        return clock() - start

    spent()
    return float(np.median([spent() for _ in range(3)])) / network.batch


def agreement(layered: np.ndarray, composite: np.ndarray, mask: np.ndarray) -> dict[str, float]:
    """How layered labels differ from those of the network that saw the whole composite.

    Input: inverse depth, float32 (H, W) each; mask: float32 (H, W).
    Output: abs_rel and delta1 of layered against composite after a fit of scale and shift; sharpness of each:
        the boundary recall against the mask's own edge.
    """
    known = composite > _FARTHEST * composite.max()
    fitted = align(layered, composite, known, "affine-disparity")
    floored = np.maximum(composite, composite[known].min()).astype(np.float64)
    p, z = 1 / fitted[known], 1 / floored[known]
    sharp = {"layered": boundary_recall(fitted, mask), "composite": boundary_recall(floored, mask)}
    return {"abs_rel": abs_rel(p, z), "delta1": delta1(p, z)} | {
        f"{k} sharpness": v for k, v in sharp.items()
    }


def agreement_of(dataset: Dataset, network: Network) -> dict[str, float]:
    """Mean `agreement` over samples that are spread evenly and hold something."""
    rows = []
    for number in np.unique(np.linspace(0, len(dataset) - 1, NUM_AGREEMENT).round().astype(int)):
        sample = dataset[int(number)]
        if sample.mask.any():
            said = network.predict(sample.image[None])[0]
            seen = said if sample.depth_kind == "relative" else 1 / np.maximum(said, 1e-3)
            rows.append(agreement(sample.inverse_depth, seen, sample.mask))
    return {name: float(np.nanmean([row[name] for row in rows])) for name in rows[0]}


def report_cost() -> None:
    """Seconds a picture, and what both ways amount to."""
    with tempfile.TemporaryDirectory() as place:
        network = Network(find_model(str(real_size(Path(place) / "random-small"))))
        each_s = seconds_a_picture(network)
    parameters = sum(parameter.numel() for parameter in network.network.parameters())
    print(f"depth network, {parameters / 1e6:.1f} M parameters, {network.device}: {each_s:.2f} s a picture")
    print(f"layered: {LAYERS} runs, {LAYERS * each_s / 60:.1f} min; composite: {COMPOSITES:,} runs, "
          f"{COMPOSITES * each_s / 86400:.1f} days: {COMPOSITES // LAYERS:,}x as many")  # fmt: skip


if __name__ == "__main__":
    transformers.utils.logging.disable_progress_bar()
    report_cost()
    if sys.argv[1:]:
        dataset, *named = sys.argv[1:]
        found = agreement_of(Dataset(dataset), Network(find_model(named[0] if named else None)))
        print("layered against composite:", ", ".join(f"{name} {value:.3f}" for name, value in found.items()))
