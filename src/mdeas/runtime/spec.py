"""What a model expects, as JSON, and how photos are resized to its working size and back.

The long side of the working picture is `Spec.size`, for larger and smaller photos alike: the network learned
objects at that scale. Both sides are rounded to `Spec.multiple`.
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
    """What must be known to run a model."""

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
    """Passes of the network; 2 adds a mirrored pass over a crop around the detected subject."""

    def __post_init__(self) -> None:
        self._expect("size", type(self.size) is int and self.size >= 1, "an integer of 1 or more")
        self._expect("multiple", type(self.multiple) is int and self.multiple >= 1, "an integer of 1 or more")
        self._expect("depth_kind", self.depth_kind == "relative", "'relative'")
        self._expect("name", isinstance(self.name, str), "text")
        self._expect("tasks", bool(self.tasks) and set(self.tasks) <= set(TASKS), f"some of {TASKS}")
        self._expect("looks", type(self.looks) is int and self.looks in (1, 2), "1 or 2")

    def _expect(self, field: str, holds: bool, expected: str) -> None:
        if not holds:
            got = f"{field} must be {expected}, got {getattr(self, field)!r}"
            raise ModelError("E-SPEC", f"model spec: {got}. Export the model again.")

    def to_json(self) -> str:
        """All fields as one line of JSON."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "Spec":
        """The reverse of `to_json`; ModelError E-SPEC for other text, other fields and wrong types."""
        try:
            fields = json.loads(text)
            return cls(**fields | {"tasks": tuple(fields.get("tasks", TASKS))})
        except (ValueError, TypeError, AttributeError) as error:
            raise ModelError(
                "E-SPEC", f"model spec {text[:80]!r}: {error}. Export the model again."
            ) from error


def working_size(height: int, width: int, spec: Spec) -> tuple[int, int]:
    """(h, w) of the working picture of a photo of (height, width); the aspect changes by rounding only."""
    scale = spec.size / max(height, width)
    return _rounded(height * scale, spec.multiple), _rounded(width * scale, spec.multiple)


def prepare(background: np.ndarray, image: np.ndarray, spec: Spec) -> tuple[np.ndarray, np.ndarray]:
    """Turn a pair of photos into network input.

    Input: background, image: uint8 (H, W, 3) RGB.
    Output: two float32 (1, 3, h, w) RGB in [0, 1]; (h, w) is the `working_size` of each photo.
    """
    return prepare_photo(background, spec), prepare_photo(image, spec)


def prepare_photo(photo: np.ndarray, spec: Spec) -> np.ndarray:
    """uint8 (H, W, 3) RGB -> float32 (1, 3, h, w) RGB in [0, 1]; area average down, cubic up."""
    height, width = working_size(photo.shape[0], photo.shape[1], spec)
    small = resize(photo, height, width, enlarge=cv2.INTER_CUBIC)
    return np.ascontiguousarray(small.transpose(2, 0, 1)[None], np.float32) / np.float32(255)


def restore(array: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resize an output of the network to the photo's size.

    Input: array: float32 (h, w).
    Output: float32 (height, width); area average down, bilinear up (no overshoot).
    """
    return resize(np.ascontiguousarray(array, np.float32), height, width, enlarge=cv2.INTER_LINEAR)


def _rounded(length: float, multiple: int) -> int:
    return max(1, round(length / multiple)) * multiple
