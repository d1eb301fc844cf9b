"""One composite in the making.

The background photo is seen twice, in half of the pairs by a slightly moved camera. What is added casts
shadows, light drifts, and both photos suffer their own nuisances; the mask holds the added things alone.
"""

from __future__ import annotations

import numpy as np

from mdeas.create.assets import cutout
from mdeas.create.photos import paint
from mdeas.create.photos.stage import draw_plate, draw_views
from mdeas.create.photos.standing import add_standing, has_ground
from mdeas.create.photos.studio import Studio, View
from mdeas.create.photos.things import add_random, draw_spot, draw_thing, lay, plain_thing
from mdeas.images import camera_faults

_PLATES = 6
"""Views tried for one on whose surfaces something can stand."""


class Collage:
    """One sample in the making."""

    def __init__(self, studio: Studio):
        self.studio = studio

    def make(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray | None]:
        """Background, image uint8 (size, size, 3), mask float32 (size, size), inverse depth of the image."""
        studio, size = self.studio, self.studio.recipe.size
        background, image = draw_views(studio, self._plate())
        mask = np.zeros((size, size), np.float32)
        if not studio.happens(studio.recipe.empty_share):
            self._add_things(image, mask)
        if studio.happens(studio.recipe.light_share):
            image.picture *= paint.draw_light(studio.rng, size, studio.rng.uniform(0.03, 0.18))
        photos = paint.to_uint8(background.picture), paint.to_uint8(image.picture)
        return *self._suffer(*photos), np.rint(mask * 255) / np.float32(255), image.inverse

    def _plate(self) -> View:
        """The scene, now and then with a cut-out in it that is nothing new."""
        studio, plate = self.studio, draw_plate(self.studio)
        for _ in range(_PLATES - 1):
            if not studio.stands or has_ground(plate):
                break
            plate = draw_plate(studio)
        if studio.happens(studio.recipe.furniture_share):
            asset = studio.pick(studio.foregrounds)
            thing = plain_thing(studio, asset, cutout(asset))
            if studio.stands:
                add_standing(studio, thing, plate)
            else:
                lay(studio, thing, draw_spot(studio, thing.sprite, plate.picture.shape[0], 1), plate)
        return plate

    def _add_things(self, image: View, mask: np.ndarray) -> None:
        """Put one to three things into the image and the mask, in place."""
        studio, number = self.studio, 1
        while number < 3 and studio.happens(studio.recipe.more_share):
            number += 1
        for _ in range(number):
            asset = studio.pick(studio.foregrounds)
            thing = draw_thing(studio, asset)
            if not studio.stands:
                add_random(studio, thing, image, mask, number)
            elif (layer := add_standing(studio, thing, image)) is not None:
                paint.cover(mask, layer)
            else:
                continue
            studio.notes["foreground_ids"].append(asset.identity)

    def _suffer(self, background: np.ndarray, image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if not self.studio.recipe.nuisances:
            return background, image
        rng = self.studio.rng
        first, second = camera_faults.draw_pair(rng)
        return camera_faults.apply(background, first, rng), camera_faults.apply(image, second, rng)
