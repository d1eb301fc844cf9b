"""Make one composite.

A crop of a photo stands for a scene that is photographed twice; in some pairs the camera moves a little. The
second photo gets foregrounds with shadows, and its light may change. Each photo gets its own camera faults.
The mask shows the added foregrounds only.
"""

from __future__ import annotations

import numpy as np

from mdeas.create.assets import load_cutout
from mdeas.create.photos import paint
from mdeas.create.photos.background import draw_scene, take_photos
from mdeas.create.photos.canvas import Canvas
from mdeas.create.photos.context import SampleContext
from mdeas.create.photos.foregrounds import (
    add_anywhere,
    draw_foreground,
    draw_placement,
    paste_in_front,
    with_relief,
)
from mdeas.create.photos.standing import add_standing, has_ground
from mdeas.images import camera_faults

_SCENES = 6
"""Greatest number of scenes drawn to find one with ground for standing foregrounds."""


def make_composite(context: SampleContext) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray | None]:
    """Make one pair.

    Output: background and image, uint8 RGB (size, size, 3); mask, float32 (size, size) in steps of 1 / 255;
        inverse depth of the image, float32 (size, size), None = no depth is known.
    """
    recipe, size = context.recipe, context.recipe.size
    background, image = take_photos(context, _draw_furnished_scene(context))
    mask = np.zeros((size, size), np.float32)
    if not context.happens(recipe.empty_share):
        _add_foregrounds(context, image, mask)
    if context.happens(recipe.light_share):
        image.picture *= paint.draw_light(context.rng, size, context.rng.uniform(0.03, 0.18))
    photos = paint.to_uint8(background.picture), paint.to_uint8(image.picture)
    if recipe.nuisances:
        faults = camera_faults.draw_pair(context.rng)
        photos = (
            camera_faults.apply(photos[0], faults[0], context.rng),
            camera_faults.apply(photos[1], faults[1], context.rng),
        )
    return *photos, np.rint(mask * 255) / np.float32(255), image.inverse_depth


def _draw_furnished_scene(context: SampleContext) -> Canvas:
    """Draw the scene; with probability `furniture_share` it contains a cut-out, which both photos show."""
    scene = draw_scene(context)
    for _ in range(_SCENES - 1):
        if not context.is_standing or has_ground(scene):
            break
        scene = draw_scene(context)
    if context.happens(context.recipe.furniture_share):
        asset = context.pick(context.foregrounds)
        furniture = with_relief(context, asset, load_cutout(asset))
        if context.is_standing:
            add_standing(context, furniture, scene)
        else:
            place = draw_placement(context, furniture.cutout, scene.picture.shape[0], 1)
            paste_in_front(context, furniture, place, scene)
    return scene


def _add_foregrounds(context: SampleContext, image: Canvas, mask: np.ndarray) -> None:
    """Put one to three foregrounds into the image and the mask, float32 (H, W), in place."""
    number = 1
    while number < 3 and context.happens(context.recipe.more_share):
        number += 1
    for _ in range(number):
        asset = context.pick(context.foregrounds)
        foreground = draw_foreground(context, asset)
        if not context.is_standing:
            add_anywhere(context, foreground, image, mask, number)
        elif (layer := add_standing(context, foreground, image)) is not None:
            paint.add_alpha(mask, layer)
        else:
            continue
        context.notes["foreground_ids"].append(asset.identity)
