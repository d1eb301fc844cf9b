"""Build a coloured point cloud from a pair and its two depths, without a hole behind the subject."""

from dataclasses import dataclass

import cv2
import numpy as np

from mdeas.camera.rays import Pinhole
from mdeas.errors import InputError
from mdeas.images.resize import resize, within
from mdeas.subject.colours import backdrop, estimate, in_own_colours
from mdeas.subject.fill import strips

NEAR, FAR = 1.0, 5.0
"""Distances given to the nearest and the farthest hundredth of relative depth, which has no scale."""
_TAIL = 1.0  # per cent of the pixels at either end that are ignored when the scale is chosen
_STEEPEST = 15.0
"""A surface with a steeper slope against the image plane is the ramp that networks draw between two things:
the line of sight would meet it at less than 4 degrees. A floor gets that steep at a distance of 15 times the
camera's height."""
_NARROWEST = 0.01  # share of the long side; narrower surfaces between steep slopes are the network's ringing
_LONGEST = 1600  # long side in pixels at which each pixel becomes a point: at most 2.6 million, 40 MB
_FOREGROUND = 0.5  # alpha from which a pixel is a point of the subject
_UNTOUCHED = 0.02  # alpha up to which the image itself shows the scene behind


@dataclass(frozen=True)
class Cloud:
    """Points in the axes of Pinhole.points."""

    points: np.ndarray
    """float32 (N, 3)."""
    colours: np.ndarray
    """uint8 (N, 3) sRGB."""


def up_to_scale(front: np.ndarray, behind: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Turn relative inverse depth into distances, in units of the nearest surface's distance.

    Scale and shift are unknown, so the nearest hundredth of the scene is put at NEAR and the farthest at FAR:
    shapes are plausible, not measured.

    Input: front, behind: float32 (H, W), inverse depth of subject and backdrop.
    Output: two float32 (H, W), distances in [NEAR / 2, 2 FAR].
    """
    low, high = np.percentile(np.stack([front, behind]), [_TAIL, 100 - _TAIL])
    gain = (1 / NEAR - 1 / FAR) / (high - low) if high > low else 0.0
    inverse = [1 / FAR + np.float32(gain) * (layer - np.float32(low)) for layer in (front, behind)]
    subject, scene = (1 / layer.clip(0.5 / FAR, 2 / NEAR) for layer in inverse)
    return subject, scene


def build_cloud(
    cutout: np.ndarray, background: np.ndarray, front: np.ndarray, behind: np.ndarray, camera: Pinhole
) -> Cloud:
    """Build the points of the subject, and the points of the whole scene behind it.

    No point lies between two surfaces: subject and backdrop have a depth map each, and pixels that are
    `hanging` in their map are left out. Behind the subject, the colours are the background photo's in the
    image's light.

    Input:
        cutout: uint8 (H, W, 4), the image's colours with alpha = mask.
        background: uint8 (H, W, 3).
        front, behind: float32 (h, w) of any size, distance of subject and backdrop along the optical axis, in
            any unit; 0 = unknown: no point.
        camera: of this photo at any size.
    Errors: InputError E-CLOUD-EMPTY when no pixel lies on a surface.
    """
    cutout, background = within(cutout, _LONGEST), within(background, _LONGEST)
    height, width = cutout.shape[:2]
    front, behind = (resize(depth, height, width, enlarge=cv2.INTER_LINEAR) for depth in (front, behind))
    camera = camera.resized(height, width)
    alpha = cutout[..., 3] / np.float32(255)
    subject, scene = _colours(cutout, background, alpha)
    layers = (
        _points(front, subject, alpha >= _FOREGROUND, camera),
        _points(behind, scene, np.ones(alpha.shape, bool), camera),
    )
    cloud = Cloud(*(np.concatenate(parts) for parts in zip(*layers, strict=True)))
    if not len(cloud.points):
        raise InputError("E-CLOUD-EMPTY", "the depth has no surface in it, so there are no points to write.")
    return cloud


def _colours(cutout: np.ndarray, background: np.ndarray, alpha: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Colours of the subject and of the scene behind it: two uint8 (H, W, 3)."""
    fields = estimate(cutout, background)
    subject, scene = np.empty_like(background), cutout[..., :3].copy()
    for rows in strips(len(cutout)):
        subject[rows] = in_own_colours(cutout, background, fields, rows)[..., :3]
        covered = alpha[rows] > _UNTOUCHED
        scene[rows][covered] = np.rint(backdrop(cutout, background, fields.drift, rows))[covered]
    return subject, scene


def _points(
    depth: np.ndarray, colours: np.ndarray, wanted: np.ndarray, camera: Pinhole
) -> tuple[np.ndarray, np.ndarray]:
    keep = wanted & (depth > 0) & ~hanging(depth, camera.focal_px)
    return camera.points(depth)[keep], colours[keep]


def hanging(depth: np.ndarray, focal_px: float) -> np.ndarray:
    """Find pixels of a distance map that lie between surfaces instead of on one.

    They lie on a slope steeper than _STEEPEST, or on a narrow strip between such slopes: networks ring at
    edges.
    Input: depth: float32 (H, W). Output: bool (H, W).
    """
    window = np.ones((3, 3), np.uint8)
    nearest, farthest = cv2.erode(depth, window), cv2.dilate(depth, window)
    # The outer pixels of the window are two pixels apart; a pixel is depth / focal_px wide at its depth.
    level = (farthest - nearest <= 2 * _STEEPEST * nearest / focal_px).astype(np.uint8)
    radius = min(round(_NARROWEST / 2 * max(depth.shape)), (min(depth.shape) - 1) // 2)
    if radius < 1:
        return level == 0
    side = 2 * radius + 1
    # Beyond the picture there is no surface, so the opening must see a slope there.
    framed = cv2.copyMakeBorder(level, side, side, side, side, cv2.BORDER_CONSTANT, value=0)
    surfaces = cv2.morphologyEx(framed, cv2.MORPH_OPEN, np.ones((side, side), np.uint8))
    return surfaces[side:-side, side:-side] == 0
