"""What the makers of composites have in common: two folders, the depth of what is in them, the records."""

from __future__ import annotations

import dataclasses
from typing import Any

from mdeas.create.assets import load_pool
from mdeas.create.depth.agreement import agreement_of
from mdeas.create.depth.choose import open_depths
from mdeas.create.photos.recipe import Layers


class LayersMaker:
    """A maker with `pools` (backgrounds, foregrounds) and their `depths`, None without a teacher for them."""

    def __init__(self, recipe: Layers, seed: int, skip_bad: bool):
        """InputError E-NO-IMAGES when a folder has nothing, and what opening the depths raises."""
        self.seed = seed
        self.pools = (
            load_pool(recipe.backgrounds, "background", recipe.background_shares, skip_bad),
            load_pool(recipe.foregrounds, "foreground", recipe.shares, skip_bad),
        )
        self.depths = open_depths(recipe.teacher, recipe.depth_model, self.pools)

    @property
    def left_out(self) -> list[dict[str, str]]:
        """One record per photo and cut-out that cannot be used."""
        return [record for pool in self.pools for record in pool.left_out]

    def warnings(self) -> list[str]:
        """What the user should know before the making, in words."""
        return []

    def provenance(self) -> list[dict[str, Any]]:
        """One row per photo and cut-out, and those of their depth."""
        rows = [row for pool in self.pools for row in pool.provenance()]
        return rows + (self.depths.provenance() if self.depths else [])

    def described(self, recipe: Layers) -> dict[str, Any]:
        """The recipe but for its count; folders and depths by name and content, so that they may move."""
        fields = dataclasses.asdict(recipe)
        del fields["count"]
        fields |= {f"{pool.kind}s": pool.describe() for pool in self.pools}
        return fields | ({"depth_model": self._depth_model(recipe)} if self.depths else {})

    def _depth_model(self, recipe: Layers) -> dict[str, Any]:
        """Who gave the depth; of layers also how they differ from what it says of whole composites."""
        depths: Any = self.depths
        if recipe.teacher != "layered":
            return depths.describe()
        maker: Any = self  # what inherits from this class makes samples
        return depths.describe() | {"agreement": agreement_of(maker, depths)}
