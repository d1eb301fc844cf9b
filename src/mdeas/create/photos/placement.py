"""Geometry of a composite: the crop of the background, the motion of the camera, the place of a cut-out.

Points are (x, y) in pixels; pixel centres have whole numbers. Matrices are float64 (2, 3) and map from the
source to the picture. `cv2.warpAffine` has the same conventions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

PUBLISHED_SIDE = 150 / 224
"""Long side of a cut-out at scale 1, as a share of the picture's side (system 5: 150 px in 224 px)."""

MAX_SHIFT = 0.01
"""Greatest shift of the picture by camera motion, each way, as a share of its side."""
MAX_TURN_DEG = 1.0
"""Greatest rotation by camera motion, each way."""
MAX_ZOOM = 0.005
"""Greatest relative change of size by camera motion, each way."""

_MAX_MAGNIFICATION = 1.5  # with more, blur would reveal the composite
_MAX_SIDE = 1.25  # of the picture's side; a longer thin object would cross the whole picture


@dataclass(frozen=True, kw_only=True)
class Placement:
    """A cut-out's place in the picture."""

    height_px: int
    """Height of the upright cut-out after scaling."""
    width_px: int
    left_px: int
    """First column of the upright cut-out; negative when the border cuts it."""
    top_px: int
    angle_deg: float
    """Rotation about its centre, counter-clockwise."""
    mirrored: bool

    @property
    def foot_px(self) -> float:
        """The last row of the upright cut-out."""
        return self.top_px + self.height_px - 1.0

    @property
    def matrix(self) -> np.ndarray:
        """The map from the scaled, mirrored cut-out to the picture, float64 (2, 3)."""
        centre = np.array([(self.width_px - 1) / 2, (self.height_px - 1) / 2])
        return similarity(centre, centre + np.array([self.left_px, self.top_px]), angle_deg=self.angle_deg)


def similarity(source: np.ndarray, target: np.ndarray, *, angle_deg: float, zoom: float = 1.0) -> np.ndarray:
    """Return float64 (2, 3): rotate and zoom about point `source` (2,), then move it to `target` (2,)."""
    c, s = zoom * np.cos(np.radians(angle_deg)), zoom * np.sin(np.radians(angle_deg))
    turn = np.array([[c, s], [-s, c]])  # y points down, so this is counter-clockwise to the eye
    return np.column_stack([turn, target - turn @ source])


def chained(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the float64 (2, 3) that applies `first` and then `second`."""
    return second @ np.vstack([first, [0, 0, 1]])


def margin_px(side: int) -> int:
    """Return the margin that a scene needs around the picture, so that a moved camera sees no border."""
    corner = np.hypot(MAX_SHIFT, MAX_SHIFT) + np.sqrt(0.5) * (np.radians(MAX_TURN_DEG) + MAX_ZOOM)
    return int(np.ceil(corner * side)) + 2  # two: the reach of the cubic kernel


def draw_motion(rng: np.random.Generator, side: int) -> np.ndarray:
    """Draw float64 (2, 3): from a scene with margin to the picture of a camera that moved a little.

    If all draws are zero, the picture is the scene without its margin.
    """
    centre = (side - 1) / 2
    shift = rng.uniform(-MAX_SHIFT, MAX_SHIFT, 2) * side
    angle_deg = rng.uniform(-MAX_TURN_DEG, MAX_TURN_DEG)
    zoom = 1 + rng.uniform(-MAX_ZOOM, MAX_ZOOM)
    scene_centre = np.full(2, centre + margin_px(side))
    return similarity(scene_centre, centre + shift, angle_deg=angle_deg, zoom=zoom)


def draw_rows_columns(
    rng: np.random.Generator, shape: tuple[int, ...], side: int, *, smallest: float, aspect_jitter: float
) -> tuple[slice, slice]:
    """Draw the rows and columns of a photo of `shape` (h, w) that become a picture of `side` x `side`.

    Input: smallest: least share of the photo's short side (a small photo gives more, which limits its
        magnification); aspect_jitter: greatest absolute log(width / height) of the crop.
    """
    short = min(shape)
    least = max(smallest, side / (_MAX_MAGNIFICATION * short))
    scale = short * rng.uniform(min(least, 1), 1)
    stretch = np.exp(rng.uniform(-aspect_jitter, aspect_jitter) / 2)
    return _span(rng, shape[0], scale / stretch), _span(rng, shape[1], scale * stretch)


def scale_by_area(
    rng: np.random.Generator, num_px: float, side: int, limits: tuple[float, float], num_objects: int
) -> float:
    """Draw the scale at which a cut-out of `num_px` opaque pixels covers a share of the picture in `limits`.

    The fourth root of the area is uniform: a uniform side would make small objects rare, a uniform logarithm
    would make most objects tiny. With `num_objects` in the picture, each covers less.
    """
    low, high = (limit**0.25 for limit in limits)
    area = max(rng.uniform(low, high) ** 4 / num_objects, limits[0])
    return float(np.sqrt(area * side**2 / num_px))


def scale_published(rng: np.random.Generator, long_side: int, side: int, scales: tuple[float, ...]) -> float:
    """Draw one of `scales`, relative to PUBLISHED_SIDE; return the factor for a cut-out of `long_side` px."""
    return PUBLISHED_SIDE * side / long_side * float(rng.choice(scales))


def draw_place(
    rng: np.random.Generator,
    shape: tuple[int, int],
    scale: float,
    side: int,
    *,
    rotation_deg: float,
    aspect_jitter: float,
    cut: bool,
) -> Placement:
    """Draw the place of a cut-out of `shape` (h, w); with `cut` the border may hide half of it each way."""
    stretch = np.exp(rng.uniform(-aspect_jitter, aspect_jitter) / 2)
    scale = min(scale, _MAX_MAGNIFICATION, _MAX_SIDE * side / max(shape))
    height, width = max(1, round(shape[0] * scale / stretch)), max(1, round(shape[1] * scale * stretch))
    return Placement(
        height_px=height,
        width_px=width,
        left_px=_offset(rng, width, side, cut),
        top_px=_offset(rng, height, side, cut),
        angle_deg=float(rng.uniform(-rotation_deg, rotation_deg)),
        mirrored=bool(rng.random() < 0.5),
    )


def _span(rng: np.random.Generator, available: int, wanted: float) -> slice:
    """Draw a span of about `wanted` pixels, at least 1, within `available` pixels."""
    length = min(available, max(1, round(wanted)))
    start = int(rng.integers(0, available - length + 1))
    return slice(start, start + length)


def _offset(rng: np.random.Generator, length: int, side: int, cut: bool) -> int:
    """Draw the first pixel of an object of `length` px in a picture of `side` px."""
    reach = length // 2 if cut else 0
    low, high = sorted((-reach, side - length + reach))
    return int(rng.integers(low, high + 1))
