"""Close-ups: table tops, open bins seen from above, shelf bays seen from the front."""

import numpy as np

from mdeas.create.scenes.draw.place import Place, Support
from mdeas.create.scenes.draw.rooms import box, camera_at, floor_of, on_wall, shell
from mdeas.create.scenes.scene import Camera, Palette, Primitive, Rng, Surface, log_uniform

_FOV_DEG = (28, 75)  # least and greatest field of view
_FREE_M = 0.08  # from the camera to the walls


def _camera_towards(
    target: np.ndarray, away_m: float, turn_deg: float, down_deg: float, room: np.ndarray, rng: Rng
) -> Camera:
    """Draw a camera in a room of size `room` (3,) that looks at the target (3,) from `away_m` metres.

    Input: turn_deg: direction from which it looks, 0 = along z; down_deg: how steeply it looks down.
    """
    turn, down = np.radians([turn_deg, down_deg])
    back = np.array([np.cos(down) * np.sin(turn), np.sin(down), -np.cos(down) * np.cos(turn)])
    low = np.array([-room[0] / 2, 0, -room[2] / 2]) + _FREE_M
    high = np.array([room[0] / 2, room[1], room[2] / 2]) - _FREE_M
    at = np.clip(target + away_m * back, low, high)
    ahead = target - at
    yaw = np.degrees(np.arctan2(ahead[0], ahead[2])) + rng.normal(0, 5)
    pitch = np.degrees(np.arctan2(ahead[1], np.hypot(ahead[0], ahead[2]))) + rng.normal(0, 5)
    return camera_at(at, yaw, max(pitch, -88.0), rng, _FOV_DEG)


def _surroundings(palette: Palette, rng: Rng) -> tuple[np.ndarray, list[Primitive]]:
    """Draw the room around a close-up: its size (3,) in metres and its primitives."""
    size = np.array([rng.uniform(2.0, 5), rng.uniform(2.3, 3.2), rng.uniform(2.0, 5)])
    return size, shell(size, palette) + [on_wall(size, palette, rng) for _ in range(int(rng.integers(0, 4)))]


def table_top(palette: Palette, rng: Rng) -> Place:
    """Draw a table or bench, at a wall or in the room, seen level, at an angle or from straight above."""
    size, walls = _surroundings(palette, rng)
    height, half = rng.uniform(0.4, 1.0), np.array([rng.uniform(0.4, 1.2), 0.03, rng.uniform(0.3, 0.6)])
    gap = rng.uniform(0, 0.1) if rng.random() < 0.5 else rng.uniform(0, 1) * (size[2] - 2 * half[2] - 0.8)
    centre = np.array([0, height - half[1], size[2] / 2 - half[2] - max(gap, 0.0)])
    target = centre + np.array([rng.uniform(-0.3, 0.3), rng.uniform(0.03, 0.3), rng.uniform(-0.2, 0.2)])
    down = rng.uniform(30, 90) if rng.random() < 0.3 else rng.uniform(3, 45)
    camera = _camera_towards(target, log_uniform(rng, 0.35, 1.6), rng.normal(0, 30), down, size, rng)
    boards = [box(centre, half, palette.surface(plain=0.4)), *_below(centre, half, palette, rng)]
    low, high = (centre - half)[[0, 2]], (centre + half)[[0, 2]]
    desk = Support(height_m=height, low=low, high=high)
    return Place([*walls, *boards], camera, [desk, desk, desk, floor_of(size)], ("small",), float(size.max()))


def _below(centre: np.ndarray, half: np.ndarray, palette: Palette, rng: Rng) -> list[Primitive]:
    """Draw the base of a table top: two panels, or a solid body."""
    look, rise = palette.surface(plain=0.7), (centre[1] - half[1]) / 2
    if rng.random() < 0.4:
        return [box((centre[0], rise, centre[2]), (0.9 * half[0], rise, 0.85 * half[2]), look)]
    offsets = (-0.9 * half[0], 0.9 * half[0])
    return [box((centre[0] + x, rise, centre[2]), (0.025, rise, 0.85 * half[2]), look) for x in offsets]


def _open_box(
    centre: np.ndarray, half: np.ndarray, open_axis: int, open_side: int, palette: Palette, rng: Rng
) -> list[Primitive]:
    """Make five boards of a box with inner half extents `half`, (3,) metres; the sixth side is open."""
    thick = rng.uniform(0.004, 0.02)
    look = palette.surface(plain=0.7)
    made = []
    for axis in range(3):
        for side in (-1, 1):
            if (axis, side) != (open_axis, open_side):
                board = half + 2 * thick
                board[axis] = thick
                offset = np.zeros(3)
                offset[axis] = side * (half[axis] + thick)
                made.append(box(centre + offset, board, look))
    return made


def _bottom(centre: np.ndarray, half: np.ndarray) -> Support:
    """Return the bottom of a box by its inner half extents `half`, (3,) metres."""
    low, high = (centre - half)[[0, 2]], (centre + half)[[0, 2]]
    return Support(height_m=float(centre[1] - half[1]), low=low, high=high)


def open_bin(palette: Palette, rng: Rng) -> Place:
    """Draw an open box on the floor or on a block, seen from above."""
    size, walls = _surroundings(palette, rng)
    half = np.array([rng.uniform(0.15, 0.4), log_uniform(rng, 0.03, 0.2), rng.uniform(0.12, 0.3)])
    lift = rng.uniform(0.3, 0.9) if rng.random() < 0.5 else 0.05
    centre = np.array([0, lift + half[1], rng.uniform(-0.3, 0.3) * size[2]])
    away = half[1] + log_uniform(rng, 0.35, 1.0)
    camera = _camera_towards(centre, away, rng.uniform(-60, 60), rng.uniform(40, 90), size, rng)
    bottom = _bottom(centre, half)
    sides = _open_box(centre, half, 1, 1, palette, rng)
    stand = _stand(centre, half, lift - 0.05, palette.surface())
    return Place([*walls, *sides, *stand], camera, [bottom, bottom, bottom, floor_of(size)], ("small",), 3.0)


def _stand(centre: np.ndarray, half: np.ndarray, height_m: float, look: Surface) -> list[Primitive]:
    """Make a block under the bin, a little wider than the bin; [] when the bin stands on the floor."""
    if height_m <= 0:
        return []
    at, extent = (0, height_m / 2, centre[2]), (half[0] + 0.2, height_m / 2, half[2] + 0.2)
    return [box(at, extent, look)]


def shelf_bay(palette: Palette, rng: Rng) -> Place:
    """Draw the inside of a shelf or cupboard, seen from so near that its sides frame the picture."""
    size, walls = _surroundings(palette, rng)
    half = np.array([rng.uniform(0.15, 0.5), rng.uniform(0.12, 0.3), rng.uniform(0.12, 0.3)])
    height = rng.uniform(0.4, 1.5)
    centre = np.array([0, height + half[1], size[2] / 2 - half[2] - 0.05])
    away = half[2] + log_uniform(rng, 0.1, 0.8)
    camera = _camera_towards(centre, away, rng.normal(0, 18), rng.uniform(-8, 25), size, rng)
    bottom = _bottom(centre, half)
    sides = _open_box(centre, half, 2, -1, palette, rng)
    return Place([*walls, *sides], camera, [bottom], ("small",), 3.0)
