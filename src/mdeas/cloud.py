"""From a pair and its two depths to a coloured point cloud without a hole behind the subject."""

from dataclasses import dataclass

import cv2
import numpy as np

from mdeas.camera import Camera
from mdeas.errors import InputError
from mdeas.fields import strips
from mdeas.foreground import backdrop, estimate, subject_colours
from mdeas.spec import within

NEAR, FAR = 1.0, 5.0
"""Where relative depth is put, which has no scale of its own: its nearest and farthest hundredth."""
_TAIL = 1.0  # per cent of the pixels at either end that do not decide on the scale
_STEEPEST = 15.0
"""Slope against the image plane from which a surface is taken for the ramp that networks draw between two things:
it is seen at less than 4 degrees. A floor reaches it at 15 times the camera's height."""
_LONGEST = 1600  # long side at which a point is made of each pixel: at most 2.6 million, 40 MB
_FOREGROUND = 0.5  # alpha from which a pixel is a point of the subject
_UNTOUCHED = 0.02  # alpha up to which the image itself shows what is behind


@dataclass(frozen=True)
class Cloud:
    """Points with the axes of Camera.points."""

    points: np.ndarray
    """float32 (N, 3)."""
    colours: np.ndarray
    """uint8 (N, 3) sRGB."""


def up_to_scale(front: np.ndarray, behind: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distances from relative inverse depth, in units of the nearest surface's distance.

    Inverse depth of unknown scale and shift fits any two distances: the nearest hundredth of the scene comes to
    NEAR and its farthest to FAR, so shapes are plausible and not measured.
    Input: inverse depth of both layers, float32 (H, W). Output: two float32 (H, W), distances from NEAR / 2 on.
    """
    low, high = np.percentile(np.stack([front, behind]), [_TAIL, 100 - _TAIL])
    gain = (1 / NEAR - 1 / FAR) / (high - low) if high > low else 0.0
    inverse = [1 / FAR + np.float32(gain) * (layer - np.float32(low)) for layer in (front, behind)]
    nearest, farthest = 2 / NEAR, 0.5 / FAR
    return 1 / inverse[0].clip(farthest, nearest), 1 / inverse[1].clip(farthest, nearest)


def build_cloud(
    cutout: np.ndarray, background: np.ndarray, front: np.ndarray, behind: np.ndarray, camera: Camera
) -> Cloud:
    """The subject's points, and those of the whole scene behind it.

    No point hangs between two surfaces: subject and backdrop have a depth each, and pixels on a ramp steeper
    than any surface that could be seen are left out. Colours behind the subject come from the background photo
    in the image's light.

    Input:
        cutout: uint8 (H, W, 4), the image's colours with alpha = mask.
        background: uint8 (H, W, 3).
        front, behind: float32 (H, W) distance along the viewing direction of subject and backdrop, > 0.
        camera: of this photo at any size.
    Errors: InputError E-CLOUD-EMPTY when nothing is a surface.
    """
    cutout, background, front, behind = (within(a, _LONGEST) for a in (cutout, background, front, behind))
    camera = camera.resized(*front.shape)
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
    """Of the subject and of what is behind: two uint8 (H, W, 3)."""
    fields = estimate(cutout, background)
    subject, scene = np.empty_like(background), cutout[..., :3].copy()
    for rows in strips(len(cutout)):
        subject[rows] = np.rint(subject_colours(cutout, background, fields, rows))
        covered = alpha[rows] > _UNTOUCHED
        scene[rows][covered] = np.rint(backdrop(cutout, background, fields.drift, rows))[covered]
    return subject, scene


def _points(
    depth: np.ndarray, colours: np.ndarray, wanted: np.ndarray, camera: Camera
) -> tuple[np.ndarray, np.ndarray]:
    keep = wanted & ~hanging(depth, camera.focal_px)
    return camera.points(depth)[keep], colours[keep]


def hanging(depth: np.ndarray, focal_px: float) -> np.ndarray:
    """bool (H, W): pixels of a distance map float32 (H, W) on a slope steeper than _STEEPEST."""
    window = np.ones((3, 3), np.uint8)
    nearest, farthest = cv2.erode(depth, window), cv2.dilate(depth, window)
    # The window is two pixels wide; a pixel is depth / focal_px wide where it lies.
    return farthest - nearest > 2 * _STEEPEST * nearest / focal_px
