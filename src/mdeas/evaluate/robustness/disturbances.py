"""Disturbances of a pair of photos, one at a time and in levels.

Mask and depth are the truth of `image`, so no disturbance moves what is in the image. A moved camera and
other light change the background photo alone; noise and JPEG change both photos; a shadow and fainter colours
are painted into the image from the true mask.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np

from mdeas.images import camera_faults
from mdeas.images.camera_faults import Nuisance
from mdeas.images.levels import DISPLAY_GAMMA
from mdeas.metrics.mask import cut
from mdeas.sample import Sample

_SIDE = 224
"""Long side of a picture in whose pixels lengths are given, so that they mean the same at any size."""
_SOFT_PX = 3.0  # standard deviation of a shadow's edge, at _SIDE


@dataclass(frozen=True, kw_only=True)
class Disturbance:
    """One row of DISTURBANCES."""

    about: str
    """What is changed."""
    unit: str
    """What the levels count."""
    levels: tuple[float, ...]
    """In the order in which they are shown."""
    none: float
    """The one of `levels` that leaves the pair as it is."""
    change: Callable[[Sample, float, np.random.Generator], Sample]
    """(sample with a mask, level, rng) -> the sample with changed photos and the same truth."""

    @property
    def labels(self) -> tuple[str, ...]:
        """What tables call the levels."""
        return tuple(map(self.label, self.levels))

    def label(self, level: float) -> str:
        """What tables call a level."""
        return "none" if level == self.none else f"{level:g}"

    def disturbed(self, sample: Sample, level: float, place: int) -> Sample:
        """`sample` disturbed at one of the levels; `sample` itself at the level `none`.

        Input: place: position of the sample in its split. It alone seeds what is drawn (a direction, noise),
            so that levels differ in strength only.
        """
        if level == self.none:
            return sample
        return self.change(sample, level, np.random.default_rng(place))


def shift(sample: Sample, level: float, rng: np.random.Generator) -> Sample:
    """The background photo moved right, left, down or up; the border mirrors what is left of it."""
    distance = level * _unit_px(sample.image)
    right, down = distance * np.array([(1, 0), (-1, 0), (0, 1), (0, -1)][rng.integers(4)])
    return _moved(sample, np.array([[1.0, 0.0, right], [0.0, 1.0, down]]))


def rotation(sample: Sample, level: float, rng: np.random.Generator) -> Sample:
    """The background photo turned about its centre, either way."""
    height, width = sample.background.shape[:2]
    angle_deg = level * rng.choice((-1, 1))
    return _moved(sample, cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), angle_deg, 1))


def _moved(sample: Sample, matrix: np.ndarray) -> Sample:
    """The background photo under an affine map; cubic, since a linear one would blur it as well."""
    height, width = sample.background.shape[:2]
    background = cv2.warpAffine(
        sample.background, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
    )
    return replace(sample, background=background)


def exposure(sample: Sample, level: float, rng: np.random.Generator) -> Sample:
    """`level` times the light for the background photo; what is too bright saturates."""
    return replace(sample, background=camera_faults.apply(sample.background, Nuisance(exposure=level), rng))


def white_balance(sample: Sample, level: float, rng: np.random.Generator) -> Sample:
    """The background photo warmer (red × level, blue / level), or as much colder."""
    red = float(level ** rng.choice((-1, 1)))
    tinted = Nuisance(white_balance=(red, 1.0, 1 / red))
    return replace(sample, background=camera_faults.apply(sample.background, tinted, rng))


def noise(sample: Sample, level: float, rng: np.random.Generator) -> Sample:
    """Sensor noise of its own in each photo; level: deviation at mid grey, in % of the range."""
    return _both(sample, Nuisance(noise_sigma=level / 100), rng)


def jpeg(sample: Sample, level: float, rng: np.random.Generator) -> Sample:
    """Both photos through a JPEG file of that quality."""
    return _both(sample, Nuisance(jpeg_quality=int(level)), rng)


def _both(sample: Sample, suffered: Nuisance, rng: np.random.Generator) -> Sample:
    """Background and image, one after the other, so that their noise differs."""
    background = camera_faults.apply(sample.background, suffered, rng)
    return replace(sample, background=background, image=camera_faults.apply(sample.image, suffered, rng))


def shadow(sample: Sample, level: float, rng: np.random.Generator) -> Sample:
    """A soft shadow over the image behind the foreground; level: share of the light that its core loses."""
    assert sample.mask is not None
    lost = level * _shadow_shape(sample.mask, rng) * (1 - sample.mask)
    lit = sample.image * ((1 - lost) ** (1 / DISPLAY_GAMMA))[..., None]
    return replace(sample, image=_to_uint8(lit))


def _shadow_shape(mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """float32 (H, W) in [0, 1]: where light is taken."""
    inside = cut(mask)
    hard = _cast(mask, inside, rng) if inside.any() else _passing(mask, rng)
    return cv2.GaussianBlur(hard, (0, 0), _SOFT_PX * _unit_px(mask)).clip(0, 1)


def _cast(mask: np.ndarray, inside: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The foreground's mask laid on the ground from its lowest row, towards the side with more room."""
    rows, columns = np.nonzero(inside)
    foot, middle = float(rows.max()), (columns.min() + columns.max()) / 2
    lean = rng.uniform(0.7, 1.3) * (1 if middle < mask.shape[1] / 2 else -1)
    length = rng.uniform(0.5, 0.9)
    laid = np.array([[1, -lean, lean * foot], [0, length, foot * (1 - length)]])
    return cv2.warpAffine(mask, laid, mask.shape[::-1], flags=cv2.INTER_LINEAR)


