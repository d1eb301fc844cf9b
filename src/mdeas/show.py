"""What a data set looks like: a table of its statistics and a contact sheet."""

from typing import Any

import numpy as np

from mdeas.dataset import Dataset
from mdeas.images import colorize, contact_sheet
from mdeas.sample import Sample

TITLES = ("background", "image", "mask", "depth")
ROWS = 8
_UNKNOWN = 64  # grey of a mask or a depth that is not known


def table(statistics: dict[str, Any]) -> str:
    """Lines of text from `dataset.statistics`: counts, then mean and deviation per channel."""
    lines = [f"{split} samples: {count:,}" for split, count in statistics["samples"].items()]
    lines.append(f"{'':<16}{'mean':<24}standard deviation")
    lines += [_row(name, statistics[name]) for name in ("background", "image", "mask") if statistics[name]]
    lines += [_row(f"depth, {kind}", values) for kind, values in statistics["depth"].items()]
    if statistics["empty_share"] is not None:
        lines.append(f"empty pairs: {statistics['empty_share']:.2%}")
    if statistics["mask_area"]:
        areas = ", ".join(f"{float(q):.0%}: {area:.2%}" for q, area in statistics["mask_area"].items())
        lines.append(f"area of the mask in the other pairs, quantiles: {areas}")
    return "\n".join(lines)


def _row(name: str, values: dict[str, Any]) -> str:
    return f"{name:<16}{_channels(values['mean']):<24}{_channels(values['std'])}"


def _channels(value: float | list[float]) -> str:
    return " ".join(f"{number:.4f}" for number in np.atleast_1d(value))


def sheet(dataset: Dataset) -> np.ndarray:
    """Contact sheet of up to ROWS samples, evenly spread: uint8 (H, W, 3) RGB."""
    numbers = np.unique(np.linspace(0, len(dataset) - 1, ROWS).round().astype(int))
    samples = [dataset[int(number)] for number in numbers]
    captions = [sample.meta["id"] for sample in samples]
    return contact_sheet([_pictures(sample) for sample in samples], TITLES, captions=captions)


def _pictures(sample: Sample) -> list[np.ndarray]:
    unknown = np.full_like(sample.image, _UNKNOWN)
    mask = unknown if sample.mask is None else np.dstack([np.rint(sample.mask * 255).astype(np.uint8)] * 3)
    inverse_depth = sample.inverse_depth
    depth = unknown if inverse_depth is None else colorize(inverse_depth, sample.depth_known)
    return [sample.background, sample.image, mask, depth]
