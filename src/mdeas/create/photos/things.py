"""What is added to a composite: cut-outs at their places, in their colours, with their shadows and depth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mdeas.create.assets import Asset, cutout, photo, premultiply
from mdeas.create.photos import composite_depth, paint, placement
from mdeas.create.photos.placement import Placement
from mdeas.create.photos.stage import draw_piece
from mdeas.create.photos.studio import Studio, View


@dataclass(frozen=True, kw_only=True)
class Thing:
    """A cut-out before it has a place."""

    sprite: np.ndarray
    """uint8 RGBA (h, w, 4), premultiplied."""
    relief: np.ndarray | None
    """float32 (h, w) in [0, 1], see layered.relief; None where no depth is known."""


def draw_thing(studio: Studio, asset: Asset) -> Thing:
    """A cut-out; now and then it shows a piece of another photograph inside its outline."""
    sprite = cutout(asset)
    if studio.happens(studio.recipe.texture_share):
        picture = photo(studio.pick(studio.backgrounds))
        piece = draw_piece(studio, picture.shape, *sprite.shape[:2])
        sprite = premultiply(piece.of_picture(picture), sprite[..., 3])
    return plain_thing(studio, asset, sprite)


def plain_thing(studio: Studio, asset: Asset, sprite: np.ndarray) -> Thing:
    """A cut-out whose picture is `sprite`."""
    return Thing(
        sprite=sprite, relief=composite_depth.relief(studio.depths, asset) if studio.depths else None
    )


def add_random(studio: Studio, thing: Thing, view: View, mask: np.ndarray, number: int) -> None:
    """Put a thing anywhere into the view and the mask float32 (H, W), in place; one of `number`."""
    spot = draw_spot(studio, thing.sprite, studio.recipe.size, number)
    if studio.happens(studio.recipe.shadow_share):
        _cast(studio, thing.sprite, spot, view.picture)
    paint.cover(mask, lay(studio, thing, spot, view))


def lay(studio: Studio, thing: Thing, spot: Placement, view: View) -> np.ndarray:
    """Put a thing in front of all that it hides, in place; its layer float32 (H, W, 4)."""
    layer = coloured(studio, thing, spot, view)
    paint.paste(view.picture, layer)
    if view.inverse is not None:
        solid = layer[..., 3] >= composite_depth.SOLID
        back = composite_depth.in_front_of(view.inverse, solid, studio.depth_rng)
        view.inverse[solid] = surface(thing, spot, view, back)[solid]
    return layer


def surface(thing: Thing, spot: Placement, view: View, back: float) -> np.ndarray:
    """float32 (H, W): inverse depth of the thing at its place, where it covers the picture."""
    relief = paint.relief_at(thing.relief, spot, view.picture.shape[0])
    return composite_depth.surface(back, relief, spot.width_px, view.lens.focal_x_px)


def draw_spot(studio: Studio, sprite: np.ndarray, side: int, number: int) -> Placement:
    """Where a cut-out goes that may go anywhere."""
    recipe, rng, shape = studio.recipe, studio.rng, sprite.shape[:2]
    if recipe.sizing == "area":
        num_px = float(sprite[..., 3].sum(dtype=np.int64)) / 255
        scale = placement.scale_by_area(rng, num_px, side, recipe.area, number)
    else:
        scale = placement.scale_published(rng, max(shape), side, recipe.scales)
    return placement.place(
        rng,
        shape,
        scale,
        side,
        rotation_deg=recipe.rotation_deg if studio.happens(0.6) else 0.0,
        aspect_jitter=recipe.aspect_jitter,
        cut=studio.happens(recipe.cut_share),
    )


def coloured(studio: Studio, thing: Thing, spot: Placement, view: View) -> np.ndarray:
    """The thing at its place in its colours: float32 (H, W, 4), premultiplied."""
    layer = paint.layer(thing.sprite, spot, view.picture.shape[0])
    if studio.recipe.colour_jitter:
        layer = paint.recolour(layer, paint.draw_colours(studio.rng, studio.recipe.colour_jitter))
    if studio.happens(studio.recipe.blend_share):
        amount = studio.rng.uniform(0.5, 0.9)
        layer = paint.recolour(layer, paint.blend_colours(layer, view.picture, amount))
    return layer


def _cast(studio: Studio, sprite: np.ndarray, spot: Placement, picture: np.ndarray) -> None:
    """Darken the picture where the thing takes the light, in place."""
    shape = paint.draw_shadow(studio.rng)
    dark = paint.shadow(sprite, spot, studio.recipe.size, shape)
    strength = studio.rng.uniform(0.05, 0.6) * studio.rng.uniform(0.9, 1.0, 3)
    paint.darken(picture, dark, strength)
