"""Large rooms with something near the camera: halls, dining rooms, two rooms with an opening between them."""

import numpy as np

from mdeas.create.scenes.draw import catalogue
from mdeas.create.scenes.draw.furniture import line_walls, put
from mdeas.create.scenes.draw.place import Place, Support
from mdeas.create.scenes.draw.rooms import box, camera_at, ceiling_lamp, floor_of, on_wall, partition, shell
from mdeas.create.scenes.scene import Camera, Palette, Primitive, Rng, log_uniform

_CLOSE = ("chair", "chair", "table", "sofa", "cabinet", "shelf", "plant")  # things near the camera
_MOST_PARTS = 46  # primitives of a furnished hall; the rest of layout.MAX_BACKGROUND is for things
_FREE_M = 0.3  # from the camera to the walls


def hall(palette: Palette, rng: Rng) -> Place:
    """Draw a large room with windows, furniture in rows, and mostly something within two metres."""
    size = np.array([rng.uniform(4, 14), rng.uniform(2.4, 5), rng.uniform(5, 16)])
    camera = _at_one_end(size, rng)
    fixed = [*shell(size, palette), *(_window(size, palette, rng) for _ in range(int(rng.integers(0, 5))))]
    fixed += [on_wall(size, palette, rng) for _ in range(int(rng.integers(0, 5)))]
    fixed += [ceiling_lamp(size, palette, rng) for _ in range(int(rng.integers(0, 5)))]
    return _furnished(fixed, camera, size, palette, rng)


def opening(palette: Palette, rng: Rng) -> Place:
    """Draw two rooms with a door, an arch or a hatch between them; the camera looks into the other room."""
    size = np.array([rng.uniform(2.4, 8), rng.uniform(2.3, 3.5), rng.uniform(5, 13)])
    camera = _at_one_end(size, rng)
    fixed = [*shell(size, palette), *_cross_wall(size, camera, palette, rng)]
    fixed += [on_wall(size, palette, rng) for _ in range(int(rng.integers(1, 6)))]
    fixed += [ceiling_lamp(size, palette, rng) for _ in range(int(rng.integers(0, 3)))]
    return _furnished(fixed, camera, size, palette, rng)


def _at_one_end(size: np.ndarray, rng: Rng) -> Camera:
    """Draw a camera in the front half of the room; it looks along the room."""
    across = rng.uniform(-1, 1) * (size[0] / 2 - _FREE_M)
    height = rng.uniform(0.4, 2.0) if rng.random() < 0.2 else np.clip(rng.normal(1.35, 0.2), 0.8, 1.9)
    along = -size[2] / 2 + rng.uniform(_FREE_M, 0.45 * size[2])
    yaw, pitch = rng.normal(0, 25), float(np.clip(rng.normal(-5, 9), -40, 30))
    return camera_at((across, height, along), yaw, pitch, rng, (40, 85))


def _furnished(fixed: list[Primitive], camera: Camera, size: np.ndarray, palette: Palette, rng: Rng) -> Place:
    """Join fixed parts and a camera to a place; add furniture near the camera, in rows and along walls."""
    place = Place(fixed, camera, [floor_of(size)], ("small", "large", "large"), float(size.max()))
    if rng.random() < 0.35:
        _counter(place, size, palette, rng)
    elif rng.random() < 0.7:
        _add(place, _close_by(place, size, palette, rng))
    if rng.random() < 0.5:
        _rows(place, size, palette, rng)
    line_walls(place, palette, rng)
    return place


def _add(place: Place, made: list[Primitive]) -> bool:
    """Do what `put` does, unless the place has too many primitives already."""
    return len(place.primitives) + len(made) <= _MOST_PARTS and put(place, made)


def _close_by(place: Place, size: np.ndarray, palette: Palette, rng: Rng) -> list[Primitive]:
    """Build something near the camera: a wall or pillar, or furniture that the border of the picture cuts."""
    if rng.random() < 0.3:
        return [partition(size, place.camera, palette, rng)]
    name = _CLOSE[int(rng.integers(0, len(_CLOSE)))]
    height = rng.uniform(*catalogue.THINGS[name].height_m)
    spot = place.camera.point(rng.uniform(-1.1, 1.1), 0.0, log_uniform(rng, 0.5, 2.2)) * (1, 0, 1)
    return catalogue.build(name, spot, rng.uniform(-180, 180), height, palette, rng, added=False).primitives


