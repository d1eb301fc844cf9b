"""Test whether things touch, by the axis-aligned bounding boxes of their primitives."""

from collections.abc import Sequence

import numpy as np

from mdeas.create.scenes.scene import Primitive

SLACK_M = 0.005
"""Boxes may overlap by up to this much, so that things can stand on each other."""
_CAMERA_M = 0.12  # space kept free around the camera


def box_of(primitive: Primitive) -> tuple[np.ndarray, np.ndarray]:
    """Return the middle and half extents of a primitive's bounding box, (3,) metres each."""
    return primitive.centre, np.abs(primitive.rotation) @ primitive.half + primitive.radius


def clear(
    primitives: Sequence[Primitive], others: Sequence[Primitive], camera: np.ndarray | None = None
) -> bool:
    """Tell whether no box of `primitives` touches a box of `others`; rooms do not count.

    Input: camera: a point (3,) that must be outside the boxes of `primitives`, too.
    """
    return boxes_clear(*_stacked_boxes(primitives), others, camera)


def boxes_clear(
    middle: np.ndarray, reach: np.ndarray, others: Sequence[Primitive], camera: np.ndarray | None = None
) -> bool:
    """Do what `clear` does for boxes: (N, 3) middles and half extents in metres."""
    if camera is not None and np.any(np.all(np.abs(camera - middle) < reach + _CAMERA_M, axis=1)):
        return False
    there = [other for other in others if other.kind != "room"]
    if not there:
        return True
    other_middle, other_reach = _stacked_boxes(there)
    between = np.abs(middle[:, None] - other_middle)
    return bool(np.all(np.any(between > reach[:, None] + other_reach - SLACK_M, axis=2)))


def bounds(primitives: Sequence[Primitive]) -> tuple[np.ndarray, np.ndarray]:
    """Return the least and greatest corner, (3,) metres, of the box around all primitives."""
    middle, reach = _stacked_boxes(primitives)
    return (middle - reach).min(0), (middle + reach).max(0)


def _stacked_boxes(primitives: Sequence[Primitive]) -> tuple[np.ndarray, np.ndarray]:
    """Return `box_of` all primitives: middles and half extents, (N, 3) each."""
    middles, halves = zip(*(box_of(primitive) for primitive in primitives), strict=True)
    return np.stack(middles), np.stack(halves)
