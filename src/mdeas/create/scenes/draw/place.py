"""A place while it is furnished, and the points in it where things can stand in view of the camera."""

from dataclasses import dataclass, field

import numpy as np

from mdeas.create.scenes.scene import Camera, Primitive, Rng, log_uniform

_STEEP = -0.6  # y of the optical axis; a steeper camera sees tops, so depth follows from the pixel alone
_NEAREST_M = 0.2
_Found = tuple[np.ndarray, float, float]  # point (3,), picture row in [-1, 1], depth in metres
_ON_TOPS_M = 0.6  # what is larger stands on the floor


@dataclass(frozen=True, kw_only=True)
class Support:
    """A horizontal rectangle that things stand on."""

    height_m: float
    low: np.ndarray
    """(2,) smallest x and z in metres."""
    high: np.ndarray

    def holds(self, point: np.ndarray, margin: float | np.ndarray) -> bool:
        """Whether the point (3,) lies on it, at least `margin` metres (along x and z) from its rim."""
        at = point[[0, 2]]
        return bool(np.all(at >= self.low + margin) and np.all(at <= self.high - margin))


@dataclass
class Place:
    """The background of a scene while it is furnished."""

    primitives: list[Primitive]
    camera: Camera
    supports: list[Support]
    """The first carries most things; the last is the floor, or what takes its place."""
    kinds: tuple[str, ...]
    """Values of Thing.place that belong here."""
    far_m: float
    outdoor: bool = False
    tops: list[Support] = field(default_factory=list)
    """Flat tops of the furniture."""

    @property
    def seen_from_above(self) -> bool:
        """Whether the camera looks down so steeply that it sees the tops of things."""
        return bool(self.camera.rotation[1, 2] < _STEEP)

    def draw_spot(
        self, size_m: float, apparent: tuple[float, float], margin: float | np.ndarray, rng: Rng
    ) -> np.ndarray | None:
        """Try once to draw a base point for a thing of `size_m` metres that is at least partly in view.

        Input: apparent: range of its size as a share of the picture's height; seen from above only the upper
            end holds. margin: see Support.holds.
        Output: (3,) metres, or None.
        """
        supports = self.supports + self.tops * 2 * (size_m < _ON_TOPS_M)
        support = supports[int(rng.integers(0, len(supports)))]
        u = rng.uniform(-1.05, 1.05)
        found = (self._below if self.seen_from_above else self._ahead)(support, size_m, apparent, u, rng)
        if found is None:
            return None
        point, foot, depth = found
        top = foot + size_m / (depth * self.camera.reach)
        # The border may cut off the foot of a near thing, as it does in photos of near furniture.
        seen = foot < 0.95 and top > -0.6 and _NEAREST_M < depth < self.far_m
        return point if seen and support.holds(point, margin) else None

    def _ahead(
        self, support: Support, size_m: float, apparent: tuple[float, float], u: float, rng: Rng
    ) -> _Found:
        """Draw an apparent size; return the point, picture row and depth that give it."""
        camera, turn = self.camera, self.camera.rotation
        depth = size_m / (2 * camera.reach * log_uniform(rng, *apparent))
        across = u * depth * camera.reach
        up = (support.height_m - camera.position[1] - turn[1, 0] * across - turn[1, 2] * depth) / turn[1, 1]
        return camera.position + turn @ np.array([across, up, depth]), up / (depth * camera.reach), depth

    def _below(
        self, support: Support, size_m: float, apparent: tuple[float, float], u: float, rng: Rng
    ) -> _Found | None:
        """Draw a pixel; return the point, picture row and depth it sees; None if too large there."""
        camera, v = self.camera, rng.uniform(-1.05, 0.95)
        depth = (support.height_m - camera.position[1]) / (camera.point(u, v, 1.0) - camera.position)[1]
        if not 0 < size_m < 2 * camera.reach * max(depth, 0) * apparent[1]:
            return None
        return camera.point(u, v, depth), v, depth
