"""Meshes as furniture and things: choose one, and find where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from mdeas.create.assets import Asset
from mdeas.create.scenes.draw import boxes
from mdeas.create.scenes.draw.furniture import TOPS_M
from mdeas.create.scenes.draw.place import Place, Support
from mdeas.create.scenes.meshes.files import Known, mesh_of
from mdeas.create.scenes.meshes.mesh import Mesh
from mdeas.create.scenes.scene import MESH_GREY, Palette, Primitive, Rng, Surface, log_uniform, rotation

SMALL_M, LARGE_M = 0.6, 2.7
"""Longest extent of what stands on tables, and of what stands in rooms."""
_FURNITURE_M = 4.0  # it stands in rooms when it is longer, and never on tables
_OUTDOOR = ("vehicle", "building", "outdoor")
_NOWHERE = ("architecture",)  # doors and curtains: they belong to walls, so they are left out
_IN_SHELVES = ("books",)  # large ones are rows of books, which would hang in the air without a shelf
_COMES_AND_GOES = ("person", "animal")  # never part of the background
_PLAIN_KEPT = 0.4  # share of untextured meshes that are used; they look less like photographs
TOP_SHARE = 0.7
"""Share of a top's sides that things may stand on: a round table's edge is farther in."""
_AT_WALL = 0.5  # share of the furniture that stands at a wall
_TRIES = 12


@dataclass(frozen=True, kw_only=True)
class Models:
    """The meshes of one split, to draw things from."""

    assets: tuple[Asset, ...]
    table: Mapping[str, Known]
    """By file name."""
    share: float
    """Share of the things that are meshes, in [0, 1]."""

    def stand(
        self,
        place: Place,
        apparent: tuple[float, float],
        palette: Palette,
        rng: Rng,
        *,
        added: bool,
        others: list[Primitive],
    ) -> tuple[list[Primitive], str]:
        """Choose a mesh that fits the place and touches nothing; return it with its identity, or ([], "").

        Input: apparent: range of its longest extent as a share of the picture's height;
        others: the primitives that are there already.
        """
        for _ in range(_TRIES):
            asset, mesh = self._draw(rng)
            if not self._belongs(asset, mesh, place, rng, added=added):
                continue
            turn, half = rotation(_yaw_deg(place, rng)), mesh.half * np.exp(rng.normal(0, 0.05))
            spot = _spot(place, np.abs(turn) @ half, apparent, others, rng)
            if spot is not None:
                if not added and not place.outdoor and rng.random() < _AT_WALL:
                    spot = _at_wall(place, spot, np.abs(turn) @ half, others, rng)
                _settle(place, mesh, spot, turn, half, added=added)
                return [_primitive(mesh, spot, turn, half, palette, added=added)], asset.identity
        return [], ""

    def _draw(self, rng: Rng) -> tuple[Asset, Mesh]:
        asset = self.assets[int(rng.integers(0, len(self.assets)))]
        return asset, mesh_of(asset, self._known(asset).longest_m)

    def _known(self, asset: Asset) -> Known:
        return self.table.get(asset.path.name, Known())

    def _belongs(self, asset: Asset, mesh: Mesh, place: Place, rng: Rng, *, added: bool) -> bool:
        category = self._known(asset).category
        if mesh.textures is None and rng.random() >= _PLAIN_KEPT:
            return False
        return place_kind(category, 2 * float(mesh.half.max())) in place.kinds and (
            added or category not in _COMES_AND_GOES
        )


def place_kind(category: str, longest_m: float) -> str:
    """The kind of place that a mesh belongs in, as in Thing.place; "" = none."""
    if category in _NOWHERE or (category in _IN_SHELVES and longest_m > SMALL_M):
        return ""
    if category in _OUTDOOR:
        return "outdoor"
    if category == "furniture":
        return "large" if longest_m <= _FURNITURE_M else "outdoor"
    if longest_m <= SMALL_M:
        return "small"
    return "large" if longest_m <= LARGE_M else "outdoor"


def _yaw_deg(place: Place, rng: Rng) -> float:
    """Draw a direction; indoors it is mostly parallel to a wall."""
    if place.outdoor or rng.random() < 0.3:
        return float(rng.uniform(-180, 180))
    return float(90 * rng.integers(0, 4) + rng.normal(0, 4))


def _spot(
    place: Place, reach: np.ndarray, apparent: tuple[float, float], others: list[Primitive], rng: Rng
) -> np.ndarray | None:
    """Base point (3,) for a box of half extents `reach` along the world's axes, or None."""
    for _ in range(_TRIES):
        spot = place.draw_spot(2 * float(reach.max()), apparent, reach[[0, 2]] + 0.01, rng)
        if spot is not None and _clear(place, spot, reach, others):
            return spot
    return None


