"""Depth of a room with a floor, a wall and a post, for tests of standing foregrounds."""

import numpy as np

from mdeas.create.photos.canvas import Intrinsics

SIDE = 96
CAMERA_M, WALL_M, POST_M = 1.3, 4.0, 1.5


def room_depth(pitch_deg=20.0, post=True):
    """Metres, float32 (SIDE, SIDE): a floor below a camera that looks down, a wall, and a post before it."""
    intrinsics, pitch = Intrinsics.of_photo(SIDE, SIDE), np.radians(pitch_deg)
    y = np.arange(SIDE)[:, None].repeat(SIDE, 1)
    ray_y = (y - intrinsics.centre_y_px) / intrinsics.focal_y_px
    down, forward = ray_y * np.cos(pitch) + np.sin(pitch), np.cos(pitch) - ray_y * np.sin(pitch)
    floor = np.where(down > 0, CAMERA_M / np.maximum(down, 1e-6), np.inf)
    depth = np.minimum(floor, WALL_M / forward)
    if post:
        depth[SIDE // 4 :, 40:52] = np.minimum(depth, POST_M)[SIDE // 4 :, 40:52]
    return depth.astype(np.float32)
