"""The composites of a product by number: what each is made of, by arithmetic, and its split."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from mdeas.create.assets import Asset, Pool
from mdeas.create.photos.published.product_recipe import ProductRecipe
from mdeas.sample import SPLITS

_ORDER, _SPLIT = 7101, 7102  # so that the two draws share no stream with each other or with a sample


@dataclass(frozen=True, kw_only=True)
class Combination:
    """What one composite is made of."""

    background: Asset
    foreground: Asset
    mirrored: bool
    place: int
    """0 to places - 1."""


@dataclass(frozen=True, kw_only=True)
class Block:
    """The product of the assets of one split, or of all."""

    backgrounds: tuple[Asset, ...]
    foregrounds: tuple[Asset, ...]
    places: int

    def __len__(self) -> int:
        return len(self.backgrounds) * len(self.foregrounds) * 2 * self.places

    def __getitem__(self, number: int) -> Combination:
        """The place runs fastest, then mirrored or not, the foreground, the background."""
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
        self._split_names = _splits(recipe) if recipe.split == "identity" else ("train",)
        self._blocks = [
            Block(backgrounds=backgrounds.of(s), foregrounds=foregrounds.of(s), places=recipe.places)
            for s in self._split_names
        ]
        self._starts = list(accumulate((len(block) for block in self._blocks), initial=0))
        self.total = self._starts.pop()
        self._by_row = _row_splits(recipe, seed, self.total) if recipe.split == "rows" else None

    def __getitem__(self, number: int) -> Combination:
        block = self._block(number)
        return self._blocks[block][number - self._starts[block]]

    def split_of(self, number: int) -> str:
        """The split of a composite: of its assets, or drawn for it."""
        if self._by_row is not None:
            return SPLITS[self._by_row[number]]
        return self._split_names[self._block(number)]

    def _block(self, number: int) -> int:
        return sum(number >= start for start in self._starts) - 1


def permutation(seed: int, total: int) -> np.ndarray:
    """int64 (total,): the order in which a part of all composites is taken."""
    return np.random.default_rng([seed, _ORDER]).permutation(total)


def _splits(recipe: ProductRecipe) -> tuple[str, ...]:
    """Those that are to have samples."""
    shares = {"train": 1.0, "validation": recipe.validation_share, "test": recipe.test_share}
    return tuple(split for split in SPLITS if shares[split])


def _row_splits(recipe: ProductRecipe, seed: int, total: int) -> np.ndarray:
    """uint8 (total,): place in SPLITS, drawn for each composite."""
    draws = np.random.default_rng([seed, _SPLIT]).random(total)
    ends = [1 - recipe.validation_share - recipe.test_share, 1 - recipe.test_share]
    return np.searchsorted(ends, draws, side="right").astype(np.uint8)
