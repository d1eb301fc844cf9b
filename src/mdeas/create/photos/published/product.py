"""The maker of the published data sets: every background with every foreground, at every place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from mdeas.create.assets import Asset
from mdeas.create.photos.base_maker import CompositeMaker
from mdeas.create.photos.canvas import FOCAL
from mdeas.create.photos.composite_depth import (
    SOLID,
    depth_from_inverse,
    draw_back,
    foreground_inverse_depth,
    load_inverse_depth,
    load_relief,
    resize_nearest,
)
from mdeas.create.photos.published.combinations import Combination, Combinations, permutation
from mdeas.create.photos.published.positions import POSITIONS
from mdeas.create.photos.published.product_recipe import ProductRecipe
from mdeas.create.photos.published.sprites import (
    Sprite,
    load_encoded_photo,
    load_resized_photo,
    load_sprite,
    paste_sprite,
    resize_through,
)
from mdeas.errors import UsageError
from mdeas.images.codec import encode_jpeg, encode_png
from mdeas.sample import Sample

if TYPE_CHECKING:
    from mdeas.create.depth.layer_depths import LayerDepths


class ProductMaker(CompositeMaker):
    """Make the samples of a ProductRecipe. A composite depends on (recipe, seed) and its number alone.

    Sample i is composite i; with a `count` it is the i-th of a permutation, so a part of the same data set.
    """

    recipe: ProductRecipe

    def __init__(self, recipe: ProductRecipe, seed: int, skip_bad: bool = False):
        """Errors: those of CompositeMaker; InputError E-POOL; UsageError E-COUNT for a `count` too large."""
        super().__init__(recipe, seed, skip_bad)
        self.combinations = Combinations(recipe, seed, *self.pools)
        total = self.combinations.total
        self.count = recipe.count or total
        if self.count > total:
            what = f"count is {self.count}; there are {total} composites"
            raise UsageError("E-COUNT", f"{what}. Ask for at most {total}.")
        self._order = permutation(seed, total)[: self.count] if recipe.count else None

    def warnings(self) -> list[str]:
        """Say how many composites the identity splits leave out."""
        num_backgrounds, num_foregrounds = (len(pool.assets) for pool in self.pools)
        possible, made = num_backgrounds * num_foregrounds * 2 * self.recipe.places, self.combinations.total
        if made == possible:
            return []
        kept = f"{made:,} of {possible:,} composites keep each background and foreground in one split"
        return [f"{kept}; --set split=rows makes all."]

    def split_of(self, index: int) -> str:
        """Return the split of sample `index`."""
        return self.combinations.split_of(self._number(index))

    def describe(self) -> dict[str, Any]:
        """Describe the recipe; `part` says whether the samples are a drawn part instead of all in order."""
        return {"maker": "product", "part": self._order is not None} | super().describe()

    def make(self, index: int) -> Sample:
        """Make sample `index`: photos of (size, size), mask in steps of 1 / 255, with the bytes to store."""
        recipe, number = self.recipe, self._number(index)
        parts = self.combinations[number]
        rng = np.random.default_rng([self.seed, number])
        scale, place = divmod(parts.place, recipe.places_per_scale)
        long_side = max(1, round(recipe.scales[scale] * self._long_side_px(parts.foreground)))
        sprite = load_sprite(parts.foreground, long_side, parts.mirrored, recipe.mask)
        room = recipe.made_px[1] - sprite.shape[0], recipe.made_px[0] - sprite.shape[1]
        corner = POSITIONS[recipe.position](recipe, rng, place, room)
        image, mask = self._compose(parts.background, sprite, corner)
        depth = self._depth(self.depths, parts, sprite, corner, mask, rng) if self.depths else None
        return Sample(
            background=load_resized_photo(parts.background, self._sizes),
            image=image,
            mask=mask / np.float32(255),
            depth=depth,
            depth_kind=self.depths.kind if self.depths else "none",
            meta=self._meta(index, parts),
            encoded={
                "background": load_encoded_photo(parts.background, self._sizes, recipe.photo_quality),
                "image": encode_jpeg(image, recipe.photo_quality),
                "mask": encode_png(mask),
            },
        )

    def _meta(self, index: int, parts: Combination) -> dict[str, Any]:
        meta: dict[str, Any] = {"id": f"photos-{self.seed}-{index:07d}", "source": "photos"}
        meta |= {"split": self.split_of(index), "seed": self.seed, "index": index}
        meta |= {"background_id": parts.background.identity, "foreground_ids": [parts.foreground.identity]}
        meta |= {"mirrored": parts.mirrored, "place": parts.place}
        return meta | ({"depth_source": self.recipe.teacher} if self.depths else {})

    @property
    def _sizes(self) -> tuple[tuple[int, int], ...]:
        """Width and height of every step; the last is the sample's."""
        return (*self.recipe.through_px, (self.recipe.size, self.recipe.size))

    def _number(self, index: int) -> int:
        return index if self._order is None else int(self._order[index])

    def _long_side_px(self, foreground: Asset) -> int:
        """Draw the long side of a cut-out at scale 1; it is the same on every background."""
        low, high = self.recipe.long_side_px
        rng = np.random.default_rng([self.seed, int(foreground.sha256[:13], 16)])
        return int(rng.integers(low, high + 1))

    def _compose(
        self, background: Asset, sprite: Sprite, corner: tuple[int, int]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Paste a sprite at (top, left): image, uint8 (size, size, 3), and mask, uint8 (size, size)."""
        image = load_resized_photo(background, self._sizes[:1]).copy()
        mask = np.zeros(image.shape[:2], np.uint8)
        paste_sprite(image, mask, sprite, *corner)
        return resize_through(image, self._sizes[1:]), resize_through(mask, self._sizes[1:])

    def _depth(
        self,
        depths: LayerDepths,
        parts: Combination,
        sprite: Sprite,
        corner: tuple[int, int],
        mask: np.ndarray,
        rng: np.random.Generator,
    ) -> np.ndarray:
        """Return float32 (size, size): the foreground's depth where it is solid, else the photo's."""
        size, (height, width), (top, left) = self.recipe.size, sprite.shape, corner
        inverse_depth = resize_nearest(load_inverse_depth(depths, parts.background), size, size)
        solid = mask >= SOLID
        back = draw_back(inverse_depth, solid, rng)
        relief = load_relief(depths, parts.foreground)
        relief = cv2.flip(relief, 1) if parts.mirrored else relief
        placed = np.zeros(self.recipe.made_px[::-1], np.float32)
        placed[top : top + height, left : left + width] = resize_nearest(relief, height, width)
        placed = resize_nearest(placed, size, size)
        front = foreground_inverse_depth(back, placed, width, FOCAL * self.recipe.made_px[0])
        return depth_from_inverse(np.where(solid, front, inverse_depth), depths.kind)
