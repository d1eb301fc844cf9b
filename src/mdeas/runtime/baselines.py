"""Predictors without a network. Every evaluation prints them beside the model, which must beat them."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from mdeas.runtime.predictor import Prediction, check_sizes
from mdeas.runtime.spec import TASKS


@dataclass(frozen=True)
class Baseline:
    """A rule for the mask, for the depth, or both. The task without a rule is 0 everywhere and not scored."""

    name: str
    title: str
    """Its name in tables."""
    about: str
    """One line that describes it."""
    mask: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None
    """(background, image) uint8 (H, W, 3) -> float32 (H, W) in [0, 1]."""
    depth: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None
    """(background, image) uint8 (H, W, 3) -> float32 (H, W) inverse depth."""

    @property
    def tasks(self) -> tuple[str, ...]:
        """The tasks that it predicts, of TASKS."""
        return tuple(task for task in TASKS if getattr(self, task))

    def predict(self, background: np.ndarray, image: np.ndarray) -> Prediction:
        """See Predictor. Errors: InputError E-PAIR-SIZE."""
        check_sizes(background, image)
        mask, depth = (rule or zeros for rule in (self.mask, self.depth))
        return Prediction(mask(background, image), depth(background, image))


def zeros(background: np.ndarray, image: np.ndarray) -> np.ndarray:
    """float32 (H, W) of 0."""
    return np.zeros(image.shape[:2], np.float32)


def difference(background: np.ndarray, image: np.ndarray) -> np.ndarray:
    """|background - image|, the largest of the three channels, with Otsu's threshold (Otsu 1979).

    Output: float32 (H, W), 0 or 1; 0 everywhere when the photos are equal.
    """
    change = cv2.absdiff(background, image).max(axis=2)
    return cv2.threshold(change, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[1].astype(np.float32)


def mog2(background: np.ndarray, image: np.ndarray) -> np.ndarray:
    """OpenCV's MOG2 (Zivkovic 2004): apply the background 20 times, then the image without learning.

    Output: float32 (H, W), 0 or 1; pixels that it calls shadow are 0.
    """
    subtractor = cv2.createBackgroundSubtractorMOG2()
    for _ in range(20):
        subtractor.apply(background)
    return (subtractor.apply(image, learningRate=0) == 255).astype(np.float32)


def gradient(background: np.ndarray, image: np.ndarray) -> np.ndarray:
    """Nearer at the bottom: float32 (H, W), linear from 0 (top row) to 1 (bottom row) in inverse depth."""
    height, width = image.shape[:2]
    return np.repeat(np.linspace(0, 1, height, dtype=np.float32)[:, None], width, axis=1)


def gradient_and_mask(background: np.ndarray, image: np.ndarray) -> np.ndarray:
    """`gradient` plus the `difference` mask: float32 (H, W) in [0, 2]."""
    return gradient(background, image) + difference(background, image)


_ALL = (
    Baseline("zero", "all-zero mask", "all-zero mask", mask=zeros),
    Baseline(
        "difference", "difference + Otsu", "|background - image| with Otsu's threshold", mask=difference
    ),
    Baseline("mog2", "MOG2", "OpenCV MOG2, background applied 20 times, shadows off the mask", mask=mog2),
    Baseline(
        "gradient", "vertical gradient", "vertical gradient as depth, nearer at the bottom", depth=gradient
    ),
    Baseline(
        "gradient+mask",
        "gradient with mask",
        "vertical gradient plus the difference mask as depth",
        depth=gradient_and_mask,
    ),
)
BASELINES: dict[str, Baseline] = {baseline.name: baseline for baseline in _ALL}
