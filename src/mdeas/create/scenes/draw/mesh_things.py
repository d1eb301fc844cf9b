"""Meshes as furniture and things: choose a mesh, and find a place where it can stand."""

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
"""Greatest extent of a "small" thing and of a "large" thing."""
_FURNITURE_M = 4.0  # greatest extent of furniture in rooms; furniture is never "small"
_OUTDOOR = ("vehicle", "building", "outdoor")  # categories
_UNUSED = ("architecture",)  # doors and curtains: they belong to walls
_IN_SHELVES = ("books",)  # large ones are rows of books, which would hang in the air without a shelf
_NEVER_BACKGROUND = ("person", "animal")  # they move, so they are added things only
_PLAIN_KEPT = 0.4  # share of untextured meshes that are used; they look less like photographs
TOP_SHARE = 0.7
"""Share of a flat top's length and width on which things may stand, because round tables have no corners."""
_AT_WALL_SHARE = 0.5  # share of the furniture that stands at a wall
_TRIES = 12  # meshes tried for one thing, and spots tried for one mesh


@dataclass(frozen=True, kw_only=True)
class Models:
    """The meshes of one split."""

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

        Input: apparent: range of its longest extent as a share of the picture's height; added: see
            Primitive.added; others: primitives that it must not touch.
        """
        for _ in range(_TRIES):
            asset = self.assets[int(rng.integers(0, len(self.assets)))]
            mesh = mesh_of(asset, self._known(asset).longest_m)
            if not self._fits(asset, mesh, place, rng, added=added):
                continue
            turn, half = rotation(_yaw_deg(place, rng)), mesh.half * np.exp(rng.normal(0, 0.05))
            spot = _spot(place, np.abs(turn) @ half, apparent, others, rng)
            if spot is not None:
                if not added and not place.outdoor and rng.random() < _AT_WALL_SHARE:
                    spot = _moved_to_wall(place, spot, np.abs(turn) @ half, others, rng)
                if not added:
                    _add_top(place, mesh, spot, turn, half)
                return [_primitive(mesh, spot, turn, half, palette, added=added)], asset.identity
        return [], ""

    def _known(self, asset: Asset) -> Known:
        return self.table.get(asset.path.name, Known())

    def _fits(self, asset: Asset, mesh: Mesh, place: Place, rng: Rng, *, added: bool) -> bool:
        """Tell whether the mesh belongs in the place; a share of the untextured meshes is refused anyway."""
        category = self._known(asset).category
        if mesh.textures is None and rng.random() >= _PLAIN_KEPT:
            return False
        if not added and category in _NEVER_BACKGROUND:
            return False
        return thing_kind(category, 2 * float(mesh.half.max())) in place.kinds


def thing_kind(category: str, longest_m: float) -> str:
    """Return the kind of a mesh, see catalogue.Thing.kind; "" = not used.

    Input: category: of the table meshes.csv, "" = unknown; longest_m: the mesh's longest extent.
    """
    if category in _UNUSED or (category in _IN_SHELVES and longest_m > SMALL_M):
        return ""
    if category in _OUTDOOR:
        return "outdoor"
    if category == "furniture":
        return "large" if longest_m <= _FURNITURE_M else "outdoor"
    if longest_m <= SMALL_M:
        return "small"
    return "large" if longest_m <= LARGE_M else "outdoor"


def _yaw_deg(place: Place, rng: Rng) -> float:
    """Draw the direction in which a mesh faces; indoors it is mostly perpendicular to a wall."""
    if place.outdoor or rng.random() < 0.3:
        return float(rng.uniform(-180, 180))
    return float(90 * rng.integers(0, 4) + rng.normal(0, 4))


def _spot(
    place: Place, reach: np.ndarray, apparent: tuple[float, float], others: list[Primitive], rng: Rng
) -> np.ndarray | None:
    """Draw a base point (3,) for a box of half extents `reach` along the world's axes; None if none fits."""
    for _ in range(_TRIES):
        spot = place.draw_spot(2 * float(reach.max()), apparent, reach[[0, 2]] + 0.01, rng)
        if spot is not None and _clear(place, spot, reach, others):
            return spot
    return None


def _clear(place: Place, spot: np.ndarray, reach: np.ndarray, others: list[Primitive]) -> bool:
    """Tell whether the box on `spot` touches no other primitive's box, no ceiling and not the camera."""
    middle = spot + np.array([0, reach[1], 0])
    room = place.primitives[0]
    if not place.outdoor and middle[1] + reach[1] > room.centre[1] + room.half[1] - 0.15:
        return False
    return boxes.boxes_clear(middle[None], reach[None], others, place.camera.position)


def _moved_to_wall(
    place: Place, spot: np.ndarray, reach: np.ndarray, others: list[Primitive], rng: Rng
) -> np.ndarray:
    """Move a spot on the floor along x or z to the nearer wall, if it is free and in view there."""
    floor, axis = place.supports[-1], int(rng.choice([0, 2]))
    low, high = (floor.low[axis // 2] + reach[axis], floor.high[axis // 2] - reach[axis])
    moved = spot.copy()
    moved[axis] = low + 0.02 if spot[axis] - low < high - spot[axis] else high - 0.02
    u, v, depth = place.camera.seen(moved + np.array([0, reach[1], 0]))
    in_view = depth > 0 and max(abs(u), abs(v)) < 1
    if spot[1] == floor.height_m and in_view and _clear(place, moved, reach, others):
        return moved
    return spot


def _add_top(place: Place, mesh: Mesh, spot: np.ndarray, turn: np.ndarray, half: np.ndarray) -> None:
    """Let small things stand on a mesh that has a flat top and is parallel to the walls."""
    height = float(spot[1] + 2 * half[1])
    is_parallel = np.abs(turn[0]).max() > 0.98
    if is_parallel and TOPS_M[0] < height < TOPS_M[1] and has_flat_top(mesh):
        inner = TOP_SHARE * (np.abs(turn) @ half)[[0, 2]]
        at = spot[[0, 2]]
        place.tops.append(Support(height_m=height, low=at - inner, high=at + inner))


def has_flat_top(mesh: Mesh) -> bool:
    """Tell whether things can stand on a mesh: rays from above end within 1.5 cm of its highest point."""
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
    """Draw a surface that keeps a textured mesh as it is, and adds a texture to an untextured one."""
    tile_m = longest_m * log_uniform(palette.rng, 0.2, 1.5)
    worn = palette.surface(plain=0.3, tile_m=tile_m, base=np.full(3, MESH_GREY))
    return worn if mesh.textures is None else replace(worn, contrast=0.0)
