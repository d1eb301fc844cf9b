"""Statistics of many samples: mean and standard deviation of pixels, empty pairs, area of the foreground."""

from array import array
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np

from mdeas.sample import Sample

_AREA_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


class SampleStatistics:
    """The statistics that published data sets report, of all samples that were added."""

    def __init__(self) -> None:
        self.moments: dict[str, _Moments] = {}
        self.areas = array("d")

    def add(self, sample: Sample) -> None:
        """Add a sample."""
        for name, values, known in _pixels(sample):
            self.moments.setdefault(name, _Moments()).add(values, known)
        if sample.mask is not None:
            self.areas.append(float(sample.mask.mean()))

    def result(self) -> dict[str, Any]:
        """The statistics by name; None where no sample has the picture.

        Output: background, image: {"mean": [r, g, b], "std": [r, g, b]} in [0, 1]. mask: {"mean", "std"}.
            depth: {kind: {"mean", "std", "samples"}} over known pixels. empty_share: share of the pairs whose
            mask is 0 everywhere. mask_area: {quantile: mean alpha} of the other pairs.
        """
        return {**_spread(self.moments), **_area_statistics(np.array(self.areas))}


class _Moments:
    """Running mean and standard deviation per channel."""

    def __init__(self) -> None:
        self.samples, self.pixels = 0, 0
        self.sum = np.zeros(1)
        self.squares = np.zeros(1)

    def add(self, values: np.ndarray, known: np.ndarray | None) -> None:
        """Input: values: (H, W) or (H, W, C); known: bool (H, W), the pixels that count, None = all."""
        counted = None if known is None else known.view(np.uint8)
        pixels = values.shape[0] * values.shape[1] if counted is None else cv2.countNonZero(counted)
        mean, std = (moment.ravel() for moment in cv2.meanStdDev(values, mask=counted))
        self.samples += 1
        self.pixels += pixels
        self.sum = self.sum + pixels * mean
        self.squares = self.squares + pixels * (std**2 + mean**2)

    def mean_std(self) -> tuple[np.ndarray, np.ndarray]:
        mean = self.sum / max(self.pixels, 1)
        return mean, np.sqrt(np.maximum(self.squares / max(self.pixels, 1) - mean**2, 0))


def _pixels(sample: Sample) -> Iterator[tuple[str, np.ndarray, np.ndarray | None]]:
    """(name, values, known pixels) of each picture that the sample has."""
    yield "background", sample.background, None
    yield "image", sample.image, None
    if sample.mask is not None:
        yield "mask", sample.mask, None
    if sample.depth is not None:
        yield f"depth {sample.depth_kind}", sample.depth, sample.depth_known


def _spread(moments: dict[str, _Moments]) -> dict[str, Any]:
    result: dict[str, Any] = {"depth": {}, "mask": None}
    for name, moment in moments.items():
        mean, std = moment.mean_std()
        kind = name.removeprefix("depth ")
        if kind != name:
            result["depth"][kind] = {"mean": mean.item(), "std": std.item(), "samples": moment.samples}
        elif name == "mask":
            result["mask"] = {"mean": mean.item(), "std": std.item()}
        else:
            result[name] = {"mean": (mean / 255).tolist(), "std": (std / 255).tolist()}
    return result


def _area_statistics(areas: np.ndarray) -> dict[str, Any]:
    if not len(areas):
        return {"empty_share": None, "mask_area": None}
    filled = areas[areas > 0]
    quantiles = {str(q): float(np.quantile(filled, q)) for q in _AREA_QUANTILES} if len(filled) else None
    return {"empty_share": float(np.mean(areas == 0)), "mask_area": quantiles}
