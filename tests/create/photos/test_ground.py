"""Ground: level surfaces seen from above, with depth in any unit; nothing else."""

import numpy as np
import pytest
from room_view import CAMERA_M, SIDE, room_depth

from mdeas.create.photos.canvas import Canvas, Intrinsics
from mdeas.create.photos.ground import find_ground


def view_of(depth_m, scale=1.0):
    inverse = np.where(depth_m > 0, scale / np.maximum(depth_m, 1e-6), 0).astype(np.float32)
    return Canvas(
        picture=np.zeros((*inverse.shape, 3)),
        inverse_depth=inverse,
        intrinsics=Intrinsics.of_photo(*inverse.shape),
    )


@pytest.mark.parametrize("scale", [1.0, 37.0])
@pytest.mark.parametrize("pitch_deg", [0.0, 20.0, 45.0])
def test_the_floor_is_ground_and_the_wall_is_not(pitch_deg, scale):
    depth = room_depth(pitch_deg, post=False)
    flat = find_ground(view_of(depth, scale))
    pitch = np.radians(pitch_deg)
    floor = np.abs(1 / flat.inverse_distance * scale - CAMERA_M) < 0.15
    assert flat.standable.mean() > 0.08
    assert (
        flat.standable & ~floor
    ).sum() == 0  # the camera is 1.3 m above all that is ground, and only there
    row = int(np.flatnonzero(flat.standable.any(axis=1))[-1])
    assert flat.tilt(row, SIDE // 2) == pytest.approx(np.sin(pitch) + 0.45 * np.cos(pitch), abs=0.1)


@pytest.mark.parametrize("turn", [1, 2, 3])
def test_ceilings_and_side_walls_are_no_ground(turn):
    assert not find_ground(view_of(np.rot90(room_depth(post=False), turn))).standable.any()


def test_holes_and_rough_places_are_no_ground():
    depth = room_depth(post=False)
    depth[60:, :40] = 0
    depth[60:, 60:] *= np.random.default_rng(0).uniform(0.8, 1.2, depth[60:, 60:].shape)
    stands = find_ground(view_of(depth)).standable
    assert not stands[66:, :36].any() and not stands[66:, 66:].any() and stands[66:93, 47:53].all()
