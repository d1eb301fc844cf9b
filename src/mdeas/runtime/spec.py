"""What a model expects, as JSON, and the one place that resizes pictures for it.

Rule: a pair is worked on with its long side at `Spec.size`, larger and smaller photos alike, because the
network learned objects at that scale; both sides are rounded to `Spec.multiple`.
"""

import dataclasses
import json
from dataclasses import dataclass

import cv2
import numpy as np

from mdeas.errors import ModelError
from mdeas.images.resize import resize

TASKS = ("mask", "depth")


@dataclass(frozen=True, kw_only=True)
class Spec:
    """What has to be known to run a model."""

    size: int
    """Long side of the working picture, pixels."""
    multiple: int
    """Both working sides are multiples of this."""
    depth_kind: str = "relative"
    """Meaning of the depth output: "relative" = inverse depth, larger = nearer, unitless."""
    name: str = ""
    """The model's name, for tables and messages."""
    tasks: tuple[str, ...] = TASKS
    """What the network learned; the output of the other task is constant and not scored."""
    looks: int = 1
    """2: what was found is looked at once more, see closer.py."""

    def __post_init__(self):
        for ok, what in (
            (
                type(self.size) is int and self.size >= 1,
                f"size must be a positive integer, got {self.size!r}",
            ),
            (
                type(self.multiple) is int and self.multiple >= 1,
                f"multiple must be >= 1, got {self.multiple!r}",
            ),
            (self.depth_kind == "relative", f"depth_kind must be 'relative', got {self.depth_kind!r}"),
            (isinstance(self.name, str), f"name must be text, got {self.name!r}"),
            (
                bool(self.tasks) and set(self.tasks) <= set(TASKS),
                f"tasks must be some of {TASKS}, got {self.tasks!r}",
            ),
            (type(self.looks) is int and self.looks in (1, 2), f"looks must be 1 or 2, got {self.looks!r}"),
        ):
            if not ok:
                raise ModelError("E-SPEC", f"model spec: {what}. Export the model again.")

    def to_json(self) -> str:
        """One line of JSON with every field."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "Spec":
        """The reverse of `to_json`; ModelError (E-SPEC) for other text, other fields and wrong types."""
        try:
            fields = json.loads(text)
            return cls(**fields | {"tasks": tuple(fields.get("tasks", TASKS))})
        except (ValueError, TypeError, AttributeError) as error:
            raise ModelError(
                "E-SPEC", f"model spec {text[:80]!r}: {error}. Export the model again."
            ) from error


def working_size(height: int, width: int, spec: Spec) -> tuple[int, int]:
    """(h, w) at which a photo of (height, width) is worked on; aspect kept up to the rounding."""
    scale = spec.size / max(height, width)
    return _rounded(height * scale, spec.multiple), _rounded(width * scale, spec.multiple)


def prepare(background: np.ndarray, image: np.ndarray, spec: Spec) -> tuple[np.ndarray, np.ndarray]:
    """Turn a pair of photos into network input.

    Input: background, image: uint8 (H, W, 3) RGB.
    Output: two float32 (1, 3, h, w) RGB in [0, 1], (h, w) = `working_size` of each photo.
    """
    return prepare_photo(background, spec), prepare_photo(image, spec)


def prepare_photo(photo: np.ndarray, spec: Spec) -> np.ndarray:
    """uint8 (H, W, 3) RGB -> float32 (1, 3, h, w) RGB in [0, 1]; area average down, cubic up."""
    height, width = working_size(photo.shape[0], photo.shape[1], spec)
    small = resize(photo, height, width, enlarge=cv2.INTER_CUBIC)
    return np.ascontiguousarray(small.transpose(2, 0, 1)[None], np.float32) / np.float32(255)


def restore(array: np.ndarray, height: int, width: int) -> np.ndarray:
    """Bring a working-size output back to the photo's own size.

    Input: array: float32 (h, w).
    Output: float32 (height, width), bilinear up (no overshoot), area average down.
    """
    return resize(np.ascontiguousarray(array, np.float32), height, width, enlarge=cv2.INTER_LINEAR)


def _rounded(length: float, multiple: int) -> int:
    return max(1, round(length / multiple)) * multiple
