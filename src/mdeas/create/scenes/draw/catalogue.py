"""The catalogue of things: furniture, objects, people, cars, each built of a few primitives at true size.

To add a thing: a function (group, palette, rng) that adds its primitives to the group, 1 m tall, standing on
the group's origin; and a row in THINGS.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from mdeas.create.scenes.scene import Group, Palette, Rng, Surface, rotation


@dataclass(frozen=True, kw_only=True)
class Thing:
    """A row of the catalogue."""

    make: Callable[[Group, Palette, Rng], None]
    """Adds the thing's primitives at a height of 1 m."""
    height_m: tuple[float, float]
    """Least and greatest height."""
    kind: Literal["small", "large", "outdoor"]
    """small: on tables and floors. large: on floors. outdoor: under the sky."""


def crate(group: Group, palette: Palette, rng: Rng) -> None:
    w, d = rng.uniform(0.3, 1.6, 2) / 2
    group.add(
        "box",
        (0, 0.5, 0),
        (w, 0.5, d),
        palette.surface(plain=0.25, tile_m=rng.uniform(0.5, 1.5) * group.scale),
    )


def cushion(group: Group, palette: Palette, rng: Rng) -> None:
    w, d = rng.uniform(0.3, 1.2, 2) / 2
    r = rng.uniform(0.1, 0.3) * min(w, d, 0.5)
    group.add("rounded", (0, 0.5, 0), (w - r, 0.5 - r, d - r), palette.surface(), radius=r)


def ball(group: Group, palette: Palette, rng: Rng) -> None:
    w, d = 0.5 * rng.uniform(0.6, 1.4, 2)
    group.add("ellipsoid", (0, 0.5, 0), (w, 0.5, d), palette.surface())


def can(group: Group, palette: Palette, rng: Rng) -> None:
    r = rng.uniform(0.2, 0.6)
    group.add("cylinder", (0, 0.5, 0), (r, 0.5, r), palette.surface(plain=0.25, tile_m=group.scale))


def bottle(group: Group, palette: Palette, rng: Rng) -> None:
    r, body = rng.uniform(0.12, 0.22), rng.uniform(0.5, 0.7)
    look = palette.surface()
    group.add("cylinder", (0, body / 2, 0), (r, body / 2, r), look)
    group.add("ellipsoid", (0, body, 0), (r, 0.15, r), look)
    group.add("cylinder", (0, 0.5 + body / 2, 0), (r * 0.4, 0.5 - body / 2, r * 0.4), palette.surface())


def cup(group: Group, palette: Palette, rng: Rng) -> None:
    look = palette.surface(plain=0.7)
    group.add("cylinder", (0, 0.5, 0), (0.4, 0.5, 0.4), look)
    group.add("cylinder", (0.42, 0.5, 0), (0.25, 0.06, 0.25), look, turn=rotation(0, 90, 0))


def _legs(group: Group, look: Surface, w: float, h: float, d: float, thick: float, kind: str) -> None:
    """Add four legs of height `h` and half width `thick` in a rectangle of half extents `w` x `d`."""
    for sx in (-1, 1):
        for sz in (-1, 1):
            group.add(kind, (sx * (w - thick), h / 2, sz * (d - thick)), (thick, h / 2, thick), look)


def table(group: Group, palette: Palette, rng: Rng) -> None:
    w, d, thick = rng.uniform(0.6, 1.3), rng.uniform(0.4, 0.7), rng.uniform(0.02, 0.05)
    group.add("box", (0, 1 - thick, 0), (w, thick, d), palette.surface())
    _legs(group, palette.surface(plain=0.8), w, 1 - 2 * thick, d, rng.uniform(0.02, 0.06), "box")


def chair(group: Group, palette: Palette, rng: Rng) -> None:
    w, seat = rng.uniform(0.2, 0.28), rng.uniform(0.42, 0.52)
    look = palette.surface()
    group.add("box", (0, seat, 0), (w, 0.03, w), look)
    group.add("box", (0, (1 + seat) / 2, -w), (w, (1 - seat) / 2 * rng.uniform(0.6, 1), 0.025), look)
    _legs(group, palette.surface(plain=0.8), w, seat, w, 0.025, "cylinder")