def _counter(place: Place, size: np.ndarray, palette: Palette, rng: Rng) -> None:
    """Add a bar, kitchen island or long table below the camera, on which small things stand."""
    eye = place.camera.position
    top = max(0.35, eye[1] - log_uniform(rng, 0.12, 0.7))
    half = np.array([log_uniform(rng, 0.4, 2.5), 0.025, rng.uniform(0.25, 0.7)])
    if rng.random() < 0.3:
        half = half[[2, 1, 0]]
    middle = np.array(
        [eye[0] + rng.uniform(-0.8, 0.8) * half[0], top, eye[2] + half[2] + rng.uniform(-0.3, 0.5)]
    )
    board = box(middle - (0, half[1], 0), half, palette.surface(plain=0.5))
    inset, rise = rng.uniform(0.3, 0.98), (top - 2 * half[1]) / 2
    body = box(
        (middle[0], rise, middle[2]), (inset * half[0], rise, inset * half[2]), palette.surface(plain=0.6)
    )
    walls = size[[0, 2]] / 2
    low, high = (np.clip(corner[[0, 2]], -walls, walls) for corner in (middle - half, middle + half))
    if _add(place, [board, body]):
        place.tops.append(Support(height_m=top, low=low, high=high))


def _rows(place: Place, size: np.ndarray, palette: Palette, rng: Rng) -> None:
    """Add equal pieces of furniture in a grid ahead of the camera."""
    names = (("chair",), ("table", "chair"), ("sofa",), ("shelf",))[int(rng.integers(0, 4))]
    heights = [rng.uniform(*catalogue.THINGS[name].height_m) for name in names]
    step, yaw, seed = rng.uniform(0.9, 2.2), 90 * int(rng.integers(0, 4)), int(rng.integers(2**31))
    start = place.camera.position[[0, 2]] + (rng.uniform(-2, 1), rng.uniform(0.8, 2))
    for row, column in np.ndindex(4, 3):
        same_rng = np.random.default_rng(seed)  # so that all of them are equal
        look = Palette(same_rng, palette.num_tiles, palette.photos_from)
        at = start + step * np.array([column, row]) + rng.normal(0, 0.05, 2)
        made: list[Primitive] = []
        for name, height, beside in zip(names, heights, (0.0, 0.7), strict=False):
            spot, turn = (at[0] + beside, 0.0, at[1]), yaw + rng.normal(0, 8)
            made += catalogue.build(name, spot, turn, height, look, same_rng, added=False).primitives
        if _inside(made, size):
            _add(place, made)


def _inside(made: list[Primitive], size: np.ndarray) -> bool:
    """Tell whether primitives are inside the walls of a room of `size` (3,) metres, in any rotation."""
    reach = np.array([np.abs(p.centre) + np.linalg.norm(p.half) for p in made])[:, [0, 2]]
    return bool(np.all(reach < size[[0, 2]] / 2))


def _window(size: np.ndarray, palette: Palette, rng: Rng) -> Primitive:
    """Draw a window: a bright pane in one of the walls; a texture stands for the view outside."""
    axis, side = int(rng.choice([0, 2])), rng.choice([-1, 1])
    tall = rng.uniform(0.5, 0.42 * size[1])
    half = np.array([rng.uniform(0.4, 1.5), tall, rng.uniform(0.4, 1.5)])
    along = rng.uniform(-0.45, 0.45, 3) * size
    centre = np.array([along[0], rng.uniform(tall, size[1] - tall), along[2]])
    half[axis], centre[axis] = 0.03, side * size[axis] / 2
    return box(centre, half, palette.surface(plain=0.3, tile_m=rng.uniform(1, 4), emission=rng.uniform(1, 5)))


def _cross_wall(size: np.ndarray, camera: Camera, palette: Palette, rng: Rng) -> list[Primitive]:
    """Draw the wall between two rooms: slabs left, right and above its opening, and below a hatch."""
    at = camera.position[2] + log_uniform(rng, 0.5, min(4, 0.45 * size[2]))
    wide = log_uniform(rng, 0.4, 0.4 * size[0])
    middle = np.clip(camera.position[0] + rng.normal(0, 0.6), wide - size[0] / 2, size[0] / 2 - wide)
    top = rng.uniform(1.9, size[1])
    sill = rng.uniform(0.7, 1.1) if rng.random() < 0.25 else 0.0
    look, thick = palette.surface(plain=0.7, gloss=0.0), rng.uniform(0.03, 0.12)
    ends = ((-size[0] / 2, middle - wide, 0, size[1]), (middle + wide, size[0] / 2, 0, size[1]))
    slabs = (*ends, (middle - wide, middle + wide, top, size[1]), (middle - wide, middle + wide, 0, sill))
    return [
        box(((a + b) / 2, (low + high) / 2, at), ((b - a) / 2, (high - low) / 2, thick), look)
        for a, b, low, high in slabs
        if b - a > 0.02 and high - low > 0.02
    ]
