"""Rooms: walls, floor, ceiling, pictures and doors on the walls, and a camera anywhere inside."""

import numpy as np
from numpy.typing import ArrayLike

from mdeas.create.scenes.draw.furniture import line_walls
from mdeas.create.scenes.draw.place import Place, Support
from mdeas.create.scenes.scene import Camera, Palette, Primitive, Rng, Surface, log_uniform, rotation

_FREE_M = 0.5  # from the camera to the walls
_ROLL_DEG = 3.0  # standard deviation of a hand-held camera's roll


def box(centre: ArrayLike, half: ArrayLike, surface: Surface) -> Primitive:
    """Make an axis-aligned box of the background; `centre` and half extents `half`, (3,) metres."""
    return Primitive(
        kind="box",
        centre=np.asarray(centre, float),
        half=np.asarray(half, float),
        rotation=np.eye(3),
        surface=surface,
    )


def shell(size: np.ndarray, palette: Palette) -> list[Primitive]:
    """Make walls, floor and ceiling of a room of `size` (x, y, z) metres around x = z = 0, floor at y = 0.

    The first primitive is the room itself, seen from inside. All walls have one surface.
    """
    half = size / 2
    middle = np.array([0, half[1], 0])
    walls = palette.surface(plain=0.75, gloss=0.0)
    slabs = [
        _slab(middle, half, -1, palette.surface(plain=0.35)),
        _slab(middle, half, 1, palette.surface(plain=0.9)),
    ]
    # The slabs cover the room's own floor and ceiling, which lie a little behind them.
    taller = half + np.array([0, 0.1, 0])
    room = Primitive(kind="room", centre=middle, half=taller, rotation=np.eye(3), surface=walls)
    return [room, *slabs]


def _slab(middle: np.ndarray, half: np.ndarray, side: int, surface: Surface) -> Primitive:
    """Make the floor (`side` -1) or ceiling (1) of a room by its middle and half extents, (3,) metres."""
    thick = 0.04
    centre = middle + np.array([0, side * (half[1] + thick), 0])
    return box(centre, (half[0], thick, half[2]), surface)


def floor_of(size: np.ndarray) -> Support:
    """Return the whole floor of a room of `size` (3,) metres."""
    return Support(height_m=0.0, low=-size[[0, 2]] / 2, high=size[[0, 2]] / 2)


def on_wall(size: np.ndarray, palette: Palette, rng: Rng) -> Primitive:
    """Draw a picture, door, window or board on one of the four walls."""
    axis, side = int(rng.choice([0, 2])), rng.choice([-1, 1])
    half = np.array([rng.uniform(0.15, 0.9), rng.uniform(0.15, 0.7), rng.uniform(0.15, 0.9)])
    centre = np.array(
        [rng.uniform(-0.4, 0.4) * size[0], rng.uniform(1.0, 1.8), rng.uniform(-0.4, 0.4) * size[2]]
    )
    if rng.random() < 0.25:
        half[1], centre[1] = 1.0, 1.0
    half[axis], centre[axis] = rng.uniform(0.01, 0.08), side * size[axis] / 2
    glow = rng.uniform(0.5, 3.0) if rng.random() < 0.3 else 0.0
    return box(centre, half, palette.surface(plain=0.3, tile_m=rng.uniform(0.5, 2), emission=glow))


def ceiling_lamp(size: np.ndarray, palette: Palette, rng: Rng) -> Primitive:
    """Draw a bright panel or tube. It lights nothing; the scene's lights do."""
    half = np.array([log_uniform(rng, 0.08, 0.6), 0.03, log_uniform(rng, 0.08, 0.6)])
    centre = (rng.uniform(-0.35, 0.35) * size[0], size[1] - half[1], rng.uniform(-0.35, 0.35) * size[2])
    return box(centre, half, palette.surface(plain=1, emission=rng.uniform(1, 4)))


def camera_at(
    position_m: ArrayLike, yaw_deg: float, pitch_deg: float, rng: Rng, fov_deg: tuple[float, float] = (32, 80)
) -> Camera:
    """Draw field of view and roll of a hand-held camera; in 8 % of the cases the roll is strong."""
    askew = 5 if rng.random() < 0.08 else 1
    roll_deg = float(np.clip(rng.normal(0, _ROLL_DEG * askew), -30, 30))
    turn = rotation(yaw_deg, pitch_deg, roll_deg)
    return Camera(position=np.asarray(position_m, float), rotation=turn, fov_deg=log_uniform(rng, *fov_deg))


def partition(size: np.ndarray, camera: Camera, palette: Palette, rng: Rng) -> Primitive:
    """Draw a wall or pillar of the room's height, ahead of the camera and to one side."""
    depth, side = log_uniform(rng, 0.7, 4), rng.choice([-1, 1])
    at = camera.point(side * rng.uniform(0.5, 1.3), 0.0, depth)
    half = np.array([log_uniform(rng, 0.05, 0.9), size[1] / 2, 0.06])
    if rng.random() < 0.5:
        half = half[[2, 1, 0]]
    return box((at[0], size[1] / 2, at[2]), half, palette.surface(plain=0.7, gloss=0.0))


def _far_enough(block: Primitive, camera: Camera) -> bool:
    """Tell whether a box is more than 25 cm from the camera along x or z."""
    gap = np.abs(block.centre - camera.position) - block.half
    return bool(max(gap[0], gap[2]) > 0.25)


def room(palette: Palette, rng: Rng) -> Place:
    """Draw a room with a camera anywhere in it; it may see corners, near walls, the floor or the ceiling."""
    narrow = rng.random() < 0.12
    width = rng.uniform(1.2, 2.0) if narrow else rng.uniform(2.4, 6.5)
    size = np.array([width, rng.uniform(2.2, 3.4), rng.uniform(2.6, 7.5)])
    at = rng.uniform(-1, 1, 3) * (size / 2 - _FREE_M)
    at[1] = rng.uniform(0.2, 2.1) if rng.random() < 0.3 else np.clip(rng.normal(1.3, 0.25), 0.7, 2.0)
    towards = 0 if narrow else 90 * int(rng.integers(0, 4))
    yaw = towards + (rng.normal(0, 15) if rng.random() < 0.55 else rng.normal(0, 40))
    pitch = float(np.clip(rng.normal(5 - 9 * (at[1] - 0.6), 15), -55, 45))
    camera = camera_at(at, yaw, pitch, rng)
    hung = [on_wall(size, palette, rng) for _ in range(int(rng.integers(1, 7)))]
    parts = [partition(size, camera, palette, rng)] if rng.random() < 0.3 else []
    hung += [ceiling_lamp(size, palette, rng) for _ in range(int(rng.integers(0, 4)))]
    parts = [part for part in parts if _far_enough(part, camera)]
    place = Place(
        [*shell(size, palette), *hung, *parts],
        camera,
        [floor_of(size)],
        ("small", "large"),
        float(size.max()),
    )
    line_walls(place, palette, rng)
    return place
