"""The bytes of every file that `mdeas predict` writes. All pictures have the photo's own size."""

import cv2
import numpy as np

from mdeas.camera.cloud import build_cloud, up_to_scale
from mdeas.camera.point_files import encode_points
from mdeas.images.codec import encode_png, read_rgba
from mdeas.images.levels import to_uint8
from mdeas.images.resize import resize, within
from mdeas.images.sheets import colorize, contact_sheet
from mdeas.predict.predicted import PredictedPhoto
from mdeas.subject.colours import decontaminate
from mdeas.system.files import json_bytes

STEP_M = 0.001
"""Metres per step of depth-m.png."""
_MAX_LEVEL_M = 65534  # sensors write 65535 for everything farther
_MAX_UINT16 = 65535
_PANEL_CELL = 320  # long side of each picture of the panel, pixels


def mask_png(predicted: PredictedPhoto) -> bytes:
    """8-bit alpha."""
    return encode_png(_sized(predicted.alpha, predicted), fast=True)


def depth_png(predicted: PredictedPhoto) -> bytes:
    """16-bit relative inverse depth, see `depth_scale`."""
    return encode_png(_sized(depth_levels(predicted.prediction.depth), predicted), fast=True)


def depth_json(predicted: PredictedPhoto) -> bytes:
    """How to read depth.png."""
    return _json(predicted, depth_scale(predicted.prediction.depth) | predicted.facts)


def cutout_png(predicted: PredictedPhoto) -> bytes:
    """RGBA: the mask is alpha, and edges have the subject's own colours.

    A photo that was shrunk is read again for its full size: its pixels and their RGBA copy are never in
    memory together.
    """
    photo = predicted.photo
    if photo.view.shape[:2] == photo.size:
        pixels = cv2.cvtColor(photo.view, cv2.COLOR_RGB2RGBA)
    else:
        pixels = read_rgba(photo.path)
    pixels[..., 3] = _sized(predicted.alpha, predicted)
    decontaminate(pixels, predicted.background)
    return encode_png(pixels, fast=True)


def depth_color_png(predicted: PredictedPhoto) -> bytes:
    """Depth in colours."""
    colours = colorize(predicted.prediction.depth, ends=predicted.colour_ends)
    return encode_png(_sized(colours, predicted), fast=True)


def panel_png(predicted: PredictedPhoto) -> bytes:
    """background | image | mask | depth | cut-out, each at most 320 pixels long, labelled."""
    small = within(predicted.photo.view, _PANEL_CELL)
    background, mask, depth = (
        resize(picture, *small.shape[:2], enlarge=cv2.INTER_LINEAR)
        for picture in (predicted.background, predicted.prediction.mask, predicted.prediction.depth)
    )
    on_white = mask[..., None] * small + (1 - mask[..., None]) * np.float32(255)
    cells = [
        background,
        small,
        np.repeat(to_uint8(mask)[..., None], 3, axis=2),
        colorize(depth, ends=predicted.colour_ends),
        np.rint(on_white).astype(np.uint8),
    ]
    names = ("background", "image", "mask", "depth", "cut-out")
    return encode_png(contact_sheet([cells], names, cell=_PANEL_CELL), fast=True)


def depth_m_png(predicted: PredictedPhoto) -> bytes:
    """16-bit millimetres along the optical axis, 0 = unknown."""
    assert predicted.metric
    levels = np.rint(predicted.metric.depth_m / STEP_M)
    levels[levels > _MAX_LEVEL_M] = 0
    # Nearest: a mean across an edge is a depth that nothing has.
    size = predicted.photo.width, predicted.photo.height
    return encode_png(cv2.resize(levels.astype(np.uint16), size, interpolation=cv2.INTER_NEAREST_EXACT))


def depth_m_json(predicted: PredictedPhoto) -> bytes:
    """How to read depth-m.png, and how the metres were found."""
    assert predicted.metric
    about = {
        "kind": "metric",
        "unit": "m",
        "meaning": "metres along the optical axis = offset + scale * png; png 0 = unknown or too far",
        "offset": 0.0,
        "scale": STEP_M,
    }
    return _json(predicted, predicted.facts | predicted.metric.facts | about)


def foreground_depth_png(predicted: PredictedPhoto) -> bytes:
    """16-bit inverse depth of the subject, see `depth_scale`."""
    assert predicted.split
    return encode_png(_sized(depth_levels(predicted.split.foreground_depth), predicted))


def background_depth_png(predicted: PredictedPhoto) -> bytes:
    """16-bit inverse depth of the scene behind the subject, see `depth_scale`."""
    assert predicted.split
    return encode_png(_sized(depth_levels(predicted.split.background_depth), predicted))


def layers_json(predicted: PredictedPhoto) -> bytes:
    """How to read foreground-depth.png and background-depth.png, and how they were aligned."""
    split = predicted.split
    assert split
    alignment = {
        "fitted": split.fitted,
        "meaning": "depth of the image = scale * depth of the background photo + shift, where nothing is new;"
        " misfit: median of what is left",
        "misfit": split.misfit,
        "scale": split.scale,
        "shift": split.shift,
    }
    about: dict[str, object] = {
        "foreground-depth": depth_scale(split.foreground_depth),
        "background-depth": depth_scale(split.background_depth),
        "alignment": alignment,
    }
    return _json(predicted, about | predicted.facts)


def cloud_ply(predicted: PredictedPhoto) -> bytes:
    """Coloured points as binary PLY."""
    return _cloud(predicted, "ply")


def cloud_glb(predicted: PredictedPhoto) -> bytes:
    """Coloured points as binary glTF."""
    return _cloud(predicted, "glb")


def _cloud(predicted: PredictedPhoto, form: str) -> bytes:
    """Points in metres where those are known, else up to scale. Errors: InputError E-CLOUD-EMPTY."""
    if predicted.metric:
        front, behind = predicted.metric.depth_m, predicted.metric.empty_m
    else:
        assert predicted.split
        front, behind = up_to_scale(predicted.split.foreground_depth, predicted.split.background_depth)
    assert predicted.pinhole
    cutout = np.dstack([predicted.photo.view, predicted.alpha])
    cloud = build_cloud(cutout, predicted.background, front, behind, predicted.pinhole)
    return encode_points(cloud.points, cloud.colours, form)


def depth_levels(depth: np.ndarray) -> np.ndarray:
    """float32 (H, W) inverse depth -> uint16 (H, W): 0 = least value, 65535 = greatest; see `depth_scale`."""
    low, high = float(depth.min()), float(depth.max())
    levels = depth - np.float32(low)
    levels /= np.float32((high - low) / _MAX_UINT16 or 1)
    return np.rint(levels, out=levels).clip(0, _MAX_UINT16, out=levels).astype(np.uint16)


def depth_scale(depth: np.ndarray) -> dict[str, object]:
    """How to get the values of a depth map back from `depth_levels`, to half a step of "scale"."""
    low, high = float(depth.min()), float(depth.max())
    return {
        "kind": "relative",
        "meaning": "inverse depth, larger = nearer, no unit; value = offset + scale * png",
        "offset": low,
        "scale": (high - low) / _MAX_UINT16,
        "range": [low, high],
    }


def _sized(array: np.ndarray, predicted: PredictedPhoto) -> np.ndarray:
    """At the photo's own size."""
    return resize(array, *predicted.photo.size, enlarge=cv2.INTER_LINEAR)


def _json(predicted: PredictedPhoto, facts: dict[str, object]) -> bytes:
    return json_bytes(facts | {"height": predicted.photo.height, "width": predicted.photo.width})
