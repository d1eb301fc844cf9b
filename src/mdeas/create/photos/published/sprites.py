"""Photos and cut-outs at the size at which they are composed; a cache shares them among samples."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from mdeas.create.assets import Asset, load_cutout, load_photo, read_only
from mdeas.create.photos.paint import resize
from mdeas.create.photos.published.masks import MASK_RULES
from mdeas.images.codec import encode_jpeg

Sizes = tuple[tuple[int, int], ...]


@dataclass(frozen=True, kw_only=True)
class Sprite:
    """A cut-out at its final size, ready to be pasted."""

    colours: np.ndarray
    """uint8 (h, w, 3) RGB, premultiplied."""
    transparency: np.ndarray
    """uint8 (h, w, 3): 255 - alpha, the share of the background that stays visible."""
    mask: np.ndarray
    """uint8 (h, w): the mask that a rule of masks.py made from the alpha."""

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        return self.mask.shape[0], self.mask.shape[1]


@lru_cache(maxsize=1024)
def load_sprite(asset: Asset, long_side_px: int, mirrored: bool, rule: str) -> Sprite:
    """Load a cut-out, resize it to a long side, and make its mask by the rule of that name."""
    picture = load_cutout(asset)
    scale = long_side_px / max(picture.shape[:2])
    height, width = (max(1, round(side * scale)) for side in picture.shape[:2])
    scaled = resize(picture, height, width)
    scaled = cv2.flip(scaled, 1) if mirrored else scaled
    alpha = np.ascontiguousarray(scaled[..., 3])
    return Sprite(
        colours=np.ascontiguousarray(scaled[..., :3]),
        transparency=cv2.merge([255 - alpha] * 3),
        mask=MASK_RULES[rule](alpha),
    )


@lru_cache(maxsize=256)
def load_resized_photo(asset: Asset, sizes: Sizes) -> np.ndarray:
    """Load a whole photo, uint8 RGB, and resize it to each (width, height) in turn; read only."""
    return read_only(resize_through(load_photo(asset), sizes).view())


@lru_cache(maxsize=256)
def load_encoded_photo(asset: Asset, sizes: Sizes, quality: int) -> bytes:
    """Return `load_resized_photo` as JPEG bytes."""
    return encode_jpeg(load_resized_photo(asset, sizes), quality)


def resize_through(picture: np.ndarray, sizes: Sizes) -> np.ndarray:
    """Resize uint8 (h, w, ...) to each (width, height) in turn."""
    for width, height in sizes:
        picture = resize(picture, height, width)
    return picture


def paste_sprite(picture: np.ndarray, mask: np.ndarray, sprite: Sprite, top: int, left: int) -> None:
    """Paste a sprite that fits onto a picture, uint8 (H, W, 3), and an empty mask, uint8 (H, W), in place."""
    height, width = sprite.shape
    covered = slice(top, top + height), slice(left, left + width)
    behind = cv2.multiply(picture[covered], sprite.transparency, scale=1 / 255)
    picture[covered] = cv2.add(behind, sprite.colours)
    mask[covered] = sprite.mask
