"""Where things are: places (room, corridor, table top, open ground), cameras, lights and what is added to them."""

from dataclasses import dataclass, field

import numpy as np

from mdeas.create import objects
from mdeas.create.scene import (
    Camera,
    Light,
    Palette,
    Primitive,
    Rng,
    Scene,
    log_uniform,
    random_colour,
    rotation,
)

MAX_BACKGROUND = 44
MAX_ADDED = 24
OUTDOOR_M = 400.0
SUN_M = 1000.0


@dataclass(frozen=True, kw_only=True)
class Support:
    """A horizontal rectangle that things stand on."""

    height_m: float
    low: np.ndarray
    """(2,) smallest x and z in metres."""
    high: np.ndarray

    def holds(self, point: np.ndarray, margin: float) -> bool:
        at = point[[0, 2]]
        return bool(np.all(at >= self.low + margin) and np.all(at <= self.high - margin))


@dataclass
class Place:
    """A background under construction."""

    primitives: list[Primitive]
    camera: Camera
    supports: list[Support]
    """First the one that most things stand on."""
    kinds: tuple[str, ...]
    """Values of Thing.place that belong here."""
    far_m: float
    outdoor: bool = False
    taken: list[tuple[np.ndarray, float]] = field(default_factory=list)
    """Base points and radii of what stands there."""


def _room(size: np.ndarray, palette: Palette) -> list[Primitive]:
    """Interior box of `size` (x, y, z) metres centred on x = z = 0; walls share one surface, floor and ceiling get slabs."""
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


def _slab(middle: np.ndarray, half: np.ndarray, side: int, surface) -> Primitive:
    thick = 0.04
    centre = middle + np.array([0, side * (half[1] + thick), 0])
    slab_half = np.array([half[0], thick, half[2]])
    return Primitive(kind="box", centre=centre, half=slab_half, rotation=np.eye(3), surface=surface)


def _on_wall(size: np.ndarray, palette: Palette, rng: Rng) -> Primitive:
    """A picture, door, window or board on one of the four walls."""
    axis, side = int(rng.choice([0, 2])), rng.choice([-1, 1])
    half = np.array([rng.uniform(0.2, 0.9), rng.uniform(0.2, 0.7), rng.uniform(0.2, 0.9)])
    centre = np.array(
        [rng.uniform(-0.4, 0.4) * size[0], rng.uniform(1.0, 1.8), rng.uniform(-0.4, 0.4) * size[2]]
    )
    if rng.random() < 0.25:
        half[1], centre[1] = 1.0, 1.0
    half[axis], centre[axis] = rng.uniform(0.01, 0.08), side * size[axis] / 2
    glow = rng.uniform(0.5, 3.0) if rng.random() < 0.3 else 0.0
    surface = palette.surface(plain=0.3, tile_m=rng.uniform(0.5, 2), emission=glow)
    return Primitive(kind="box", centre=centre, half=half, rotation=np.eye(3), surface=surface)


def _camera(position, yaw: float, pitch: float, rng: Rng, fov: tuple[float, float] = (40, 90)) -> Camera:
    roll = float(np.clip(rng.normal(0, 1.5), -5, 5))
    return Camera(
        position=np.asarray(position, float), rotation=rotation(yaw, pitch, roll), fov_deg=rng.uniform(*fov)
    )


def room(palette: Palette, rng: Rng) -> Place:
    narrow = rng.random() < 0.12
    size = np.array(
        [rng.uniform(1.4, 2.4) if narrow else rng.uniform(2.5, 8), rng.uniform(2.2, 3.4), rng.uniform(3, 10)]
    )
    # The camera stands near the -z wall and looks along the room.
    at = [
        rng.uniform(-0.4, 0.4) * size[0],
        rng.uniform(0.3, min(2.3, size[1] - 0.2)),
        -size[2] * rng.uniform(0.2, 0.48),
    ]
    pitch = np.clip(rng.normal(-8 - 6 * (at[1] - 1), 9), -35, 15)
    camera = _camera(at, rng.normal(0, 22), pitch, rng)
    primitives = _room(size, palette) + [_on_wall(size, palette, rng) for _ in range(int(rng.integers(0, 5)))]
    floor = Support(height_m=0.0, low=-size[[0, 2]] / 2, high=size[[0, 2]] / 2)
    return Place(primitives, camera, [floor], ("small", "large"), float(size[2]))


