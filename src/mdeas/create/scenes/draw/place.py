"""A place, and the points in it where things can stand in view of its camera."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from mdeas.create.scenes.scene import Camera, Primitive, Rng, log_uniform

_STEEP = -0.6  # y of the optical axis; a steeper camera sees tops, so depth follows from the pixel alone
_NEAREST_M = 0.2  # least depth of a thing
_ON_TOPS_M = 0.6  # larger things stand on the place's own supports only


class _Spot(NamedTuple):
    """A point on a support, as the camera sees it."""

    point: np.ndarray
    """(3,) metres."""
    row: float
    """Picture row in [-1, 1], upwards."""
    depth_m: float


@dataclass(frozen=True, kw_only=True)
class Support:
    """A horizontal rectangle on which things stand."""

    height_m: float
    low: np.ndarray
    """(2,) least x and z in metres."""
    high: np.ndarray
    """(2,) greatest x and z in metres."""

    def holds(self, point: np.ndarray, margin: float | np.ndarray) -> bool:
        """Tell whether the point (3,) is inside the rectangle, at least `margin` metres from its edges.

        Input: margin: one number, or (2,) along x and z. The height of the point is ignored.
        """
        at = point[[0, 2]]
        return bool(np.all(at >= self.low + margin) and np.all(at <= self.high - margin))


@dataclass
class Place:
    """The background of a scene; furniture and things are added to it."""

    primitives: list[Primitive]
    """The first one is the room (or the open ground)."""
    camera: Camera
    supports: list[Support]
    """One is drawn for each thing, so a frequent one is listed several times. The last is the lowest one."""
    kinds: tuple[str, ...]
    """Values of Thing.kind that belong here; a frequent one is listed several times."""
    far_m: float
    """Greatest depth of a thing."""
    outdoor: bool = False
    tops: list[Support] = field(default_factory=list)
    """Flat tops of furniture, for small things."""

    @property
    def seen_from_above(self) -> bool:
        """Tell whether the camera looks down so steeply that it sees the tops of things."""
        return bool(self.camera.rotation[1, 2] < _STEEP)

    def draw_spot(
        self, size_m: float, apparent: tuple[float, float], margin: float | np.ndarray, rng: Rng
    ) -> np.ndarray | None:
        """Try once to draw a base point for a thing of `size_m` metres that is at least partly in view.

        Input: apparent: range of its size as a share of the picture's height; from above only the upper end
            is respected. margin: see Support.holds.
        Output: (3,) metres, or None when this try finds none.
        """
        supports = self.supports + (2 * self.tops if size_m < _ON_TOPS_M else [])
        support = supports[int(rng.integers(0, len(supports)))]
        u = rng.uniform(-1.05, 1.05)
        draw = self._spot_below if self.seen_from_above else self._spot_ahead
        spot = draw(support, size_m, apparent, u, rng)
        if spot is None:
            return None
        top_row = spot.row + size_m / (spot.depth_m * self.camera.reach)
        # The border may cut off the foot of a near thing, as in photos of near furniture.
        seen = spot.row < 0.95 and top_row > -0.6 and _NEAREST_M < spot.depth_m < self.far_m
        return spot.point if seen and support.holds(spot.point, margin) else None

    def _spot_ahead(
        self, support: Support, size_m: float, apparent: tuple[float, float], u: float, rng: Rng
    ) -> _Spot:
        """Draw an apparent size; return the spot at picture column `u` where a thing has it."""
        camera, turn = self.camera, self.camera.rotation
        depth = size_m / (2 * camera.reach * log_uniform(rng, *apparent))
        across = u * depth * camera.reach
        up = (support.height_m - camera.position[1] - turn[1, 0] * across - turn[1, 2] * depth) / turn[1, 1]
        point = camera.position + turn @ np.array([across, up, depth])
        return _Spot(point, up / (depth * camera.reach), depth)

    def _spot_below(
        self, support: Support, size_m: float, apparent: tuple[float, float], u: float, rng: Rng
    ) -> _Spot | None:
        """Draw a pixel in column `u`; return the spot that it shows; None if a thing is too large there."""
        camera, v = self.camera, rng.uniform(-1.05, 0.95)
        depth = (support.height_m - camera.position[1]) / (camera.point(u, v, 1.0) - camera.position)[1]
        if not 0 < size_m < 2 * camera.reach * max(depth, 0) * apparent[1]:
            return None
        return _Spot(camera.point(u, v, depth), v, depth)
