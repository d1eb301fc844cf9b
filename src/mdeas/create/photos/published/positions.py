"""Where the published systems put a cut-out: its first pixel, from the room that it leaves in the picture."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mdeas.create.photos.published.product_recipe import ProductRecipe

Rng = np.random.Generator


def anywhere(recipe: ProductRecipe, rng: Rng, place: int, room: tuple[int, int]) -> tuple[int, int]:
    """Uniform over all places at which it is whole."""
    return int(rng.integers(room[0] + 1)), int(rng.integers(room[1] + 1))


def offset(recipe: ProductRecipe, rng: Rng, place: int, room: tuple[int, int]) -> tuple[int, int]:
    """Within `offset_px` of the upper left corner (system 2), and whole."""
    low, high = recipe.offset_px
    down, right = rng.integers(low, high + 1, 2)
    return min(int(down), room[0]), min(int(right), room[1])


def grid(recipe: ProductRecipe, rng: Rng, place: int, room: tuple[int, int]) -> tuple[int, int]:
    """The points of a regular grid from one end of the room to the other (system 4); nothing is drawn."""
    columns, rows = recipe.grid
    row, column = divmod(place, columns)
    return round(room[0] * row / max(rows - 1, 1)), round(room[1] * column / max(columns - 1, 1))


POSITIONS: dict[str, Callable[[ProductRecipe, Rng, int, tuple[int, int]], tuple[int, int]]] = {
    position.__name__: position for position in (anywhere, offset, grid)
}
"""Each: (recipe, rng, number of the place at its scale, room (down, right)) -> (top, left) in pixels."""
