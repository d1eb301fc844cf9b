"""Add foregrounds to a picture: cut-outs with their place, colours, shadow and depth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mdeas.create.assets import Asset, load_cutout, load_photo, premultiply
from mdeas.create.photos import composite_depth, paint, placement
from mdeas.create.photos.background import draw_crop
from mdeas.create.photos.canvas import Canvas
from mdeas.create.photos.context import SampleContext
from mdeas.create.photos.placement import Placement


@dataclass(frozen=True, kw_only=True)
class Foreground:
    """A cut-out before it has a place."""

    cutout: np.ndarray
    """uint8 RGBA (h, w, 4), premultiplied."""
    relief: np.ndarray | None
    """float32 (h, w) in [0, 1], see composite_depth.load_relief; None = no depth is known."""


def draw_foreground(context: SampleContext, asset: Asset) -> Foreground:
    """Load a cut-out; with probability `texture_share` its colours become a crop of another photograph."""
    cutout = load_cutout(asset)
    if context.happens(context.recipe.texture_share):
        picture = load_photo(context.pick(context.backgrounds))
        crop = draw_crop(context, picture.shape, *cutout.shape[:2])
        cutout = premultiply(crop.of_picture(picture), cutout[..., 3])
    return with_relief(context, asset, cutout)


def with_relief(context: SampleContext, asset: Asset, cutout: np.ndarray) -> Foreground:
    """Join uint8 RGBA (h, w, 4) with the relief of its asset."""
    relief = composite_depth.load_relief(context.depths, asset) if context.depths else None
    return Foreground(cutout=cutout, relief=relief)


def add_anywhere(
    context: SampleContext, foreground: Foreground, canvas: Canvas, mask: np.ndarray, number: int
) -> None:
    """Put a foreground anywhere into the canvas and the mask, float32 (H, W), in place.

    Input: number: of foregrounds in the picture; the more there are, the smaller each is.
    """
    place = draw_placement(context, foreground.cutout, context.recipe.size, number)
    if context.happens(context.recipe.shadow_share):
        shape = paint.draw_shadow(context.rng)
        dark = paint.shadow(foreground.cutout, place, context.recipe.size, shape)
        strength = context.rng.uniform(0.05, 0.6) * context.rng.uniform(0.9, 1.0, 3)
        paint.darken(canvas.picture, dark, strength)
    paint.add_alpha(mask, paste_in_front(context, foreground, place, canvas))


def paste_in_front(
    context: SampleContext, foreground: Foreground, place: Placement, canvas: Canvas
) -> np.ndarray:
    """Put a foreground in front of everything it hides, in place; return its layer, float32 (H, W, 4)."""
    layer = draw_layer(context, foreground, place, canvas)
    paint.paste(canvas.picture, layer)
    if canvas.inverse_depth is not None:
        solid = layer[..., 3] >= composite_depth.SOLID
        back = composite_depth.draw_back(canvas.inverse_depth, solid, context.depth_rng)
        canvas.inverse_depth[solid] = placed_inverse_depth(foreground, place, canvas, back)[solid]
    return layer


def placed_inverse_depth(foreground: Foreground, place: Placement, canvas: Canvas, back: float) -> np.ndarray:
    """Return the inverse depth of a foreground at its place: float32 (H, W), valid where it is solid."""
    relief = paint.place_relief(foreground.relief, place, canvas.picture.shape[0])
    width_px, focal_px = place.width_px, canvas.intrinsics.focal_x_px
    return composite_depth.foreground_inverse_depth(back, relief, width_px, focal_px)


def draw_placement(context: SampleContext, cutout: np.ndarray, side: int, number: int) -> Placement:
    """Draw the place of one of `number` cut-outs, uint8 (h, w, 4), anywhere in a picture of `side` px."""
    recipe, rng, shape = context.recipe, context.rng, cutout.shape[:2]
    if recipe.sizing == "area":
        num_px = float(cutout[..., 3].sum(dtype=np.int64)) / 255
        scale = placement.scale_by_area(rng, num_px, side, recipe.area, number)
    else:
        scale = placement.scale_published(rng, max(shape), side, recipe.scales)
    return placement.draw_place(
        rng,
        shape,
        scale,
        side,
        rotation_deg=recipe.rotation_deg if context.happens(0.6) else 0.0,
        aspect_jitter=recipe.aspect_jitter,
        cut=context.happens(recipe.cut_share),
    )


def draw_layer(
    context: SampleContext, foreground: Foreground, place: Placement, canvas: Canvas
) -> np.ndarray:
    """Draw a foreground at its place, with changed colours: float32 (H, W, 4), premultiplied."""
    layer = paint.place_cutout(foreground.cutout, place, canvas.picture.shape[0])
    if context.recipe.colour_jitter:
        layer = paint.recolour(layer, paint.draw_colours(context.rng, context.recipe.colour_jitter))
    if context.happens(context.recipe.blend_share):
        amount = context.rng.uniform(0.5, 0.9)
        layer = paint.recolour(layer, paint.blend_colours(layer, canvas.picture, amount))
    return layer
