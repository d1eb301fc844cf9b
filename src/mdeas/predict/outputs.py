"""What `mdeas predict` writes of every photo: mask, depth, cut-out, colours, panel."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mdeas.images.codec import colorize, contact_sheet, encode_png, read_rgba
from mdeas.images.levels import to_uint8
from mdeas.images.photo import Photo
from mdeas.images.resize import resize, within
from mdeas.images.sheets import robust_range
from mdeas.runtime.predictor import Prediction
from mdeas.subject.colours import decontaminate
from mdeas.system.files import json_bytes, write_bytes
from mdeas.system.machine import num_cores

OUTPUTS = ("mask.png", "depth.png", "depth.json", "cutout.png", "depth-color.png", "panel.png")
_PANEL_CELL = 320
# Of the photo; up to here its outputs are made at the same time, above it one after the other for memory.
_MAX_TOGETHER = 10_000_000
_MAX_UINT16 = 65535


def write_outputs(
    prediction: Prediction, photo: Photo, background: np.ndarray, facts: dict, paths: dict, force: bool
) -> None:
    """Write OUTPUTS of one photo; of what has full size, little is held at a time."""
    size = photo.size
    mask, ends = to_uint8(prediction.mask), robust_range(prediction.depth)
    depth, scale = encode_depth(prediction.depth)
    facts = {**scale, **facts, "height": photo.height, "width": photo.width}
    pictures: dict[str, Callable[[], np.ndarray]] = {  # the slowest first
        "cutout.png": lambda: _cutout(photo, _sized(mask, size), background),
        "depth.png": lambda: _sized(depth, size),
        "depth-color.png": lambda: _sized(colorize(prediction.depth, ends=ends), size),
        "panel.png": lambda: panel(background, photo.view, prediction, ends),
        "mask.png": lambda: _sized(mask, size),
    }
    files = {paths["depth.json"]: lambda: json_bytes(facts)}
    files |= {paths[kind]: _png(made) for kind, made in pictures.items()}
    _write_all(files, photo.height * photo.width <= _MAX_TOGETHER, force)


def _png(made: Callable[[], np.ndarray]) -> Callable[[], bytes]:
    return lambda: encode_png(made(), fast=True)


def _write_all(files: dict[Path, Callable[[], bytes]], together: bool, force: bool) -> None:
    """Make and write files; the first error ends it.

    To wait for the disk takes about as long as to make them: what makes files goes on meanwhile, unless
    they are so large that memory is for one at a time.
    """
    num_makers = min(num_cores(), len(files)) if together else 1
    with ThreadPoolExecutor(len(files)) as disk, ThreadPoolExecutor(num_makers) as makers:

        def write(path: Path) -> Future:
            written = disk.submit(write_bytes, path, files[path](), force=force)
            if not together:
                written.result()
            return written

        for written in makers.map(write, files):
            written.result()


def _sized(array: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return resize(array, *size, enlarge=cv2.INTER_LINEAR)


def _cutout(photo: Photo, mask: np.ndarray, background: np.ndarray) -> np.ndarray:
    """The photo at its own size, uint8 (H, W, 4), with alpha = mask, uint8 (H, W), and the subject's colours.

    A photo that was shrunk is read a second time, so that its whole and its RGBA copy never need memory
    together.
    """
    whole = photo.view.shape[:2] == mask.shape
    pixels = cv2.cvtColor(photo.view, cv2.COLOR_RGB2RGBA) if whole else read_rgba(photo.path)
    pixels[..., 3] = mask
    decontaminate(pixels, background)
    return pixels


def encode_depth(depth: np.ndarray) -> tuple[np.ndarray, dict[str, Any]]:
    """Inverse depth as 16-bit picture.

    Input: depth: float32 (H, W) relative inverse depth.
    Output: uint16 (H, W), 0 = least and 65535 = largest value, and what gets the values back:
        value = offset + scale * png, to half a step of `scale`.
    """
    low, high = float(depth.min()), float(depth.max())
    scale = (high - low) / _MAX_UINT16
    levels = depth - np.float32(low)
    levels /= np.float32(scale or 1)
    return np.rint(levels, out=levels).clip(0, _MAX_UINT16, out=levels).astype(np.uint16), {
        "kind": "relative",
        "meaning": "inverse depth, larger = nearer, no unit; value = offset + scale * png",
        "offset": low,
        "scale": scale,
        "range": [low, high],
    }


def panel(
    background: np.ndarray, image: np.ndarray, prediction: Prediction, ends: tuple[float, float]
) -> np.ndarray:
    """background | image | mask | depth | cut-out, labelled: uint8 (H, W, 3) RGB; ends: see colorize."""
    small = within(image, _PANEL_CELL)
    size = small.shape[:2]
    mask = _sized(prediction.mask, size)
    on_white = mask[..., None] * small + (1 - mask[..., None]) * np.float32(255)
    cells = [
        _sized(background, size),
        small,
        np.repeat(to_uint8(mask)[..., None], 3, axis=2),
        colorize(_sized(prediction.depth, size), ends=ends),
        np.rint(on_white).astype(np.uint8),
    ]
    return contact_sheet([cells], ("background", "image", "mask", "depth", "cut-out"), cell=_PANEL_CELL)