def sofa(group: Group, palette: Palette, rng: Rng) -> None:
    w = rng.uniform(0.7, 1.4)
    look = palette.surface(plain=0.6)
    group.add("rounded", (0, 0.28, 0), (w, 0.2, 0.45), look, radius=0.06)
    group.add("rounded", (0, 0.62, -0.42), (w, 0.32, 0.08), look, radius=0.06)
    for side in (-1, 1):
        group.add("rounded", (side * w, 0.4, 0), (0.06, 0.28, 0.42), look, radius=0.06)


def shelf(group: Group, palette: Palette, rng: Rng) -> None:
    w, d, boards = rng.uniform(0.25, 0.6), rng.uniform(0.1, 0.2), int(rng.integers(2, 5))
    look = palette.surface(plain=0.7)
    for side in (-1, 1):
        group.add("box", (side * w, 0.5, 0), (0.015, 0.5, d), look)
    group.add("box", (0, 0.5, -d), (w, 0.5, 0.01), look)
    for y in np.linspace(0.02, 0.98, boards):
        group.add("box", (0, y, 0), (w, 0.012, d), look)
    for y in np.linspace(0.02, 0.98, boards)[:-1]:
        h = rng.uniform(0.3, 0.8) * 0.96 / (boards - 1) / 2
        row = rng.uniform(0.2, 0.9) * w
        group.add(
            "box", (rng.uniform(-1, 1) * (w - row), y + h, 0), (row, h, d * 0.7), palette.surface(plain=0.1)
        )


def cabinet(group: Group, palette: Palette, rng: Rng) -> None:
    w, d, doors = rng.uniform(0.2, 0.6), rng.uniform(0.2, 0.35), int(rng.integers(1, 4))
    look = palette.surface(plain=0.6)
    group.add("box", (0, 0.5, 0), (w, 0.5, d), look)
    front = palette.surface(plain=0.6)
    for k in range(doors):
        y = (k + 0.5) / doors
        group.add("box", (0, y, d), (w * 0.92, 0.45 / doors, 0.012), front)
        group.add(
            "rounded", (0, y + 0.2 / doors, d + 0.03), (0.05, 0, 0), palette.surface(plain=1), radius=0.01
        )


def _limb(group: Group, a: ArrayLike, b: ArrayLike, radius: float, look: Surface) -> None:
    """Add a capsule from `a` to `b`, (3,) metres each before scaling."""
    start, end = np.asarray(a, float), np.asarray(b, float)
    length = float(np.linalg.norm(end - start))
    axis = (end - start) / max(length, 1e-6)
    helper = np.array([1.0, 0, 0]) if abs(axis[0]) < 0.9 else np.array([0, 0, 1.0])
    side = np.cross(helper, axis)
    side /= np.linalg.norm(side)
    turn = np.stack([side, axis, np.cross(side, axis)], 1)
    group.add("rounded", (start + end) / 2, (0, length / 2, 0), look, turn=turn, radius=radius)


def person(group: Group, palette: Palette, rng: Rng) -> None:
    skin = palette.surface(plain=1, base=np.array([0.55, 0.33, 0.22]) * rng.uniform(0.25, 1.4), gloss=0.0)
    shirt, trousers = palette.surface(plain=0.5, tile_m=0.5), palette.surface(plain=0.8)
    stride, lift = rng.uniform(0, 0.12), rng.uniform(0.0, 0.35)
    group.add("ellipsoid", (0, 0.92, 0), (0.052, 0.075, 0.062), skin)
    group.add("ellipsoid", (0, 0.945, -0.012), (0.056, 0.06, 0.06), palette.surface(plain=1))
    group.add("rounded", (0, 0.66, 0), (0.08, 0.12, 0.03), shirt, radius=0.045)
    for side in (-1, 1):
        _limb(group, (side * 0.055, 0.5, 0), (side * 0.06, 0.03, side * stride), 0.045, trousers)
        hand = (side * rng.uniform(0.12, 0.25), 0.48 + lift, rng.uniform(-0.05, 0.2))
        _limb(group, (side * 0.125, 0.79, 0), hand, 0.03, shirt)
        group.add("ellipsoid", hand, (0.032, 0.042, 0.032), skin)


def animal(group: Group, palette: Palette, rng: Rng) -> None:
    coat = palette.surface(plain=0.5)
    length, leg = rng.uniform(0.4, 0.7), rng.uniform(0.25, 0.45)
    group.add("ellipsoid", (0, leg + 0.2, 0), (length, 0.2, 0.19), coat)
    group.add("ellipsoid", (length, 0.82, 0), (0.17, 0.17, 0.14), coat)
    for x in (-0.7, 0.7):
        for z in (-0.1, 0.1):
            _limb(group, (x * length, leg + 0.1, z), (x * length, 0.05, z), 0.05, coat)
    _limb(group, (-length, leg + 0.25, 0), (-length - 0.25, leg + rng.uniform(-0.1, 0.5), 0), 0.03, coat)