def table_top(palette: Palette, rng: Rng) -> Place:
    """A camera close above a table, bench, shelf or conveyor."""
    size = np.array([rng.uniform(2.5, 7), rng.uniform(2.3, 3.2), rng.uniform(2.5, 7)])
    height, back = rng.uniform(0.4, 1.0), rng.uniform(0.4, 1.0)
    half = np.array([rng.uniform(0.5, 1.2), 0.03, rng.uniform(0.35, back)])
    centre = np.array(
        [0, height - 0.03, size[2] / 2 - half[2] - rng.uniform(0, 1) * max(size[2] - 2 * half[2] - 1, 0)]
    )
    up = log_uniform(rng, 0.15, 0.8)
    at = [
        rng.uniform(-0.4, 0.4),
        min(height + up, size[1] - 0.1),
        max(centre[2] - rng.uniform(0.3, 1.1), -size[2] / 2 + 0.05),
    ]
    top = np.array([rng.uniform(-0.2, 0.2), height, centre[2]])
    away = top - at
    pitch = np.degrees(np.arctan2(away[1], away[2])) + rng.normal(0, 6)
    camera = _camera(at, np.degrees(np.arctan2(away[0], away[2])), np.clip(pitch, -50, 10), rng, (40, 75))
    board = Primitive(
        kind="box", centre=centre, half=half, rotation=np.eye(3), surface=palette.surface(plain=0.4)
    )
    walls = _room(size, palette) + [_on_wall(size, palette, rng) for _ in range(int(rng.integers(0, 3)))]
    low, high = (centre - half)[[0, 2]], (centre + half)[[0, 2]]
    desk = Support(height_m=height, low=low, high=high)
    floor = Support(height_m=0.0, low=-size[[0, 2]] / 2, high=size[[0, 2]] / 2)
    return Place([*walls, board], camera, [desk, desk, desk, floor], ("small",), float(size[2]))


def open_ground(palette: Palette, rng: Rng) -> Place:
    size = np.array([OUTDOOR_M, OUTDOOR_M, OUTDOOR_M])
    ground = _room(size, palette)[:2]
    camera = _camera([0, rng.uniform(0.6, 2.5), 0], 0.0, np.clip(rng.normal(-5, 7), -35, 15), rng)
    buildings = [_building(palette, rng) for _ in range(int(rng.integers(0, 6)))]
    low, high = np.array([-40.0, 1.0]), np.array([40.0, 70.0])
    kinds = ("outdoor", "outdoor", "large")
    return Place(
        [*ground, *buildings], camera, [Support(height_m=0, low=low, high=high)], kinds, 45.0, outdoor=True
    )


def _building(palette: Palette, rng: Rng) -> Primitive:
    half = np.array([rng.uniform(2, 12), rng.uniform(1.2, 8), rng.uniform(2, 12)])
    side = rng.choice([-1, 1])
    z = rng.uniform(8, 70)
    centre = np.array([side * (half[0] + rng.uniform(1.5, 25)), half[1], z]) if rng.random() < 0.7 else np.array(
        [rng.uniform(-20, 20), half[1], z + 15]
    )  # fmt: skip
    surface = palette.surface(plain=0.15, tile_m=rng.uniform(1.5, 6))
    return Primitive(
        kind="box", centre=centre, half=half, rotation=rotation(rng.normal(0, 10)), surface=surface
    )


PLACES = {"room": (room, 0.5), "table_top": (table_top, 0.3), "open_ground": (open_ground, 0.2)}


def _standing_point(
    place: Place, support: Support, depth: float, u: float
) -> tuple[np.ndarray, float] | None:
    """Point of `support` at this depth in picture column u, and its row v; None when outside the support."""
    camera, turn = place.camera, place.camera.rotation
    across = u * depth * camera.reach
    up = (support.height_m - camera.position[1] - turn[1, 0] * across - turn[1, 2] * depth) / turn[1, 1]
    point = camera.position + turn @ np.array([across, up, depth])
    return (point, up / (depth * camera.reach)) if support.holds(point, 0.05) else None


def _free(place: Place, point: np.ndarray, radius: float) -> bool:
    apart = all(np.hypot(*(point - at)[[0, 2]]) > 0.8 * (radius + r) for at, r in place.taken)
    return apart and np.linalg.norm(point - place.camera.position) > radius + 0.2


def _choose_thing(place: Place, rng: Rng) -> tuple[str, float]:
    kind = place.kinds[int(rng.integers(0, len(place.kinds)))]
    names = [name for name, thing in objects.THINGS.items() if thing.place == kind]
    name = names[int(rng.integers(0, len(names)))]
    return name, log_uniform(rng, *objects.THINGS[name].height_m)


