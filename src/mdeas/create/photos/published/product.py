"""The data sets of the five published systems: every background with every foreground, at every place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from mdeas.create.assets import Asset
from mdeas.create.photos.base_maker import LayersMaker
from mdeas.create.photos.composite_depth import (
    FOCAL,
    as_depth,
    in_front_of,
    nearest,
    photo_inverse,
    relief,
    surface,
)
from mdeas.create.photos.published.combinations import Combination, Combinations, permutation
from mdeas.create.photos.published.positions import POSITIONS
from mdeas.create.photos.published.product_recipe import ProductRecipe
from mdeas.create.photos.published.sprites import Sprite, encoded_plate, plate, put, sprite, through
from mdeas.errors import UsageError
from mdeas.images.codec import encode_jpeg, encode_png
from mdeas.sample import Sample

if TYPE_CHECKING:
    from mdeas.create.depth.layer_depths import LayerDepths

Rng = np.random.Generator


class ProductMaker(LayersMaker):
    """Makes the samples of a ProductRecipe. What a composite is depends on (recipe, seed) and its number.

    Sample i is composite i, or with a `count` the i-th of a permutation: a part of the same data set.
    """

    def __init__(self, recipe: ProductRecipe, seed: int, skip_bad: bool = False):
        """Errors: InputError E-NO-IMAGES, E-POOL; UsageError E-COUNT for more samples than there are."""
        super().__init__(recipe, seed, skip_bad)
        self.recipe = recipe
        self.combinations = Combinations(recipe, seed, *self.pools)
        total = self.combinations.total
        self.count = recipe.count or total
        if self.count > total:
            raise UsageError(
                "E-COUNT", f"count is {self.count}; there are {total} composites. Ask for fewer."
            )
        self._order = permutation(seed, total)[: self.count] if recipe.count else None

    def warnings(self) -> list[str]:
        """What identity splits leave out, in words."""
        num_backgrounds, num_foregrounds = (len(pool.assets) for pool in self.pools)
        possible, made = num_backgrounds * num_foregrounds * 2 * self.recipe.places, self.combinations.total
        if made == possible:
            return []
        kept = f"{made:,} of {possible:,} composites keep each background and foreground in one split"
        return [f"{kept}; --set split=rows makes all."]

    def split_of(self, index: int) -> str:
        """The split of a sample."""
        return self.combinations.split_of(self._number(index))

    def describe(self) -> dict[str, Any]:
        """The recipe but for its count: whether it is all in order, or a part that is drawn."""
        return {"maker": "product", "part": self._order is not None} | self.described(self.recipe)

    def make(self, index: int) -> Sample:
        """The sample: uint8 (size, size, 3) photos, mask float32 in steps of 1 / 255, encoded already."""
        number = self._number(index)
        made = self.combinations[number]
        rng = np.random.default_rng([self.seed, number])
        thing = self._sprite(made)
        position = POSITIONS[self.recipe.position]
        room = self.recipe.made_px[1] - thing.shape[0], self.recipe.made_px[0] - thing.shape[1]
        at = position(self.recipe, rng, made.place % self.recipe.places_a_scale, room)
        image, mask = self._compose(made.background, thing, at)
        depth = self._depth(self.depths, made, thing, at, mask, rng) if self.depths else None
        return Sample(
            background=plate(made.background, self._sizes),
            image=image,
            mask=mask / np.float32(255),
            depth=depth,
            depth_kind=self.depths.kind if self.depths else "none",
            meta=self._meta(index, made),
            encoded=self._encoded(made.background, image, mask),
        )

    def _meta(self, index: int, made: Combination) -> dict[str, Any]:
        meta: dict[str, Any] = {
            "id": f"photos-{self.seed}-{index:07d}",
            "source": "photos",
            "split": self.split_of(index),
        }
        meta |= {"seed": self.seed, "index": index, "background_id": made.background.identity}
        meta |= {"foreground_ids": [made.foreground.identity], "mirrored": made.mirrored, "place": made.place}
        return meta | ({"depth_source": self.recipe.teacher} if self.depths else {})

    def _encoded(self, background: Asset, image: np.ndarray, mask: np.ndarray) -> dict[str, bytes]:
        """The pictures as they are stored; a background is encoded once in a process."""
        quality = self.recipe.photo_quality
        return {
            "background": encoded_plate(background, self._sizes, quality),
            "image": encode_jpeg(image, quality),
            "mask": encode_png(mask),
        }

    @property
    def _sizes(self) -> tuple[tuple[int, int], ...]:
        """Width and height of every step, the last one the sample's."""
        return (*self.recipe.through_px, (self.recipe.size, self.recipe.size))

    def _number(self, index: int) -> int:
        return index if self._order is None else int(self._order[index])

    def _sprite(self, made: Combination) -> Sprite:
        scale = self.recipe.scales[made.place // self.recipe.places_a_scale]
        long_side = max(1, round(scale * self._own_size(made.foreground)))
        return sprite(made.foreground, long_side, made.mirrored, self.recipe.mask)

    def _own_size(self, foreground: Asset) -> int:
        """Pixels: a cut-out is as large on every background."""
        low, high = self.recipe.long_side_px
        rng = np.random.default_rng([self.seed, int(foreground.sha256[:13], 16)])
        return int(rng.integers(low, high + 1))

    def _compose(
        self, background: Asset, thing: Sprite, at: tuple[int, int]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Image uint8 (size, size, 3) and mask uint8 (size, size)."""
        image = plate(background, self._sizes[:1]).copy()
        mask = np.zeros(image.shape[:2], np.uint8)
        put(image, mask, thing, *at)
        image, mask = (through(picture, self._sizes[1:]) for picture in (image, mask))
        return image, mask

    def _depth(
        self,
        depths: LayerDepths,
        made: Combination,
        thing: Sprite,
        at: tuple[int, int],
        mask: np.ndarray,
        rng: Rng,
    ) -> np.ndarray:
        """float32 (size, size): the photo's, and where the mask is at least half the thing's, in front."""
        size, (height, width) = self.recipe.size, thing.shape
        inverse = nearest(photo_inverse(depths, made.background), size, size)
        solid = mask >= 128
        back = in_front_of(inverse, solid, rng)
        upright = relief(depths, made.foreground)
        own = cv2.flip(upright, 1) if made.mirrored else upright
        whole = np.zeros(self.recipe.made_px[::-1], np.float32)
        whole[at[0] : at[0] + height, at[1] : at[1] + width] = nearest(own, height, width)
        front = surface(back, nearest(whole, size, size), width, FOCAL * self.recipe.made_px[0])
        return as_depth(np.where(solid, front, inverse), depths.kind)
