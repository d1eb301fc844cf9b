"""The empty scene of a composite: a crop of a photo, photographed twice by a camera that may move."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from mdeas.create.assets import load_photo
from mdeas.create.photos import paint, placement
from mdeas.create.photos.canvas import Canvas, Intrinsics
from mdeas.create.photos.composite_depth import load_inverse_depth, resize_nearest
from mdeas.create.photos.context import SampleContext


@dataclass(frozen=True, kw_only=True)
class Crop:
    """A part of a photo, and its size in pixels after resizing."""

    rows: slice
    columns: slice
    height: int
    width: int
    mirrored: bool
    """Mirrored left to right, after resizing."""

    def of_picture(self, picture: np.ndarray) -> np.ndarray:
        """Crop uint8 (h, w, C) to uint8 (height, width, C)."""
        return self._oriented(paint.resize(picture[self.rows, self.columns], self.height, self.width))

    def of_inverse_depth(self, inverse_depth: np.ndarray) -> np.ndarray:
        """Crop float32 (h, w) to float32 (height, width) by nearest neighbour."""
        return self._oriented(resize_nearest(inverse_depth[self.rows, self.columns], self.height, self.width))

    def intrinsics(self, shape: tuple[int, ...]) -> Intrinsics:
        """Return the intrinsics of the crop of a photo of `shape` (h, w, ...)."""
        whole = Intrinsics.of_photo(shape[0], shape[1])
        cropped = whole.cropped(self.rows, self.columns, self.height, self.width)
        return cropped.mirrored(self.width) if self.mirrored else cropped

    def _oriented(self, picture: np.ndarray) -> np.ndarray:
        return cv2.flip(picture, 1) if self.mirrored else picture


def draw_crop(context: SampleContext, shape: tuple[int, ...], height: int, width: int) -> Crop:
    """Draw a random crop of a photo of `shape` (h, w, ...), mirrored or not."""
    rows, columns = placement.draw_rows_columns(
        context.rng,
        shape[:2],
        max(height, width),
        smallest=context.recipe.crop_min,
        aspect_jitter=context.recipe.aspect_jitter,
    )
    return Crop(rows=rows, columns=columns, height=height, width=width, mirrored=context.happens(0.5))


def draw_scene(context: SampleContext) -> Canvas:
    """Draw the empty scene, with a margin around the picture, because the camera may move."""
    asset = context.pick(context.backgrounds)
    context.notes["background_id"] = asset.identity
    side = context.recipe.size + 2 * placement.margin_px(context.recipe.size)
    picture = load_photo(asset)
    crop = draw_crop(context, picture.shape, side, side)
    depths = context.depths
    return Canvas(
        picture=crop.of_picture(picture).astype(np.float32),
        inverse_depth=crop.of_inverse_depth(load_inverse_depth(depths, asset)) if depths else None,
        intrinsics=crop.intrinsics(picture.shape),
    )


def take_photos(context: SampleContext, scene: Canvas) -> tuple[Canvas, Canvas]:
    """Take the background and the image photo of a scene with margin, (size, size) each."""
    size, margin = context.recipe.size, placement.margin_px(context.recipe.size)
    inside = slice(margin, margin + size)
    still = _photograph(scene, inside, None)
    context.notes["camera_moved"] = context.happens(context.recipe.camera_share)
    if not context.notes["camera_moved"]:
        return still, _photograph(scene, inside, None)
    moved = _photograph(scene, inside, placement.draw_motion(context.rng, size))
    # Resampling blurs a little. The order is drawn, so that blur does not reveal which is the background.
    return (still, moved) if context.happens(0.5) else (moved, still)


def _photograph(scene: Canvas, inside: slice, motion: np.ndarray | None) -> Canvas:
    """Photograph a scene; `motion`: matrix of placement.draw_motion, None = the camera is still."""
    size = inside.stop - inside.start

    def seen(picture: np.ndarray, interpolation: int) -> np.ndarray:
        if motion is None:
            return picture[inside, inside].copy()
        return cv2.warpAffine(picture, motion, (size, size), flags=interpolation)

    inverse = scene.inverse_depth
    return Canvas(
        picture=seen(scene.picture, cv2.INTER_CUBIC),
        inverse_depth=None if inverse is None else seen(inverse, cv2.INTER_NEAREST),
        # The change of intrinsics by a motion of one degree is smaller than the error of their guess.
        intrinsics=scene.intrinsics.cropped(inside, inside, size, size),
    )
