"""Statistics of many samples: means and deviations over pixels, empty pairs, sizes of the foreground."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from mdeas.sample import Sample

_AREA_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def sample_statistics(samples: Iterable[Sample]) -> dict[str, Any]:
    """What published data sets list.

    Output: {"background" | "image": {"mean": [r, g, b], "std": [r, g, b]} in [0, 1], "mask": {"mean", "std"},
    "depth": {kind: {"mean", "std", "samples"}} over the known pixels, "empty_share": share of the pairs whose
    mask is 0 everywhere, "mask_area": {quantile: share of the picture} of the others}. What no sample has is
    None.
    """
    moments: dict[str, _Moments] = {}
    areas = []
    for sample in samples:
        for name, values in _measured(sample):
            moments.setdefault(name, _Moments()).add(values)
        if sample.mask is not None:
            areas.append(float(sample.mask.mean()))
    return {**_spread(moments), **_area_statistics(np.array(areas))}


class _Moments:
    """Running mean and standard deviation per channel, of pixels (N, C)."""

    def __init__(self) -> None:
        self.samples, self.pixels = 0, 0
        self.sum: Any = 0.0
        self.squares: Any = 0.0

    def add(self, values: np.ndarray) -> None:
        self.samples += 1
        self.pixels += len(values)
        self.sum += values.sum(0, dtype=np.float64)
        self.squares += np.square(values, dtype=np.float64).sum(0)

    def mean_std(self) -> tuple[np.ndarray, np.ndarray]:
        mean = self.sum / max(self.pixels, 1)
        return mean, np.sqrt(np.maximum(self.squares / max(self.pixels, 1) - mean**2, 0))


def _measured(sample: Sample) -> Iterator[tuple[str, np.ndarray]]:
    yield "background", sample.background.reshape(-1, 3)
    yield "image", sample.image.reshape(-1, 3)
    if sample.mask is not None:
        yield "mask", sample.mask.reshape(-1, 1)
    if sample.depth is not None:
        yield f"depth {sample.depth_kind}", sample.depth[sample.depth_known].reshape(-1, 1)


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
