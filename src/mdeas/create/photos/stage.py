"""The scene before anything is added: a piece of a background photo, seen twice by a camera that may move."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from mdeas.create.assets import photo
from mdeas.create.photos import paint, placement
from mdeas.create.photos.composite_depth import nearest, photo_inverse
from mdeas.create.photos.lens import Lens
from mdeas.create.photos.studio import Studio, View


@dataclass(frozen=True, kw_only=True)
class Piece:
    """Which part of a photo is seen, and how large."""

    rows: slice
    columns: slice
    height: int
    width: int
    mirrored: bool

    def of_picture(self, picture: np.ndarray) -> np.ndarray:
        """uint8 (h, w, C) -> uint8 (height, width, C)."""
        return self._turned(paint.resize(picture[self.rows, self.columns], self.height, self.width))

    def of_inverse(self, inverse: np.ndarray) -> np.ndarray:
        """float32 (h, w) -> float32 (height, width), nothing mixed."""
        return self._turned(nearest(inverse[self.rows, self.columns], self.height, self.width))

    def lens(self, shape: tuple[int, ...]) -> Lens:
        """Of the camera that took the photo of `shape` (h, w, ...)."""
        seen = Lens.of_photo(shape[0], shape[1]).cropped(self.rows, self.columns, self.height, self.width)
        return seen.mirrored(self.width) if self.mirrored else seen

    def _turned(self, picture: np.ndarray) -> np.ndarray:
        return cv2.flip(picture, 1) if self.mirrored else picture


def draw_piece(studio: Studio, shape: tuple[int, ...], height: int, width: int) -> Piece:
    """A random crop of a photo of `shape` (h, w, ...), mirrored or not."""
    rows, columns = placement.draw_crop(
        studio.rng,
        shape[:2],
        max(height, width),
        smallest=studio.recipe.crop_min,
        aspect_jitter=studio.recipe.aspect_jitter,
    )
    return Piece(rows=rows, columns=columns, height=height, width=width, mirrored=studio.happens(0.5))


def draw_plate(studio: Studio) -> View:
    """The scene with a margin around what the photos show."""
    asset = studio.pick(studio.backgrounds)
    studio.notes["background_id"] = asset.identity
    side = studio.recipe.size + 2 * placement.margin_px(studio.recipe.size)
    picture = photo(asset)
    piece = draw_piece(studio, picture.shape, side, side)
    return View(
        picture=piece.of_picture(picture).astype(np.float32),
        inverse=piece.of_inverse(photo_inverse(studio.depths, asset)) if studio.depths else None,
        lens=piece.lens(picture.shape),
    )


def draw_views(studio: Studio, plate: View) -> tuple[View, View]:
    """The plate as both photos see it: views of (size, size)."""
    size, margin = studio.recipe.size, placement.margin_px(studio.recipe.size)
    inside = slice(margin, margin + size)
    still = _seen(plate, inside, None)
    studio.notes["camera_moved"] = studio.happens(studio.recipe.camera_share)
    if not studio.notes["camera_moved"]:
        return still, _seen(plate, inside, None)
    moved = _seen(plate, inside, placement.draw_motion(studio.rng, size))
    # Resampling softens a little. Whose photo is softened must tell nothing.
    return (still, moved) if studio.happens(0.5) else (moved, still)


def _seen(plate: View, inside: slice, motion: np.ndarray | None) -> View:
    """What a camera sees of the plate; `motion` as of placement.draw_motion, None for no motion."""
    size = inside.stop - inside.start

    def look(picture: np.ndarray, method: int) -> np.ndarray:
        if motion is None:
            return picture[inside, inside].copy()
        return cv2.warpAffine(picture, motion, (size, size), flags=method)

    return View(
        picture=look(plate.picture, cv2.INTER_CUBIC),
        inverse=None if plate.inverse is None else look(plate.inverse, cv2.INTER_NEAREST),
        # What a camera moved by a degree sees is the same lens, to the accuracy of the rest.
        lens=plate.lens.cropped(inside, inside, size, size),
    )
