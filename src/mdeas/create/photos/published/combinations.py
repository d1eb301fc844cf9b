"""Number all composites of a product, and compute the parts and the split of composite i."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from mdeas.create.assets import Asset, Pool
from mdeas.create.photos.published.product_recipe import ProductRecipe
from mdeas.sample import SPLITS

_ORDER_STREAM, _SPLIT_STREAM = 7101, 7102  # second numbers of two seeds that no sample shares


@dataclass(frozen=True, kw_only=True)
class Combination:
    """The parts of one composite."""

    background: Asset
    foreground: Asset
    mirrored: bool
    place: int
    """From 0 to places - 1."""


@dataclass(frozen=True, kw_only=True)
class Block:
    """All combinations of some backgrounds and foregrounds, numbered from 0."""

    backgrounds: tuple[Asset, ...]
    foregrounds: tuple[Asset, ...]
    places: int

    def __len__(self) -> int:
        return len(self.backgrounds) * len(self.foregrounds) * 2 * self.places

    def __getitem__(self, number: int) -> Combination:
        """Return combination `number`: the place runs fastest, then mirrored, foreground, background."""
        rest, place = divmod(number, self.places)
        rest, mirrored = divmod(rest, 2)
        background, foreground = divmod(rest, len(self.foregrounds))
        return Combination(
            background=self.backgrounds[background],
            foreground=self.foregrounds[foreground],
            mirrored=bool(mirrored),
            place=place,
        )


class Combinations:
    """All composites of a recipe by number, and the split of each."""

    def __init__(self, recipe: ProductRecipe, seed: int, backgrounds: Pool, foregrounds: Pool):
        """InputError E-POOL when a split with a share has no background or no foreground."""
        shares = {"train": 1.0, "validation": recipe.validation_share, "test": recipe.test_share}
        with_share = tuple(split for split in SPLITS if shares[split])
        self._split_names = with_share if recipe.split == "identity" else ("train",)
        self._blocks = [
            Block(backgrounds=backgrounds.of(s), foregrounds=foregrounds.of(s), places=recipe.places)
            for s in self._split_names
        ]
        self._starts = list(accumulate((len(block) for block in self._blocks), initial=0))
        self.total = self._starts.pop()
        self._drawn_splits = _draw_splits(recipe, seed, self.total) if recipe.split == "rows" else None

    def __getitem__(self, number: int) -> Combination:
        block = self._block(number)
        return self._blocks[block][number - self._starts[block]]

    def split_of(self, number: int) -> str:
        """Return the split of a composite: the split of its assets, or with split=rows a drawn one."""
        if self._drawn_splits is not None:
            return SPLITS[self._drawn_splits[number]]
        return self._split_names[self._block(number)]

    def _block(self, number: int) -> int:
        """Return the index of the block that holds composite `number`."""
        return sum(number >= start for start in self._starts) - 1


def permutation(seed: int, total: int) -> np.ndarray:
    """Draw the order of all composites, int64 (total,), of which a recipe's `count` takes the first."""
    return np.random.default_rng([seed, _ORDER_STREAM]).permutation(total)


def _draw_splits(recipe: ProductRecipe, seed: int, total: int) -> np.ndarray:
    """Draw the split of every composite: uint8 (total,), indices into SPLITS."""
    draws = np.random.default_rng([seed, _SPLIT_STREAM]).random(total)
    ends = [1 - recipe.validation_share - recipe.test_share, 1 - recipe.test_share]
    return np.searchsorted(ends, draws, side="right").astype(np.uint8)
