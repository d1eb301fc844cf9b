"""The Predictor contract, shared by ONNX models and the baselines: what is measured is what ships."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from mdeas.errors import InputError


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


def check_sizes(background: np.ndarray, image: np.ndarray) -> None:
    """InputError (E-PAIR-SIZE) unless both photos, uint8 (H, W, 3), have one size."""
    if background.shape != image.shape:
        (bh, bw), (h, w) = background.shape[:2], image.shape[:2]
        raise InputError(
            "E-PAIR-SIZE", f"the background is {bw}×{bh} and the image {w}×{h}. Both must have one size."
        )
