"""Sky and ambient occlusion against values computed by hand."""

import numpy as np
import pytest
import torch

from mdeas.create.scenes.render.light import OCCLUSION_M, openness, sky_colour
from mdeas.create.scenes.render.pack import pack
from mdeas.create.scenes.render.shapes import nearest
from mdeas.create.scenes.render.surface import camera_rays, look
from mdeas.create.scenes.scene import Camera, Primitive, Scene, Surface, rotation
from mdeas.create.scenes.texture import SIDE, TextureBank

SIZE = 48
HORIZON, ZENITH = np.array([0.8, 0.6, 0.4]), np.array([0.1, 0.3, 0.9])

pytestmark = pytest.mark.usefixtures("one_thread")


def bank(level: int) -> TextureBank:
    return TextureBank([np.full((SIDE, SIDE, 3), level, np.uint8)])


def box(centre, half) -> Primitive:
    surface = Surface(tile=0, tile_m=1.0, base=np.full(3, 0.5), contrast=0.0)
    return Primitive(
        kind="box",
        centre=np.array(centre, float),
        half=np.array(half, float),
        rotation=np.eye(3),
        surface=surface,
    )


def scene(*primitives, sky=None, turn=None) -> Scene:
    camera = Camera(
        position=np.array([0.0, 2.0, 0.0]), rotation=np.eye(3) if turn is None else turn, fov_deg=60.0
    )
    return Scene(
        primitives=list(primitives), camera=camera, image_camera=camera, lights=[],
        image_gain=np.ones((1, 3)), ambient=np.ones(3), sky=sky,
    )  # fmt: skip


def open_share(*primitives) -> np.ndarray:
    """Openness (SIZE, SIZE) of a scene that the camera sees from 2 m, looking straight down."""
    one = scene(*primitives, turn=rotation(0, -90))
    with torch.inference_mode():
        packed = pack([one], bank(128), None, "cpu")
        origin, direction = camera_rays([one.camera], SIZE, "cpu")
        t, index = nearest(packed.still, origin, direction)
        pixel = torch.tensor([[2 * one.camera.reach / SIZE]])
        points = look(packed, bank(128), t, index, origin, direction, pixel)
        return openness(packed.still, points, SIZE)[0].reshape(SIZE, SIZE).numpy()


FLOOR = ((0, -0.5, 0), (9, 0.5, 9))


def test_an_empty_floor_is_open_everywhere():
    assert open_share(box(*FLOOR)).min() == 1


def test_the_foot_of_a_wall_sees_half_and_the_far_floor_all():
    # A wall fills the right half of the view; at its foot it hides half of the hemisphere.
    share = open_share(box(*FLOOR), box((5, 2, 0), (5, 2, 9)))
    beside, far = share[4:-4, SIZE // 2 - 2], share[4:-4, 4]
    assert 0.4 <= beside.mean() <= 0.65
    assert far.min() == 1  # 1 m from the wall, which is beyond OCCLUSION_M
    assert OCCLUSION_M < 1


def test_a_crack_between_two_walls_is_darker_than_the_foot_of_one():
    walls = box((5.1, 2, 0), (5, 2, 9)), box((-5.1, 2, 0), (5, 2, 9))
    crack = open_share(box(*FLOOR), *walls)[4:-4, SIZE // 2].mean()
    one = open_share(box(*FLOOR), walls[0])[4:-4, SIZE // 2].mean()
    assert crack < 0.7 * one


def test_the_sky_goes_from_horizon_to_zenith():
    directions = torch.tensor([[1.0, 0, 0], [0, 1.0, 0], [0, 0.5, 0], [3.0, -4.0, 0], [4.0, 3.0, 0]]).T[None]
    black = bank(0)  # no clouds: three quarters of the colour
    colours = sky_colour([scene(sky=np.stack([HORIZON, ZENITH]))], black, directions)[0].T.numpy()
    between = HORIZON + np.sqrt(0.6) * (ZENITH - HORIZON)  # a sine of .6 above the horizon
    expected = 0.75 * np.stack([HORIZON, ZENITH, ZENITH, HORIZON, between])
    np.testing.assert_allclose(colours, expected, atol=1e-5)


def test_clouds_brighten_the_sky():
    up = torch.tensor([[0.3, 1.0, 0.2]]).T[None]
    skies = [scene(sky=np.stack([HORIZON, ZENITH]))]
    clear, white = (sky_colour(skies, bank(level), up)[0, :, 0].numpy() for level in (0, 255))
    np.testing.assert_allclose(white / clear, 1.25 / 0.75, rtol=1e-5)


def test_a_scene_without_sky_is_black_beside_one_with():
    up = torch.tensor([[0.0, 1.0, 0.0]]).T[None].expand(2, -1, -1)
    colours = sky_colour([scene(), scene(sky=np.stack([HORIZON, ZENITH]))], bank(0), up)[..., 0].numpy()
    np.testing.assert_allclose(colours, [np.zeros(3), 0.75 * ZENITH], atol=1e-5)