def _passing(mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """For an empty pair the shadow of something out of view: an ellipse of 2 to 13 % of the squared side."""
    height, width = mask.shape
    centre = int(rng.integers(width)), int(rng.integers(height))
    axes = (max(height, width) * rng.uniform(0.08, 0.2, 2)).round().astype(int).tolist()
    return cv2.ellipse(np.zeros_like(mask), centre, axes, rng.uniform(0, 180), 0, 360, 1.0, cv2.FILLED)


def contrast(sample: Sample, level: float, rng: np.random.Generator) -> Sample:
    """The foreground's colours moved to those behind it: background + level × (image − background)."""
    assert sample.mask is not None
    background = sample.background.astype(np.float32)
    fainter = _to_uint8(background + level * (sample.image - background))
    return replace(sample, image=np.where(sample.mask[..., None] > 0, fainter, sample.image))


def _to_uint8(picture: np.ndarray) -> np.ndarray:
    return np.rint(picture).astype(np.uint8)


def _unit_px(picture: np.ndarray) -> float:
    """Pixels of a picture (H, W, ...) that one pixel at _SIDE stands for."""
    return max(picture.shape[:2]) / _SIDE


DISTURBANCES: dict[str, Disturbance] = {
    "shift": Disturbance(
        about="background photo moved",
        unit="pixels at 224 on the long side",
        levels=(0, 1, 2, 3, 4, 5, 6),
        none=0,
        change=shift,
    ),
    "rotation": Disturbance(
        about="background photo turned",
        unit="degrees",
        levels=(0, 0.4, 0.8, 1.2, 1.6, 2),
        none=0,
        change=rotation,
    ),
    "exposure": Disturbance(
        about="background photo lighter or darker",
        unit="times the light",
        levels=(0.5, 0.71, 1, 1.41, 2),
        none=1,
        change=exposure,
    ),
    "white balance": Disturbance(
        about="background photo warmer or colder",
        unit="red × and blue ÷, or reverse",
        levels=(1, 1.1, 1.2, 1.35, 1.5),
        none=1,
        change=white_balance,
    ),
    "noise": Disturbance(
        about="both photos",
        unit="σ at mid grey, % of the range",
        levels=(0, 1, 2, 4, 8),
        none=0,
        change=noise,
    ),
    "JPEG": Disturbance(
        about="both photos",
        unit="quality",
        levels=(100, 90, 70, 50, 30, 10),
        none=100,
        change=jpeg,
    ),
    "shadow": Disturbance(
        about="cast behind the foreground of the image",
        unit="share of the light lost",
        levels=(0, 0.2, 0.4, 0.6, 0.8),
        none=0,
        change=shadow,
    ),
    "low contrast": Disturbance(
        about="foreground of the image fades into what is behind it",
        unit="share of the difference left",
        levels=(1, 0.8, 0.6, 0.4, 0.2, 0.1),
        none=1,
        change=contrast,
    ),
}
"""All disturbances by name. A new one is a function and a row here."""
