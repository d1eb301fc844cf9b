"""Composites: RGBA cut-outs on photographs, as the five published systems made their data, and harder."""

from __future__ import annotations

import dataclasses
from itertools import accumulate
from typing import Any

import numpy as np

from mdeas.create.assets import load_pool
from mdeas.create.collage import Collage
from mdeas.create.recipe import PUBLISHED, PhotosRecipe
from mdeas.sample import SPLITS, Sample

__all__ = ["PUBLISHED", "PhotosMaker", "PhotosRecipe"]


class PhotosMaker:
    """Makes the samples of a PhotosRecipe; sample i depends on (recipe, seed, i) alone."""

    def __init__(self, recipe: PhotosRecipe, seed: int):
        """InputError E-NO-IMAGES or E-POOL when a folder has nothing for a split that has samples."""
        self.recipe, self.seed, self.count = recipe, seed, recipe.count
        self._ends = tuple(accumulate(recipe.counts[split] for split in SPLITS))
        self.pools = (
            load_pool(recipe.backgrounds, "background", recipe.shares),
            load_pool(recipe.foregrounds, "foreground", recipe.shares),
        )
        self._assets = {
            split: (self.pools[0].of(split), self.pools[1].of(split))
            for split in SPLITS
            if recipe.counts[split]
        }

    def split_of(self, index: int) -> str:
        """The split of a sample."""
        return self.recipe.split_of(index)

    def describe(self) -> dict[str, Any]:
        """The recipe but for its count; folders by name and content, so that they may move."""
        recipe = dataclasses.asdict(self.recipe)
        del recipe["count"]
        for pool in self.pools:
            recipe[f"{pool.kind}s"] = pool.describe()
        return {"maker": "photos"} | recipe

    def provenance(self) -> list[dict[str, str]]:
        """One row per photo and cut-out."""
        return [row for pool in self.pools for row in pool.provenance()]

    def make(self, index: int) -> Sample:
        """The sample: uint8 (size, size, 3) photos, mask float32 in steps of 1 / 255, no depth."""
        split = self.split_of(index)
        backgrounds, foregrounds = self._assets[split]
        rng = np.random.default_rng([self.seed, index])
        collage = Collage(self.recipe, backgrounds, foregrounds, rng)
        background, image, mask = collage.make()
        meta = {"id": f"photos-{self.seed}-{index:07d}", "source": "photos", "split": split}
        meta |= {"seed": self.seed, "index": index} | collage.notes
        return Sample(background=background, image=image, mask=mask, depth=None, depth_kind="none", meta=meta)
