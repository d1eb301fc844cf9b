"""The contract of a predictor: ONNX models, torch models and baselines share it."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mdeas.errors import InputError


@dataclass(frozen=True)
class Prediction:
    """Mask and depth of one pair, at the photo's own size."""

    mask: NDArray[np.float32]
    """float32 (H, W), alpha in [0, 1] of what is new in the image."""
    depth: NDArray[np.float32]
    """float32 (H, W) relative inverse depth, larger = nearer, unitless."""


class Predictor(Protocol):
    """Anything that predicts mask and depth from a pair of photos."""

    @property
    def name(self) -> str:
        """Its name in tables and messages."""
        ...

    @property
    def tasks(self) -> tuple[str, ...]:
        """What it predicts: "mask", "depth" or both. Another task's output is constant and not scored."""
        ...

    def predict(self, background: np.ndarray, image: np.ndarray) -> Prediction:
        """Predict one pair.

        Input: background, image: uint8 (H, W, 3) RGB of one size.
        Output: the Prediction, of that size.
        Errors: InputError E-PAIR-SIZE.
        """
        ...


def check_sizes(background: np.ndarray, image: np.ndarray) -> None:
    """Raise InputError E-PAIR-SIZE unless both photos, uint8 (H, W, 3), have one size."""
    if background.shape != image.shape:
        (bh, bw), (h, w) = background.shape[:2], image.shape[:2]
        raise InputError(
            "E-PAIR-SIZE", f"the background is {bw}×{bh} and the image {w}×{h}. Both must have one size."
        )
