"""Where things stand, what lights them, and the finished scene."""

from collections.abc import Sequence

import numpy as np

from mdeas.create.scenes import objects
from mdeas.create.scenes.models import Models, touches_no_mesh
from mdeas.create.scenes.places import PLACES, Place
from mdeas.create.scenes.scene import (
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
SUN_M = 1000.0


def _free(place: Place, point: np.ndarray, radius: float) -> bool:
    apart = all(np.hypot(*(point - at)[[0, 2]]) > 0.8 * (radius + r) for at, r in place.taken)
    return apart and bool(np.linalg.norm(point - place.camera.position) > radius + 0.2)


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
        found = place.standing_point(support, depth, rng.uniform(-1.05, 1.05), 0.05)
        if found and -1.3 < found[1] < 0.95 and _free(place, found[0], 0.4 * height_m):
            return found[0]
    return None


def furnish(
    place: Place,
    count: int,
    apparent: tuple[float, float],
    palette: Palette,
    rng: Rng,
    *,
    added: bool,
    models: Models | None = None,
    beside: Sequence[Primitive] = (),
) -> list[Primitive]:
    """Up to `count` things standing in the place; where no spot is found the thing is left out.

    Input: models: meshes that are some of them; beside: what stands there beside the place's primitives.
    """
    budget = MAX_ADDED if added else MAX_BACKGROUND - len(place.primitives)
    made: list[Primitive] = []
    for _ in range(count):
        others = [*place.primitives, *beside, *made]
        if models and rng.random() < models.share:
            made += models.stand(place, apparent, palette, rng, added=added, others=others)[0]
            continue
        name, height = _choose_thing(place, rng)
        spot = find_spot(place, height, apparent, rng)
        if spot is None:
            continue
        group = objects.build(name, spot, rng.uniform(-180, 180), height, palette, rng, added=added)
        if len(made) + len(group.primitives) <= budget and touches_no_mesh(group.primitives, others):
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


def draw_place(palette: Palette, rng: Rng, models: Models | None = None) -> Place:
    """An empty place and what stands in it from the beginning, some of it `models`."""
    names = list(PLACES)
    name = rng.choice(names, p=[PLACES[n][1] for n in names])
    place = PLACES[name][0](palette, rng)
    count = int(rng.integers(0, 6)) if name == "table_top" else int(rng.integers(2, 10))
    place.primitives += furnish(place, count, (0.08, 0.9), palette, rng, added=False, models=models)
    return place


def _light_drift(count: int, rng: Rng) -> np.ndarray:
    """(count, 3) gains of the lights between the two photos; steady in six cases of ten."""
    drift = np.exp(rng.normal(0, 0.12, (count, 3)) * np.array([1.0, 0.6, 1.0]))
    return np.ones((count, 3)) if rng.random() < 0.6 else drift


def finish(place: Place, added: list[Primitive], palette: Palette, rng: Rng, *, disturbed: bool) -> Scene:
    """The scene of a place and what was added to it, with the drift between the two photos."""
    lights = draw_lights(place, rng)
    knocked = disturbed and rng.random() < 0.5
    gain = _light_drift(len(lights) + 1, rng) if disturbed else np.ones((len(lights) + 1, 3))
    sky = np.stack([random_colour(rng) * 0.5 + 0.5, random_colour(rng) * 0.5 + np.array([0.1, 0.2, 0.45])])
    return Scene(
        primitives=place.primitives + added,
        camera=place.camera,
        image_camera=moved(place.camera, rng) if knocked else place.camera,
        lights=lights,
        image_gain=gain,
        ambient=rng.uniform(0.15, 0.6) * _light_colour(rng),
        sky=sky if place.outdoor else None,
        sky_tile=palette.tile(),
    )
