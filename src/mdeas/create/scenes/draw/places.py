"""The kinds of places, each a function that draws one with its camera.

To add a kind: a function (palette, rng) -> Place and a row in PLACES.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from mdeas.create.scenes.draw.halls import hall, opening
from mdeas.create.scenes.draw.place import Place, Support
from mdeas.create.scenes.draw.rooms import box, camera_at, room, shell
from mdeas.create.scenes.draw.tables import open_bin, shelf_bay, table_top
from mdeas.create.scenes.scene import Palette, Primitive, Rng, Surface, log_uniform

OUTDOOR_M = 400.0
"""Side of the ground and height of the sky."""


class PlaceKind(NamedTuple):
    """A row of PLACES."""

    draw: Callable[[Palette, Rng], Place]
    weight: float
    """Relative frequency among the scenes drawn."""
    num_things: tuple[int, int]
    """Least and greatest number of things in the background."""


def open_ground(palette: Palette, rng: Rng) -> Place:
    """Draw a street, yard or field; in three of four cases a wall, hedge or house ends the view."""
    size = np.array([OUTDOOR_M, OUTDOOR_M, OUTDOOR_M])
    ground = shell(size, palette)[:2]
    pitch = np.clip(rng.normal(-4, 8), -40, 20)
    camera = camera_at([0, rng.uniform(0.6, 2.5), 0], rng.normal(0, 25), pitch, rng)
    houses = [_house(palette, rng) for _ in range(int(rng.integers(0, 6)))]
    if rng.random() < 0.75:
        houses.append(_front(palette, rng))
    low, high = np.array([-40.0, 1.0]), np.array([40.0, 70.0])
    kinds = ("outdoor", "outdoor", "large")
    street = Support(height_m=0, low=low, high=high)
    return Place([*ground, *houses], camera, [street], kinds, 45.0, outdoor=True)


def _house(palette: Palette, rng: Rng) -> Primitive:
    """Draw a house along one side of the street."""
    half = np.array([rng.uniform(2, 8), rng.uniform(1.2, 8), rng.uniform(2, 12)])
    across = rng.choice([-1, 1]) * (half[0] + log_uniform(rng, 1.5, 15))
    return box((across, half[1], rng.uniform(2, 50)), half, _masonry(palette, rng))


def _front(palette: Palette, rng: Rng) -> Primitive:
    """Draw a wall, hedge or house across the view."""
    half = np.array([log_uniform(rng, 4, 30), log_uniform(rng, 0.6, 8), 0.5])
    return box((rng.uniform(-3, 3), half[1], log_uniform(rng, 4, 25)), half, _masonry(palette, rng))


def _masonry(palette: Palette, rng: Rng) -> Surface:
    return palette.surface(plain=0.15, tile_m=rng.uniform(1.5, 6))


PLACES = {
    "room": PlaceKind(room, 0.68, (3, 10)),
    "table_top": PlaceKind(table_top, 0.15, (2, 12)),
    "open_bin": PlaceKind(open_bin, 0.07, (1, 12)),
    "shelf_bay": PlaceKind(shelf_bay, 0.05, (1, 9)),
    "hall": PlaceKind(hall, 0.25, (3, 12)),
    "opening": PlaceKind(opening, 0.15, (3, 10)),
    "open_ground": PlaceKind(open_ground, 0.05, (2, 9)),
}
"""By name. A scene is drawn again when no added thing finds room. That happens mostly in rooms, so their
share of a data set is smaller than their weight."""
