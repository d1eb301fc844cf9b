"""The base class of makers of composites: two folders, the depth of their pictures, their records."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from typing import Any

from mdeas.create.assets import load_pool
from mdeas.create.depth.agreement import agreement_of
from mdeas.create.depth.choose import open_depths
from mdeas.create.photos.recipe import CompositeRecipe
from mdeas.sample import Sample


class CompositeMaker(ABC):
    """Base of makers with `pools` (backgrounds, foregrounds) and `depths` (None = no depth per layer)."""

    recipe: CompositeRecipe
    count: int

    def __init__(self, recipe: CompositeRecipe, seed: int, skip_bad: bool = False):
        """Errors: InputError E-NO-IMAGES when a folder has no usable picture; those of `open_depths`."""
        self.recipe, self.seed = recipe, seed
        self.pools = (
            load_pool(recipe.backgrounds, "background", recipe.background_shares, skip_bad),
            load_pool(recipe.foregrounds, "foreground", recipe.shares, skip_bad),
        )
        self.depths = open_depths(recipe.teacher, recipe.depth_model, self.pools)

    @abstractmethod
    def make(self, index: int) -> Sample:
        """Make sample `index`."""

    @abstractmethod
    def split_of(self, index: int) -> str:
        """Return the split of sample `index`."""

    @property
    def left_out(self) -> list[dict[str, str]]:
        """List one record per unusable photo or cut-out."""
        return [record for pool in self.pools for record in pool.left_out]

    def warnings(self) -> list[str]:
        """List what the user should know before the samples are made."""
        return []

    def provenance(self) -> list[dict[str, Any]]:
        """List one row per photo and cut-out, and the rows of their depths."""
        rows = [row for pool in self.pools for row in pool.provenance()]
        return rows + (self.depths.provenance() if self.depths else [])

    def describe(self) -> dict[str, Any]:
        """Describe the recipe without its count; folders by name and content, so that they may move."""
        fields = dataclasses.asdict(self.recipe)
        del fields["count"]
        fields |= {f"{pool.kind}s": pool.describe() for pool in self.pools}
        if self.depths:
            depths: Any = self.depths  # with the teacher `layered`, TeacherDepths (or a test's double)
            fields["depth_model"] = depths.describe()
            if self.recipe.teacher == "layered":
                fields["depth_model"] |= {"agreement": agreement_of(self, depths)}
        return fields
