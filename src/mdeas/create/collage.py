"""One composite in the making.

The background photo is seen twice, in half of the pairs by a slightly moved camera. What is added casts
shadows, light drifts, and both photos suffer their own nuisances; the mask holds the added things alone.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from mdeas.create import layers, nuisance, placement
from mdeas.create.assets import Asset, cutout, photo, premultiply
from mdeas.create.recipe import PhotosRecipe


class Collage:
    """One sample in the making: the generator, what may be used, and notes for its meta."""

    def __init__(self, recipe: PhotosRecipe, backgrounds, foregrounds, rng: np.random.Generator):
        self.recipe, self.rng = recipe, rng
        self.backgrounds: tuple[Asset, ...] = backgrounds
        self.foregrounds: tuple[Asset, ...] = foregrounds
        self.notes: dict[str, Any] = {"foreground_ids": []}

    def make(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Background, image uint8 (size, size, 3) and mask float32 (size, size)."""
        background, image = self._views(self._plate())
        mask = np.zeros(image.shape[:2], np.float32)
        if not self._happens(self.recipe.empty_share):
            self._add_things(image, mask)
        if self._happens(self.recipe.light_share):
            image *= layers.draw_light(self.rng, self.recipe.size, self.rng.uniform(0.03, 0.18))
        photos = layers.to_uint8(background), layers.to_uint8(image)
        return *self._suffer(*photos), np.rint(mask * 255) / np.float32(255)

    def _happens(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def _pick(self, assets: tuple[Asset, ...]) -> Asset:
        return assets[int(self.rng.integers(len(assets)))]

    def _plate(self) -> np.ndarray:
        """The scene with a margin around what the photos show: float32 RGB (side, side, 3)."""
        asset = self._pick(self.backgrounds)
        self.notes["background_id"] = asset.identity
        side = self.recipe.size + 2 * placement.margin_px(self.recipe.size)
        plate = self._piece(photo(asset), side, side).astype(np.float32)
        if self._happens(self.recipe.furniture_share):
            sprite = cutout(self._pick(self.foregrounds))
            layers.paste(plate, self._layer(sprite, self._place(sprite, side, 1), plate))
        return plate

    def _piece(self, picture: np.ndarray, height: int, width: int) -> np.ndarray:
        """A random crop of a photo, mirrored or not: uint8 (height, width, 3)."""
        crop = placement.draw_crop(
            self.rng,
            picture.shape[:2],
            max(height, width),
            smallest=self.recipe.crop_min,
            aspect_jitter=self.recipe.aspect_jitter,
        )
        piece = layers.resize(picture[crop], height, width)
        return cv2.flip(piece, 1) if self._happens(0.5) else piece

    def _views(self, plate: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The plate as both photos see it: float32 RGB (size, size, 3) each."""
        size, margin = self.recipe.size, placement.margin_px(self.recipe.size)
        still = plate[margin : margin + size, margin : margin + size].copy()
        self.notes["camera_moved"] = self._happens(self.recipe.camera_share)
        if not self.notes["camera_moved"]:
            return still, still.copy()
        motion = placement.draw_motion(self.rng, size)
        moved = cv2.warpAffine(plate, motion, (size, size), flags=cv2.INTER_CUBIC)
        # Resampling softens a little. Whose photo is softened must tell nothing.
        return (still, moved) if self._happens(0.5) else (moved, still)

    def _add_things(self, image: np.ndarray, mask: np.ndarray) -> None:
        """Put one to three things into the image and the mask, in place."""
        number = 1
        while number < 3 and self._happens(self.recipe.more_share):
            number += 1
        for _ in range(number):
            asset = self._pick(self.foregrounds)
            self.notes["foreground_ids"].append(asset.identity)
            self._add(cutout(asset), image, mask, number)

    def _add(self, sprite: np.ndarray, image: np.ndarray, mask: np.ndarray, number: int) -> None:
        if self._happens(self.recipe.texture_share):
            picture = photo(self._pick(self.backgrounds))
            sprite = premultiply(self._piece(picture, *sprite.shape[:2]), sprite[..., 3])
        spot = self._place(sprite, self.recipe.size, number)
        if self._happens(self.recipe.shadow_share):
            self._cast(sprite, spot, image)
        layer = self._layer(sprite, spot, image)
        layers.paste(image, layer)
        layers.cover(mask, layer)

    def _place(self, sprite: np.ndarray, side: int, number: int) -> placement.Placement:
        recipe, shape = self.recipe, sprite.shape[:2]
        if recipe.sizing == "area":
            num_px = float(sprite[..., 3].sum(dtype=np.int64)) / 255
            scale = placement.scale_by_area(self.rng, num_px, side, recipe.area, number)
        else:
            scale = placement.scale_published(self.rng, max(shape), side, recipe.scales)
        return placement.place(
            self.rng,
            shape,
            scale,
            side,
            rotation_deg=recipe.rotation_deg if self._happens(0.6) else 0.0,
            aspect_jitter=recipe.aspect_jitter,
            cut=self._happens(recipe.cut_share),
        )

    def _layer(self, sprite: np.ndarray, spot: placement.Placement, picture: np.ndarray) -> np.ndarray:
        """The thing at its place in its colours: float32 (H, W, 4), premultiplied."""
        layer = layers.layer(sprite, spot, picture.shape[0])
        if self.recipe.colour_jitter:
            layer = layers.recolour(layer, layers.draw_colours(self.rng, self.recipe.colour_jitter))
        if self._happens(self.recipe.blend_share):
            amount = self.rng.uniform(0.5, 0.9)
            layer = layers.recolour(layer, layers.blend_colours(layer, picture, amount))
        return layer

    def _cast(self, sprite: np.ndarray, spot: placement.Placement, image: np.ndarray) -> None:
        """Darken the image where the thing takes the light, in place."""
        shape = layers.draw_shadow(self.rng)
        dark = layers.shadow(sprite, spot, self.recipe.size, shape)
        strength = self.rng.uniform(0.05, 0.6) * self.rng.uniform(0.9, 1.0, 3)
        layers.darken(image, dark, strength)

    def _suffer(self, background: np.ndarray, image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if not self.recipe.nuisances:
            return background, image
        first, second = nuisance.draw_pair(self.rng)
        return nuisance.apply(background, first, self.rng), nuisance.apply(image, second, self.rng)
