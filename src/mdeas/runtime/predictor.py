"""The Predictor contract, shared by ONNX models and the baselines: what is measured is what ships."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np


@dataclass(frozen=True)
class Prediction:
    """Mask and depth of one pair, at the photo's own size."""

    mask: np.ndarray
    """float32 (H, W), alpha in [0, 1] of what is new in the image."""
    depth: np.ndarray
    """float32 (H, W) relative inverse depth, larger = nearer, unitless."""


class Predictor(Protocol):
    """Anything that turns a pair of photos into mask and depth."""

    @property
    def name(self) -> str:
        """For tables and messages."""
        ...

    @property
    def tasks(self) -> tuple[str, ...]:
        """What it predicts: "mask", "depth" or both. The rest of its Prediction is 0 and not scored."""
        ...

    def predict(self, background: np.ndarray, image: np.ndarray) -> Prediction:
        """background, image: uint8 (H, W, 3) RGB of one size. Output: a Prediction of that size."""
        ...