def lamp(group: Group, palette: Palette, rng: Rng) -> None:
    metal = palette.surface(plain=1)
    group.add("cylinder", (0, 0.02, 0), (0.15, 0.02, 0.15), metal)
    group.add("cylinder", (0, 0.45, 0), (0.015, 0.45, 0.015), metal)
    shade = palette.surface(plain=0.8, emission=rng.choice([0.0, 1.5]))
    group.add("cylinder", (0, 0.87, 0), (rng.uniform(0.1, 0.2), 0.12, rng.uniform(0.1, 0.2)), shade)


def plant(group: Group, palette: Palette, rng: Rng) -> None:
    group.add("cylinder", (0, 0.15, 0), (0.16, 0.15, 0.16), palette.surface(plain=0.7))
    leaf = palette.surface(plain=0.1, base=np.array([0.06, 0.2, 0.04]) * rng.uniform(0.4, 2), tile_m=0.2)
    for _ in range(int(rng.integers(3, 6))):
        at = (rng.uniform(-0.2, 0.2), rng.uniform(0.45, 0.8), rng.uniform(-0.2, 0.2))
        turn = rotation(*rng.uniform(-60, 60, 3))
        group.add("ellipsoid", at, rng.uniform(0.06, 0.25, 3), leaf, turn=turn)


def screen(group: Group, palette: Palette, rng: Rng) -> None:
    shell = palette.surface(plain=1, base=np.full(3, rng.choice([0.02, 0.05, 0.5])))
    picture = palette.surface(plain=0.0, emission=rng.uniform(0.2, 1.2), tile_m=1.5 * group.scale)
    group.add("box", (0, 0.6, 0), (0.7, 0.4, 0.03), shell)
    group.add("box", (0, 0.6, 0.03), (0.67, 0.37, 0.005), picture)
    group.add("box", (0, 0.1, 0), (0.06, 0.1, 0.03), shell)
    group.add("box", (0, 0.015, 0.02), (0.25, 0.015, 0.15), shell)


def laptop(group: Group, palette: Palette, rng: Rng) -> None:
    shell = palette.surface(plain=1)
    group.add("box", (0, 0.04, 0.5), (0.7, 0.04, 0.48), shell)
    group.add("box", (0, 0.09, 0.45), (0.6, 0.012, 0.25), palette.surface(plain=0.2, base=np.full(3, 0.03)))
    lid = rotation(0, rng.uniform(5, 30), 0)
    group.add("box", (0, 0.5, -0.12), (0.7, 0.48, 0.03), palette.surface(plain=0.2, emission=0.4), turn=lid)


def books(group: Group, palette: Palette, rng: Rng) -> None:
    count = int(rng.integers(2, 6))
    for k in range(count):
        size = (rng.uniform(0.5, 0.9), 0.5 / count, rng.uniform(0.4, 0.7))
        turn = rotation(rng.uniform(-25, 25))
        group.add(
            "box",
            (0, (k + 0.5) / count, 0),
            size,
            palette.surface(plain=0.2, tile_m=2 * group.scale),
            turn=turn,
        )


def car(group: Group, palette: Palette, rng: Rng) -> None:
    paint = palette.surface(plain=1, gloss=0.8)
    length = rng.uniform(1.2, 1.6)
    group.add("rounded", (0, 0.42, 0), (length - 0.1, 0.14, 0.52), paint, radius=0.1)
    group.add("rounded", (-0.1, 0.78, 0), (length * 0.45, 0.1, 0.42), paint, radius=0.12)
    dark = palette.surface(plain=1, base=np.full(3, 0.02), gloss=0.6)
    group.add("box", (-0.1, 0.76, 0), (length * 0.45 + 0.05, 0.09, 0.545), dark)
    for x in (-0.65, 0.65):
        for z in (-0.55, 0.55):
            group.add("cylinder", (x * length, 0.22, z), (0.22, 0.08, 0.22), dark, turn=rotation(0, 90, 0))


