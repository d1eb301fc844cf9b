"""Lay out a scene: choose a place, furnish it, add new things, light it."""

from collections.abc import Sequence

import numpy as np

from mdeas.create.scenes.draw import boxes, catalogue
from mdeas.create.scenes.draw.mesh_things import Models
from mdeas.create.scenes.draw.place import Place
from mdeas.create.scenes.draw.places import PLACES
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

MAX_BACKGROUND = 64
"""Greatest number of primitives in the background."""
MAX_ADDED = 24
"""Greatest number of primitives of the added things."""
APPARENT = (0.08, 1.3)
"""Range of the size of things in the background, as a share of the picture's height; the border cuts some."""
SUN_M = 1000.0
"""Distance of the sun from the origin."""
_TRIES = 16  # spots tried for one thing


def _choose_thing(place: Place, rng: Rng) -> tuple[str, float]:
    """Draw the name of a thing that belongs in the place, and its height in metres."""
    kind = place.kinds[int(rng.integers(0, len(place.kinds)))]
    names = [name for name, thing in catalogue.THINGS.items() if thing.kind == kind]
    name = names[int(rng.integers(0, len(names)))]
    return name, log_uniform(rng, *catalogue.THINGS[name].height_m)


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
    """Draw up to `count` things that stand in the place; one that finds no room is left out.

    Input: apparent: range of their size as a share of the picture's height; added: see Primitive.added;
        models: meshes to draw some of the things from; beside: primitives that they must not touch, in
        addition to the place's own.
    """
    budget = MAX_ADDED if added else MAX_BACKGROUND - len(place.primitives)
    made: list[Primitive] = []
    for _ in range(count):
        others = [*place.primitives, *beside, *made]
        if models and rng.random() < models.share:
            made += models.stand(place, apparent, palette, rng, added=added, others=others)[0]
            continue
        name, height = _choose_thing(place, rng)
        new = _stand(place, name, height, apparent, palette, rng, added=added, others=others)
        if len(made) + len(new) <= budget:
            made += new
    return made


def _stand(
    place: Place,
    name: str,
    height_m: float,
    apparent: tuple[float, float],
    palette: Palette,
    rng: Rng,
    *,
    added: bool,
    others: list[Primitive],
) -> list[Primitive]:
    """Build the named thing at a spot where it touches nothing; [] when no spot is found."""
    for _ in range(_TRIES):
        spot = place.draw_spot(height_m, apparent, 0.05, rng)
        if spot is None:
            continue
        group = catalogue.build(name, spot, rng.uniform(-180, 180), height_m, palette, rng, added=added)
        if boxes.clear(group.primitives, others, place.camera.position):
            return group.primitives
    return []


def draw_lights(place: Place, rng: Rng) -> list[Light]:
    """Draw one to three lamps in the room, or a sun outdoors. The first one casts the shadows."""
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
    """Draw a lamp in the upper part of a room of half extents `half`, (3,) metres."""
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
    """Return the camera after a knock: turned by up to 1 % of its field of view, rolled by up to 1 degree."""
    shift_deg = camera.fov_deg * 0.01 * rng.uniform(-1, 1, 2)
    turn = rotation(shift_deg[0], shift_deg[1], rng.uniform(-1, 1))
    position = camera.position + rng.normal(0, 0.002, 3)
    return Camera(position=position, rotation=camera.rotation @ turn, fov_deg=camera.fov_deg)


def draw_place(palette: Palette, rng: Rng, models: Models | None = None, kinds: Sequence[str] = ()) -> Place:
    """Draw a place with its furniture and things, some of them from `models`.

    Input: kinds: keys of PLACES to draw from by their weights, () = all.
    """
    names = list(kinds or PLACES)
    weights = np.array([PLACES[name].weight for name in names])
    kind = PLACES[rng.choice(names, p=weights / weights.sum())]
    place = kind.draw(palette, rng)
    fewest, most = kind.num_things
    count = int(rng.integers(fewest, most + 1))
    place.primitives += furnish(place, count, APPARENT, palette, rng, added=False, models=models)
    return place


def _light_drift(count: int, rng: Rng) -> np.ndarray:
    """Draw RGB gains, (count, 3), of the lights between the two photos; in six of ten cases all are 1."""
    drift = np.exp(rng.normal(0, 0.12, (count, 3)) * np.array([1.0, 0.6, 1.0]))
    return np.ones((count, 3)) if rng.random() < 0.6 else drift


def finish(place: Place, added: list[Primitive], palette: Palette, rng: Rng, *, disturbed: bool) -> Scene:
    """Join the place and the added things to a scene with lights.

    Input: disturbed: camera and light may change between the two photos.
    """
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
