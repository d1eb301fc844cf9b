"""The rules by which the published systems place a cut-out: its upper left corner.

Each rule gets the room (down, right): the greatest (top, left) in pixels at which the cut-out is whole.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mdeas.create.photos.published.product_recipe import ProductRecipe

Rng = np.random.Generator


def anywhere(recipe: ProductRecipe, rng: Rng, place: int, room: tuple[int, int]) -> tuple[int, int]:
    """Draw any corner at which the cut-out is whole."""
    return int(rng.integers(room[0] + 1)), int(rng.integers(room[1] + 1))


def offset(recipe: ProductRecipe, rng: Rng, place: int, room: tuple[int, int]) -> tuple[int, int]:
    """Draw an offset within `offset_px` from the picture's upper left corner (system 2); keep it whole."""
    low, high = recipe.offset_px
    down, right = rng.integers(low, high + 1, 2)
    return min(int(down), room[0]), min(int(right), room[1])


def grid(recipe: ProductRecipe, rng: Rng, place: int, room: tuple[int, int]) -> tuple[int, int]:
    """Return a point of a regular grid that spans the room (system 4); nothing is drawn."""
    columns, rows = recipe.grid
    row, column = divmod(place, columns)
    return round(room[0] * row / max(rows - 1, 1)), round(room[1] * column / max(columns - 1, 1))


POSITIONS: dict[str, Callable[[ProductRecipe, Rng, int, tuple[int, int]], tuple[int, int]]] = {
    position.__name__: position for position in (anywhere, offset, grid)
}
"""Name -> function of (recipe, rng, number of the place at its scale, room) that returns (top, left)."""
