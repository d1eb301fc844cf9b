"""Furniture along the walls of a room, and its flat tops, on which other things stand."""

from dataclasses import replace

import numpy as np

from mdeas.create.scenes.draw import catalogue
from mdeas.create.scenes.draw.boxes import bounds, clear
from mdeas.create.scenes.draw.place import Place, Support
from mdeas.create.scenes.scene import Group, Palette, Primitive, Rng, rotation

TOPS_M = (0.25, 1.4)
"""Least and greatest height of furniture on which things stand."""
AT_WALL = {
    "cabinet": (0.5, 2.1),
    "shelf": (0.8, 2.2),
    "table": (0.6, 1.0),
    "sofa": (0.7, 1.0),
    "crate": (0.4, 1.9),
}
"""Things of the catalogue that stand at walls, and their least and greatest height in metres. Their front is
+z, or they have none."""
_GAP_M = 0.02  # between furniture and the wall
_FLAT = ("cabinet", "table", "crate")  # furniture with a flat top
_MOST = 6


def line_walls(place: Place, palette: Palette, rng: Rng) -> None:
    """Put one to six pieces of furniture along the walls; one that touches something is left out."""
    for _ in range(int(rng.integers(1, _MOST + 1))):
        name = list(AT_WALL)[int(rng.integers(0, len(AT_WALL)))]
        height = rng.uniform(*AT_WALL[name])
        made = build_at_wall(place.supports[-1], name, height, palette, rng)
        if put(place, made) and name in _FLAT and TOPS_M[0] < height < TOPS_M[1]:
            low, high = bounds(made)
            place.tops.append(Support(height_m=height, low=low[[0, 2]], high=high[[0, 2]]))


def put(place: Place, made: list[Primitive]) -> bool:
    """Add primitives to the place if they touch nothing, camera included; tell whether they were added."""
    free = clear(made, place.primitives, place.camera.position)
    if free:
        place.primitives += made
    return free


def build_at_wall(floor: Support, name: str, height_m: float, palette: Palette, rng: Rng) -> list[Primitive]:
    """Build the named thing with its back at one of the four edges of the floor."""
    axis, side = int(rng.integers(0, 2)), int(rng.choice([-1, 1]))
    yaw = 90 * (1 + side) if axis else -90 * side
    group = Group(base=np.zeros(3), turn=rotation(yaw), scale=height_m)
    catalogue.THINGS[name].make(group, palette, rng)
    low, high = (corner[[0, 2]] for corner in bounds(group.primitives))
    inner = (floor.low - low + _GAP_M, floor.high - high - _GAP_M)
    at = rng.uniform(*np.sort(inner, axis=0))
    at[axis] = inner[int(side > 0)][axis]
    spot = np.array([at[0], floor.height_m, at[1]])
    return [replace(p, centre=p.centre + spot) for p in group.primitives]