def tree(group: Group, palette: Palette, rng: Rng) -> None:
    group.add("cylinder", (0, 0.25, 0), (0.04, 0.25, 0.04), palette.surface(base=np.array([0.1, 0.06, 0.03])))
    leaf = palette.surface(plain=0.0, base=np.array([0.05, 0.13, 0.03]) * rng.uniform(0.4, 2), contrast=1.2)
    for _ in range(int(rng.integers(3, 6))):
        at = (rng.uniform(-0.15, 0.15), rng.uniform(0.5, 0.8), rng.uniform(-0.15, 0.15))
        group.add("ellipsoid", at, rng.uniform(0.12, 0.28, 3), leaf)


def post(group: Group, palette: Palette, rng: Rng) -> None:
    r = rng.uniform(0.012, 0.03)
    group.add("cylinder", (0, 0.5, 0), (r, 0.5, r), palette.surface(plain=0.8))
    if rng.random() < 0.5:
        group.add("box", (0, 0.9, r), (0.12, 0.1, 0.01), palette.surface(plain=0.1, tile_m=0.3 * group.scale))


def tool(group: Group, palette: Palette, rng: Rng) -> None:
    """Add long thin rods that lie: pens, cables, handles."""
    for _ in range(int(rng.integers(1, 3))):
        ends = rng.uniform(-1.5, 1.5, (2, 3)) * (1, 0, 1) + (0, 0.3, 0)
        _limb(group, ends[0], ends[1], rng.uniform(0.1, 0.3), palette.surface(plain=0.7))


def blob(group: Group, palette: Palette, rng: Rng) -> None:
    """Add a few overlapping primitives in any pose: an object of no known class."""
    for k in range(int(rng.integers(2, 6))):
        kind = ("box", "ellipsoid", "cylinder", "rounded")[int(rng.integers(0, 4))]
        half = rng.uniform(0.08, 0.35, 3)
        at = rng.uniform(-0.3, 0.3, 3) + np.array([0, 0.5, 0])
        turn = rotation(*rng.uniform(-180, 180, 3)) if k else None
        radius = 0.08 if kind == "rounded" else 0.0
        group.add(kind, at, half, palette.surface(), turn=turn, radius=radius)


THINGS: dict[str, Thing] = {
    "crate": Thing(make=crate, height_m=(0.04, 0.9), kind="small"),
    "cushion": Thing(make=cushion, height_m=(0.04, 0.6), kind="small"),
    "ball": Thing(make=ball, height_m=(0.04, 0.5), kind="small"),
    "can": Thing(make=can, height_m=(0.06, 0.5), kind="small"),
    "bottle": Thing(make=bottle, height_m=(0.12, 0.4), kind="small"),
    "cup": Thing(make=cup, height_m=(0.06, 0.15), kind="small"),
    "screen": Thing(make=screen, height_m=(0.3, 0.9), kind="small"),
    "laptop": Thing(make=laptop, height_m=(0.18, 0.3), kind="small"),
    "books": Thing(make=books, height_m=(0.05, 0.3), kind="small"),
    "tool": Thing(make=tool, height_m=(0.02, 0.12), kind="small"),
    "blob": Thing(make=blob, height_m=(0.06, 0.8), kind="small"),
    "animal": Thing(make=animal, height_m=(0.2, 0.8), kind="large"),
    "table": Thing(make=table, height_m=(0.4, 0.8), kind="large"),
    "chair": Thing(make=chair, height_m=(0.75, 1.1), kind="large"),
    "sofa": Thing(make=sofa, height_m=(0.7, 0.9), kind="large"),
    "shelf": Thing(make=shelf, height_m=(0.8, 2.2), kind="large"),
    "cabinet": Thing(make=cabinet, height_m=(0.5, 2.0), kind="large"),
    "person": Thing(make=person, height_m=(1.0, 1.95), kind="large"),
    "lamp": Thing(make=lamp, height_m=(0.4, 1.8), kind="large"),
    "plant": Thing(make=plant, height_m=(0.3, 1.6), kind="large"),
    "car": Thing(make=car, height_m=(1.35, 1.9), kind="outdoor"),
    "tree": Thing(make=tree, height_m=(2.0, 8.0), kind="outdoor"),
    "post": Thing(make=post, height_m=(0.8, 5.0), kind="outdoor"),
}


def build(
    name: str, base: ArrayLike, yaw_deg: float, height_m: float, palette: Palette, rng: Rng, *, added: bool
) -> Group:
    """Build the thing of that name in THINGS, `height_m` tall, on the point `base`, (3,) metres."""
    group = Group(base=np.asarray(base, float), turn=rotation(yaw_deg), scale=height_m, added=added)
    THINGS[name].make(group, palette, rng)
    return group
