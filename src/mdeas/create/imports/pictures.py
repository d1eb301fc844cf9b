"""Decode the pictures of an imported row, and choose the bytes that the data set stores.

Upright JPEG and 8-bit RGB PNG photos, 8-bit grey PNG masks and 16-bit grey PNG depth are stored unchanged.
Everything else is encoded as PNG, because PNG adds no further loss.
"""

from __future__ import annotations

import numpy as np

from mdeas.create.imports.entry import PictureFile
from mdeas.errors import InputError
from mdeas.images.codec import decode_depth16, decode_gray, decode_rgb, encode_png
from mdeas.images.headers import inspect

# Bit depth and colour type: bytes 24 and 25 of a PNG (PNG third edition, 11.2.1).
_RGB8, _GREY8, _GREY16 = b"\x08\x02", b"\x08\x00", b"\x10\x00"
_MAX_UINT8, _MAX_UINT16 = 255, 65535


def read_photo(file: PictureFile) -> tuple[np.ndarray, bytes]:
    """Return a photo, uint8 RGB (H, W, 3), and the bytes to store. InputError E-IMG-..."""
    data = file.read()
    photo = decode_rgb(data, file.name)
    header = inspect(data, file.name)
    kept = header.orientation == 1 and (header.format == "jpeg" or _is_png(data, _RGB8))
    return photo, data if kept else encode_png(photo)


def read_mask(file: PictureFile) -> tuple[np.ndarray, bytes]:
    """Return a mask, float32 (H, W) in [0, 1], and the PNG-8 to store. InputError E-IMG-..."""
    data = file.read()
    levels = decode_gray(data, file.name)
    kept = _is_png(data, _GREY8) and inspect(data, file.name).orientation == 1
    return levels / np.float32(_MAX_UINT8), data if kept else encode_png(levels)


def read_depth(
    file: PictureFile, kind: str | None, scale: float | None
) -> tuple[np.ndarray, str, bytes, float]:
    """Read a depth picture of 8 or 16 bits.

    Input: kind: metric or relative, None = relative for 8 bits, metric for 16; scale: depth per level, which
        metric depth must have; None = relative depth fills [0, 1].
    Output: depth float32 (H, W), its kind, the PNG-16 to store, and the scale: depth = stored level * scale.
    Errors: InputError E-DEPTH-SCALE, E-IMG-...
    """
    data = file.read()
    levels, largest = _levels(data, file.name)
    kind = kind or ("relative" if largest == _MAX_UINT8 else "metric")
    if scale is None and kind == "metric":
        advice = "Pass --set depth_scale=0.001 for millimetres, or --set depth_kind=relative."
        raise InputError("E-DEPTH-SCALE", f"{file.name}: metric depth without a scale. {advice}")
    scale = scale or 1 / largest
    kept = _is_png(data, _GREY16) and inspect(data, file.name).orientation == 1
    return levels * np.float32(scale), kind, data if kept else encode_png(levels), scale


def _levels(data: bytes, name: str) -> tuple[np.ndarray, int]:
    """Return the stored levels, uint16 (H, W), and the largest possible level."""
    try:
        return decode_depth16(data, name), _MAX_UINT16
    except InputError as error:
        if error.code != "E-IMG-FORMAT":
            raise
    return decode_gray(data, name).astype(np.uint16), _MAX_UINT8


def _is_png(data: bytes, kind: bytes) -> bool:
    return data.startswith(b"\x89PNG") and data[24:26] == kind
