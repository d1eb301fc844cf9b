"""Composites: RGBA cut-outs on photographs, as the five published systems made their data, and harder."""

from __future__ import annotations

from typing import Any

import numpy as np

from mdeas.create.photos.base_maker import LayersMaker
from mdeas.create.photos.collage import Collage
from mdeas.create.photos.composite_depth import as_depth
from mdeas.create.photos.recipe import PUBLISHED, PhotosRecipe
from mdeas.create.photos.studio import Studio
from mdeas.sample import SPLITS, Sample

__all__ = ["PUBLISHED", "PhotosMaker", "PhotosRecipe"]

CAMERA_M = (0.9, 1.7)
"""Height of the camera above a surface whose depth has no unit."""
_DEPTH = 1  # the third number of the seed of what only depth needs: photos are the same with any teacher


class PhotosMaker(LayersMaker):
    """Makes the samples of a PhotosRecipe; sample i depends on (recipe, seed, i) alone."""

    def __init__(self, recipe: PhotosRecipe, seed: int, skip_bad: bool = False):
        """InputError E-NO-IMAGES or E-POOL when a folder has nothing for a split that has samples."""
        super().__init__(recipe, seed, skip_bad)
        self.recipe, self.count = recipe, recipe.count
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
        return {"maker": "photos"} | self.described(self.recipe)

    def make(self, index: int) -> Sample:
        """The sample: uint8 (size, size, 3) photos, mask float32 in steps of 1 / 255, depth where known."""
        split = self.split_of(index)
        backgrounds, foregrounds = self._assets[split]
        depth_rng = np.random.default_rng([self.seed, index, _DEPTH])
        studio = Studio(
            recipe=self.recipe,
            backgrounds=backgrounds,
            foregrounds=foregrounds,
            depths=self.depths,
            rng=np.random.default_rng([self.seed, index]),
            depth_rng=depth_rng,
            camera_m=float(depth_rng.uniform(*CAMERA_M)),
        )
        background, image, mask, inverse = Collage(studio).make()
        meta = {"id": f"photos-{self.seed}-{index:07d}", "source": "photos", "split": split}
        meta |= {"seed": self.seed, "index": index} | studio.notes
        kind = self.depths.kind if self.depths else "none"
        return Sample(
            background=background,
            image=image,
            mask=mask,
            depth=None if inverse is None else as_depth(inverse, kind),
            depth_kind=kind,
            meta=meta | ({"depth_source": self.recipe.teacher} if self.depths else {}),
        )
