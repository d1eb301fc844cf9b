"""The maker of composites: RGBA cut-outs on photographs, with more variation than the published systems."""

from __future__ import annotations

from typing import Any

import numpy as np

from mdeas.create.photos.base_maker import CompositeMaker
from mdeas.create.photos.composite import make_composite
from mdeas.create.photos.composite_depth import depth_from_inverse
from mdeas.create.photos.context import SampleContext
from mdeas.create.photos.recipe import PhotosRecipe
from mdeas.sample import SPLITS, Sample

CAMERA_M = (0.9, 1.7)
"""Least and greatest height of the camera above a surface whose depth has no unit."""
_DEPTH_STREAM = 1  # third number of the seed of SampleContext.depth_rng


class PhotosMaker(CompositeMaker):
    """Make the samples of a PhotosRecipe; sample i depends on (recipe, seed, i) alone."""

    recipe: PhotosRecipe

    def __init__(self, recipe: PhotosRecipe, seed: int, skip_bad: bool = False):
        """Errors: those of CompositeMaker; InputError E-POOL when a split with samples has no assets."""
        super().__init__(recipe, seed, skip_bad)
        self.count = recipe.count
        self._assets = {
            split: (self.pools[0].of(split), self.pools[1].of(split))
            for split in SPLITS
            if recipe.counts[split]
        }

    def split_of(self, index: int) -> str:
        """Return the split of sample `index`."""
        return self.recipe.split_of(index)

    def describe(self) -> dict[str, Any]:
        """Describe the recipe, see CompositeMaker."""
        return {"maker": "photos"} | super().describe()

    def make(self, index: int) -> Sample:
        """Make sample `index`: photos of (size, size), mask in steps of 1 / 255, depth with a teacher."""
        split = self.split_of(index)
        backgrounds, foregrounds = self._assets[split]
        depth_rng = np.random.default_rng([self.seed, index, _DEPTH_STREAM])
        context = SampleContext(
            recipe=self.recipe,
            backgrounds=backgrounds,
            foregrounds=foregrounds,
            depths=self.depths,
            rng=np.random.default_rng([self.seed, index]),
            depth_rng=depth_rng,
            camera_m=float(depth_rng.uniform(*CAMERA_M)),
        )
        background, image, mask, inverse_depth = make_composite(context)
        meta = {"id": f"photos-{self.seed}-{index:07d}", "source": "photos", "split": split}
        meta |= {"seed": self.seed, "index": index} | context.notes
        kind = self.depths.kind if self.depths else "none"
        return Sample(
            background=background,
            image=image,
            mask=mask,
            depth=None if inverse_depth is None else depth_from_inverse(inverse_depth, kind),
            depth_kind=kind,
            meta=meta | ({"depth_source": self.recipe.teacher} if self.depths else {}),
        )