def find_spot(
    place: Place, height_m: float, apparent: tuple[float, float], rng: Rng, tries: int = 12
) -> np.ndarray | None:
    """Where a thing of this height can stand so that it fills a drawn share of the picture's height.

    Input: apparent, range of height in the picture as a share of it. Output: (3,) metres, or None.
    """
    for _ in range(tries):
        support = place.supports[int(rng.integers(0, len(place.supports)))]
        depth = height_m / (2 * place.camera.reach * log_uniform(rng, *apparent))
        if not 0.2 < depth < place.far_m:
            continue
        found = _standing_point(place, support, depth, rng.uniform(-1.05, 1.05))
        if found and -1.3 < found[1] < 0.95 and _free(place, found[0], 0.4 * height_m):
            return found[0]
    return None


def furnish(
    place: Place, count: int, apparent: tuple[float, float], palette: Palette, rng: Rng, *, added: bool
) -> list[Primitive]:
    """Up to `count` things standing in the place; where no spot is found the thing is left out."""
    budget = MAX_ADDED if added else MAX_BACKGROUND - len(place.primitives)
    made: list[Primitive] = []
    for _ in range(count):
        name, height = _choose_thing(place, rng)
        spot = find_spot(place, height, apparent, rng)
        if spot is None:
            continue
        group = objects.build(name, spot, rng.uniform(-180, 180), height, palette, rng, added=added)
        if len(made) + len(group.primitives) <= budget:
            made += group.primitives
            place.taken.append((spot, 0.4 * height))
    return made


def draw_lights(place: Place, rng: Rng) -> list[Light]:
    """The first one casts the softest and strongest light; positions inside the room or a sun."""
    if place.outdoor:
        azimuth, elevation = rng.uniform(0, 2 * np.pi), np.radians(rng.uniform(12, 75))
        away = np.array(
            [np.cos(elevation) * np.cos(azimuth), np.sin(elevation), np.cos(elevation) * np.sin(azimuth)]
        )
        size = log_uniform(rng, 8, 300)
        return [Light(position=away * SUN_M, colour=_light_colour(rng) * 1.2, size_m=size, reference_m=0.0)]
    half = place.primitives[0].half
    return [_lamp(half, rng) for _ in range(int(rng.integers(1, 4)))]


def _lamp(half: np.ndarray, rng: Rng) -> Light:
    at = np.array(
        [
            rng.uniform(-0.85, 0.85) * half[0],
            half[1] * rng.uniform(1.3, 1.92),
            rng.uniform(-0.85, 0.85) * half[2],
        ]
    )
    return Light(
        position=at, colour=_light_colour(rng), size_m=log_uniform(rng, 0.04, 0.6), reference_m=half.max()
    )


def _light_colour(rng: Rng) -> np.ndarray:
    warmth = rng.normal(0, 0.15)
    return np.clip(np.array([1 + warmth, 1.0, 1 - warmth]), 0.3, 2) * rng.uniform(0.5, 1.4)


def moved(camera: Camera, rng: Rng) -> Camera:
    """The camera after a knock: up to 1 % of the width and up to 1 degree."""
    shift_deg = camera.fov_deg * 0.01 * rng.uniform(-1, 1, 2)
    turn = rotation(shift_deg[0], shift_deg[1], rng.uniform(-1, 1))
    position = camera.position + rng.normal(0, 0.002, 3)
    return Camera(position=position, rotation=camera.rotation @ turn, fov_deg=camera.fov_deg)


def draw_place(palette: Palette, rng: Rng) -> Place:
    names = list(PLACES)
    name = rng.choice(names, p=[PLACES[n][1] for n in names])
    place = PLACES[name][0](palette, rng)
    count = int(rng.integers(0, 6)) if name == "table_top" else int(rng.integers(2, 10))
    place.primitives += furnish(place, count, (0.08, 0.9), palette, rng, added=False)
    return place


def finish(place: Place, added: list[Primitive], palette: Palette, rng: Rng, *, disturbed: bool) -> Scene:
    """The scene of a place and what was added to it, with the drift between the two photos."""
    lights = draw_lights(place, rng)
    knocked = disturbed and rng.random() < 0.5
    drift = (
        np.exp(rng.normal(0, 0.12, (len(lights) + 1, 3)) * np.array([1.0, 0.6, 1.0])) if disturbed else None
    )
    calm = drift is None or rng.random() < 0.6
    sky = np.stack([random_colour(rng) * 0.5 + 0.5, random_colour(rng) * 0.5 + np.array([0.1, 0.2, 0.45])])
    return Scene(
        primitives=place.primitives + added,
        camera=place.camera,
        image_camera=moved(place.camera, rng) if knocked else place.camera,
        lights=lights,
        image_gain=np.ones((len(lights) + 1, 3)) if calm else drift,
        ambient=rng.uniform(0.15, 0.6) * _light_colour(rng),
        sky=sky if place.outdoor else None,
        sky_tile=palette.tile(),
    )
