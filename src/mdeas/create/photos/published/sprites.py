"""Photos and cut-outs at the size at which they are composed: made once in a process, used very often."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from mdeas.create.assets import Asset, cutout, photo
from mdeas.create.photos.paint import resize
from mdeas.create.photos.published.masks import MASK_RULES
from mdeas.images.codec import encode_jpeg

Sizes = tuple[tuple[int, int], ...]


@dataclass(frozen=True, kw_only=True)
class Sprite:
    """A cut-out ready to be put somewhere."""

    colours: np.ndarray
    """uint8 (h, w, 3) RGB, premultiplied."""
    shown: np.ndarray
    """uint8 (h, w, 3): how much of what is behind it stays to be seen, of 255."""
    mask: np.ndarray
    """uint8 (h, w): the alpha under a mask rule."""

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        return self.mask.shape[0], self.mask.shape[1]


@lru_cache(maxsize=1024)
def sprite(asset: Asset, long_side_px: int, mirrored: bool, rule: str) -> Sprite:
    """The cut-out with that long side."""
    picture = cutout(asset)
    scale = long_side_px / max(picture.shape[:2])
    height, width = (max(1, round(side * scale)) for side in picture.shape[:2])
    scaled = resize(picture, height, width)
    scaled = cv2.flip(scaled, 1) if mirrored else scaled
    alpha = np.ascontiguousarray(scaled[..., 3])
    return Sprite(
        colours=np.ascontiguousarray(scaled[..., :3]),
        shown=cv2.merge([255 - alpha] * 3),
        mask=MASK_RULES[rule](alpha),
    )


@lru_cache(maxsize=256)
def plate(asset: Asset, sizes: Sizes) -> np.ndarray:
    """The whole photo, uint8 RGB, resized to each (width, height) in turn; read only."""
    picture = through(photo(asset), sizes).view()
    picture.flags.writeable = False
    return picture


@lru_cache(maxsize=256)
def encoded_plate(asset: Asset, sizes: Sizes, quality: int) -> bytes:
    """JPEG bytes of `plate`."""
    return encode_jpeg(plate(asset, sizes), quality)


def through(picture: np.ndarray, sizes: Sequence[tuple[int, int]]) -> np.ndarray:
    """uint8 (h, w, ...) resized to each (width, height) in turn."""
    for width, height in sizes:
        picture = resize(picture, height, width)
    return picture


def put(picture: np.ndarray, mask: np.ndarray, over: Sprite, top: int, left: int) -> None:
    """Lay a sprite that fits over a picture uint8 (H, W, 3) and into an empty mask uint8 (H, W), in place."""
    height, width = over.shape
    spot = slice(top, top + height), slice(left, left + width)
    behind = cv2.multiply(picture[spot], over.shown, scale=1 / 255)
    picture[spot] = cv2.add(behind, over.colours)
    mask[spot] = over.mask
