"""Whether things touch, judged by the boxes around their primitives along the world's axes."""

from collections.abc import Sequence

import numpy as np

from mdeas.create.scenes.scene import Primitive

SLACK_M = 0.005
"""Up to this much overlap counts as touching, so that things may stand on each other."""
_CAMERA_M = 0.12  # kept free around the camera


def box_of(primitive: Primitive) -> tuple[np.ndarray, np.ndarray]:
    """Middle and half extents, (3,) metres each."""
    return primitive.centre, np.abs(primitive.rotation) @ primitive.half + primitive.radius


def clear(
    primitives: Sequence[Primitive], others: Sequence[Primitive], camera: np.ndarray | None = None
) -> bool:
    """Whether the boxes of `primitives` keep apart from those of `others`, rooms excepted.

    Input: camera: a point (3,) that must stay outside of them as well.
    """
    return boxes_clear(*_stacked(primitives), others, camera)


def boxes_clear(
    middle: np.ndarray, reach: np.ndarray, others: Sequence[Primitive], camera: np.ndarray | None = None
) -> bool:
    """The same for boxes: (N, 3) middles and half extents in metres."""
    if camera is not None and np.any(np.all(np.abs(camera - middle) < reach + _CAMERA_M, axis=1)):
        return False
    there = [other for other in others if other.kind != "room"]
    if not there:
        return True
    at, around = _stacked(there)
    between = np.abs(middle[:, None] - at)
    return bool(np.all(np.any(between > reach[:, None] + around - SLACK_M, axis=2)))


def bounds(primitives: Sequence[Primitive]) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest corner (3,) of the box around all of them."""
    middle, reach = _stacked(primitives)
    return (middle - reach).min(0), (middle + reach).max(0)


def _stacked(primitives: Sequence[Primitive]) -> tuple[np.ndarray, np.ndarray]:
    """(N, 3) middles and half extents."""
    boxes = [box_of(p) for p in primitives]
    return np.stack([b[0] for b in boxes]), np.stack([b[1] for b in boxes])
