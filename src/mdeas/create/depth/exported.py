"""A model of ours as a depth network: an ONNX file in, the depth of a batch of pictures out."""

from __future__ import annotations

import importlib.metadata

import numpy as np

from mdeas.create.depth.model import DepthModel
from mdeas.runtime import load

_NEAREST_BY_FARTHEST = 5.0
"""What photographs have on average: our depth has no zero, and a ratio of depths needs one."""
_FLAT = 1e-6


class ExportedNetwork:
    """A model of `mdeas export` on the CPU, shown one picture at a time."""

    batch = 1

    def __init__(self, model: DepthModel):
        """Errors: as of runtime.load."""
        self._predictor = load(model.folder)

    def predict(self, pictures: np.ndarray) -> np.ndarray:
        """uint8 RGB (B, H, W, 3) -> float32 (B, H, W) inverse depth, from 1 / _NEAREST_BY_FARTHEST to 1."""
        return np.stack([_ranged(self._predictor.predict(picture, picture).depth) for picture in pictures])


def _ranged(depth: np.ndarray) -> np.ndarray:
    low, high = depth.min(), depth.max()
    nearness = (depth - low) / max(high - low, _FLAT)
    return (nearness * (1 - 1 / _NEAREST_BY_FARTHEST) + 1 / _NEAREST_BY_FARTHEST).astype(np.float32)


def how() -> dict[str, object]:
    """As labels.how_here."""
    return {"device": "cpu", "versions": {"onnxruntime": importlib.metadata.version("onnxruntime")}}
