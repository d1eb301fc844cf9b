"""Layout of scenes: where cameras and things stand."""

import numpy as np
import pytest
import torch

from mdeas.create.scenes.draw import layout
from mdeas.create.scenes.draw.boxes import bounds, clear
from mdeas.create.scenes.draw.furniture import AT_WALL, build_at_wall
from mdeas.create.scenes.draw.place import Place, Support
from mdeas.create.scenes.draw.places import PLACES
from mdeas.create.scenes.recipe import ScenesRecipe
from mdeas.create.scenes.render.pack import pack
from mdeas.create.scenes.render.shapes import nearest
from mdeas.create.scenes.render.surface import camera_rays
from mdeas.create.scenes.scene import Camera, Palette, Primitive, Surface, rotation
from mdeas.create.scenes.texture import SIDE, TextureBank
from mdeas.errors import UsageError
from mdeas.metrics.depth import align, delta1

pytestmark = pytest.mark.usefixtures("one_thread")

PLAIN = Surface(tile=0, tile_m=1.0, base=np.full(3, 0.5), contrast=0.0)
FLOOR = Support(height_m=0.0, low=np.full(2, -5.0), high=np.full(2, 5.0))


def block(centre, half, kind="box"):
    centre, half = np.array(centre, float), np.array(half, float)
    return Primitive(kind=kind, centre=centre, half=half, rotation=np.eye(3), surface=PLAIN)


def place(pitch):
    camera = Camera(position=np.array([0, 1.5, 0]), rotation=rotation(30, pitch), fov_deg=60.0)
    return Place([], camera, [FLOOR], ("small",), 8.0)


@pytest.mark.parametrize("pitch", [-88, -50, -10, 0])
def test_spots_are_on_the_floor_and_in_view(pitch):
    rng, there = np.random.default_rng(0), place(pitch)
    spots = [there.draw_spot(0.5, (0.05, 1.2), 0.1, rng) for _ in range(400)]
    found = [spot for spot in spots if spot is not None]
    assert len(found) > 20
    for spot in found:
        u, foot, depth = there.camera.seen(spot)
        assert spot[1] == pytest.approx(0) and abs(u) <= 1.06 and depth > 0.2
        assert foot < 0.95 and foot + 0.5 / (depth * there.camera.reach) > -0.6


@pytest.mark.parametrize("name", PLACES)
def test_everything_has_an_extent(name):
    """A box without extent has no inside, and a ray that hits it hits nothing else."""
    rng = np.random.default_rng(0)
    for _ in range(30):
        made = PLACES[name].draw(Palette(rng, 5, 5), rng)
        assert all((thing.half + thing.radius > 0).all() for thing in made.primitives)


def _heights(there, size, rng):
    spots = [there.draw_spot(size, (0.05, 1), 0.0, rng) for _ in range(200)]
    return {round(float(spot[1]), 6) for spot in spots if spot is not None}


def test_only_small_things_stand_on_furniture():
    there = place(-30)
    there.tops = [Support(height_m=0.8, low=FLOOR.low, high=FLOOR.high)]
    rng = np.random.default_rng(0)
    heights = {size: _heights(there, size, rng) for size in (0.2, 1.0)}
    assert heights == {0.2: {0.0, 0.8}, 1.0: {0.0}}


def test_clear_of_others_and_of_the_camera_but_not_of_the_room():
    there = [block((0, 1, 0), (3, 1, 3), "room"), block((0, 0.5, 0), (0.5, 0.5, 0.5))]
    assert not clear([block((0.6, 0.5, 0), (0.2, 0.5, 0.2))], there)
    beside = [block((0.8, 0.5, 0), (0.2, 0.5, 0.2))]
    assert clear(beside, there)
    assert not clear(beside, there, np.array([1.05, 0.5, 0]))
    assert clear([block((0, 1.2, 0), (0.2, 0.2, 0.2))], there), "it stands on the block"


@pytest.mark.parametrize("name", AT_WALL)
def test_furniture_has_its_back_at_a_wall(name):
    rng = np.random.default_rng(1)
    for _ in range(12):
        low, high = bounds(build_at_wall(FLOOR, name, 1.0, Palette(rng, 5, 5), rng))
        gaps = np.concatenate([low[[0, 2]] + 5, 5 - high[[0, 2]]])
        assert gaps.min() == pytest.approx(0.02) and low[1] == pytest.approx(0, abs=0.03)


@pytest.mark.parametrize("name", PLACES)
def test_the_camera_is_inside_the_room_and_outside_of_things(name):
    rng = np.random.default_rng(2)
    for _ in range(12):
        made = PLACES[name].draw(Palette(rng, 5, 5), rng)
        shell, at = made.primitives[0], made.camera.position
        assert np.all(np.abs(at - shell.centre) < shell.half)
        inside = [np.all(np.abs(p.rotation.T @ (at - p.centre)) < p.half) for p in made.primitives[1:]]
        assert not any(inside)


def _depth(scene, bank):
    with torch.inference_mode():
        packed = pack([scene], bank, None, "cpu")
        t, _ = nearest(packed.still, *camera_rays([scene.camera], 24, "cpu"))
    return t.clamp_max(80).view(24, 24).numpy()


def test_height_in_the_picture_does_not_tell_the_depth():
    """Views without added things and without meshes are the simplest."""
    rng, bank = np.random.default_rng(3), TextureBank([np.full((SIDE, SIDE, 3), 128, np.uint8)])
    found, slopes = [], []
    gradient = np.repeat(np.linspace(0, 1, 24, dtype=np.float32)[:, None], 24, 1)
    for _ in range(80):
        palette = Palette(rng, 1, 1)
        z = _depth(layout.finish(layout.draw_place(palette, rng), [], palette, rng, disturbed=False), bank)
        aligned = align(gradient, 1 / z, z > 0, "affine-disparity")
        found.append(delta1(1 / aligned.ravel(), z.ravel()))
        slopes.append(np.corrcoef(gradient.ravel(), (1 / z).ravel())[0, 1])
    assert 0.4 < np.mean(found) < 0.75
    assert np.mean(np.array(slopes) < 0) > 0.06, "some look up: ceilings are near, too"


def test_only_places_that_were_named_are_drawn():
    rng = np.random.default_rng(4)
    drawn = [layout.draw_place(Palette(rng, 5, 5), rng, kinds=["open_ground"]) for _ in range(8)]
    assert all(there.outdoor for there in drawn)
    assert not any(
        layout.draw_place(Palette(rng, 5, 5), rng, kinds=["hall", "room"]).outdoor for _ in range(8)
    )


def test_an_unknown_place_is_refused_by_name():
    with pytest.raises(UsageError, match=r"\['attic'\]; known are room, "):
        ScenesRecipe(places=("room", "attic"))


@pytest.mark.parametrize("name", ["hall", "opening"])
def test_halls_have_something_close_by_before_a_far_room(name):
    """Plain rooms have a median of 2.4 here, because most of their views show walls."""
    rng, bank = np.random.default_rng(5), TextureBank([np.full((SIDE, SIDE, 3), 128, np.uint8)])
    ratios = []
    for _ in range(40):
        palette = Palette(rng, 1, 1)
        there = layout.draw_place(palette, rng, kinds=[name])
        near, far = np.percentile(
            _depth(layout.finish(there, [], palette, rng, disturbed=False), bank), [5, 95]
        )
        ratios.append(far / near)
    assert np.median(ratios) > 4