def _clear(place: Place, spot: np.ndarray, reach: np.ndarray, others: list[Primitive]) -> bool:
    """Whether the box touches no other primitive's box, the ceiling or the camera."""
    middle = spot + np.array([0, reach[1], 0])
    room = place.primitives[0]
    if not place.outdoor and middle[1] + reach[1] > room.centre[1] + room.half[1] - 0.15:
        return False
    return boxes.boxes_clear(middle[None], reach[None], others, place.camera.position)


def _at_wall(
    place: Place, spot: np.ndarray, reach: np.ndarray, others: list[Primitive], rng: Rng
) -> np.ndarray:
    """The spot pushed along x or z to the nearer wall, if it is on the floor and that is free and in view."""
    floor, axis = place.supports[-1], int(rng.choice([0, 2]))
    low, high = (floor.low[axis // 2] + reach[axis], floor.high[axis // 2] - reach[axis])
    pushed = spot.copy()
    pushed[axis] = low + 0.02 if spot[axis] - low < high - spot[axis] else high - 0.02
    u, v, depth = place.camera.seen(pushed + np.array([0, reach[1], 0]))
    free = spot[1] == floor.height_m and depth > 0 and max(abs(u), abs(v)) < 1
    return pushed if free and _clear(place, pushed, reach, others) else spot


def _settle(
    place: Place, mesh: Mesh, spot: np.ndarray, turn: np.ndarray, half: np.ndarray, *, added: bool
) -> None:
    """Let other things stand on a mesh that has a flat top and is parallel to the walls."""
    height = float(spot[1] + 2 * half[1])
    along = np.abs(turn[0]).max() > 0.98
    if along and not added and TOPS_M[0] < height < TOPS_M[1] and has_flat_top(mesh):
        inner = TOP_SHARE * (np.abs(turn) @ half)[[0, 2]]
        at = spot[[0, 2]]
        place.tops.append(Support(height_m=height, low=at - inner, high=at + inner))


def has_flat_top(mesh: Mesh) -> bool:
    """Whether things can stand on it: rays from above end within 1.5 cm of its highest point."""
    across = np.linspace(-TOP_SHARE, TOP_SHARE, 12, dtype=np.float32)
    x, z = np.meshgrid(across * mesh.half[0], across * mesh.half[2])
    origin = np.stack([x.ravel(), np.full(x.size, mesh.half[1] + 1), z.ravel()], 1).astype(np.float32)
    t = mesh.cast(origin, np.broadcast_to(np.array([0, -1, 0], np.float32), origin.shape).copy())
    return bool(np.mean(t < 1.015) > 0.95)


def _primitive(
    mesh: Mesh, spot: np.ndarray, turn: np.ndarray, half: np.ndarray, palette: Palette, *, added: bool
) -> Primitive:
    return Primitive(
        kind="mesh",
        centre=spot + np.array([0, half[1], 0]),
        half=half,
        rotation=turn,
        surface=_surface(mesh, 2 * float(half.max()), palette),
        added=added,
        mesh=mesh,
    )


def _surface(mesh: Mesh, longest_m: float, palette: Palette) -> Surface:
    """The mesh's own texture, or one of the palette's in the mesh's colours where the file has none."""
    tile_m = longest_m * log_uniform(palette.rng, 0.2, 1.5)
    worn = palette.surface(plain=0.3, tile_m=tile_m, base=np.full(3, MESH_GREY))
    return worn if mesh.textures is None else replace(worn, contrast=0.0)
