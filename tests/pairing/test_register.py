"""The motion between two photos: found, told apart from none, and applied."""

import cv2
import numpy as np
import pytest
from tiny_pair import HEIGHT, WIDTH, motion, scene, taken, with_thing

from mdeas.pairing import register as registering
from mdeas.pairing.register import (
    align_dense,
    at_full_size,
    move_photo,
    moved_px,
    register,
    scale_and_rotation,
    warp,
)
from mdeas.pairing.structure import small_photo

STILL = np.eye(2, 3)
CORNERS = np.array([[0, 0], [WIDTH - 1, 0], [0, HEIGHT - 1], [WIDTH - 1, HEIGHT - 1]], float)


def small(photo):
    return small_photo(photo, photo.shape[:2], photo.shape[:2])


def shifted(right, down):
    return np.array([[1.0, 0, right], [0, 1, down]])


def applied(matrix, points=CORNERS):
    return points @ matrix[:, :2].T + matrix[:, 2]


def off_px(matrix, expected):
    """How far the corners of the view are from where they should be, at most."""
    return np.hypot(*(applied(matrix) - applied(expected)).T).max()


MOTIONS = [
    {"shift": (7.5, -4.0)},
    {"shift": (-30.0, 12.0)},
    {"rotation_deg": 3.0},
    {"rotation_deg": -2.0, "shift": (5.0, 9.0)},
    {"scale": 1.06, "shift": (-6.0, 2.0)},
    {"scale": 0.95, "rotation_deg": 1.5},
]


class TestRegister:
    @pytest.mark.parametrize("done", MOTIONS)
    def test_a_known_motion_is_found(self, done):
        background, image = taken(**done)
        found = register(small(background), small(image))
        assert off_px(found.matrix, motion(**done)) < 0.5  # the smallest of these motions is 4 px at a corner
        assert found.tiles.mean > 0.5

    @pytest.mark.parametrize("done", MOTIONS[:4])
    def test_the_way_back_is_the_inverse(self, done):
        background, image = taken(**done)
        found = register(small(image), small(background))
        assert off_px(found.matrix, cv2.invertAffineTransform(motion(**done))) < 0.5

    def test_the_light_and_a_foreground_over_half_of_the_view_do_not_matter(self):
        background, image = taken(shift=(6.0, -9.0), gain=(0.6, 0.8, 0.7))
        image[:, :170] = scene(5)[:, :170]
        found = register(small(background), small(image))
        assert off_px(found.matrix, motion((6.0, -9.0))) < 0.7

    @pytest.mark.parametrize(
        "pair",
        [
            (scene(0), scene(1)),
            taken(shift=(0.3 * WIDTH + 5, 0.0)),
            taken(rotation_deg=17.0),
            taken(scale=1.3),
            (
                np.full((HEIGHT, WIDTH, 3), 150, np.uint8),
                with_thing(np.full((HEIGHT, WIDTH, 3), 150, np.uint8)),
            ),
            tuple(
                cv2.resize(photo, (60, 45), interpolation=cv2.INTER_AREA) for photo in taken(shift=(30, 0))
            ),
        ],
        ids=["another scene", "too far", "turned too far", "enlarged too far", "a bare wall", "too small"],
    )
    def test_without_evidence_there_is_no_motion(self, pair):
        found = register(*map(small, pair))
        np.testing.assert_array_equal(found.matrix, STILL)

    @pytest.mark.parametrize("method", ["_track_corners", "_match_keypoints", "align_dense"])
    def test_every_method_finds_a_motion_alone(self, method):
        done = {"shift": (6.0, -4.0), "rotation_deg": 1.0}
        matrix = getattr(registering, method)(*map(small, taken(**done)))
        assert off_px(matrix, motion(**done)) < 0.7


class TestAlignDense:
    """A view without a corner: a soft table edge, below it a darker table."""

    def edge(self, at, axis):
        length = (HEIGHT, WIDTH)[axis]
        levels = 140 + 60 * np.tanh((at - np.arange(length)) / 3)
        photo = levels[:, None] if axis == 0 else levels[None]
        return np.broadcast_to(photo[..., None], (HEIGHT, WIDTH, 3)).astype(np.uint8)

    @pytest.mark.parametrize(("axis", "expected"), [(0, (0, 6)), (1, (6, 0))])
    def test_an_edge_is_followed_across_and_not_along(self, axis, expected):
        matrix = align_dense(*(small(self.edge(at, axis)) for at in (100, 106)))
        np.testing.assert_allclose(matrix[:, 2], expected, atol=0.3)
        assert off_px(matrix, shifted(*expected)) < 0.5

    def test_a_bare_wall_has_no_motion(self):
        wall = small(np.full((HEIGHT, WIDTH, 3), 90, np.uint8))
        assert off_px(align_dense(wall, wall), STILL) < 1e-6


class TestMotions:
    def test_their_size(self):
        assert moved_px(shifted(3, -4), (100, 200)) == pytest.approx(5)
        assert moved_px(STILL, (100, 200)) == 0
        turned = motion(rotation_deg=2.0)
        radius = np.sqrt(
            ((HEIGHT - 1) ** 2 + (WIDTH - 1) ** 2) / 12
        )  # root mean square, over a grid about 1.1 times
        assert 1 < moved_px(turned, (HEIGHT, WIDTH)) / (np.radians(2) * radius) < 1.2

    def test_their_scale_and_rotation(self):
        assert scale_and_rotation(motion(rotation_deg=10, scale=1.1)) == pytest.approx((1.1, 10))
        assert scale_and_rotation(motion(rotation_deg=-3, scale=0.9)) == pytest.approx((0.9, -3))

    def test_at_full_size_the_centres_of_pixels_correspond(self):
        matrix = motion((5.0, -2.0), rotation_deg=7.0, scale=1.1)
        full = at_full_size(matrix, (HEIGHT, WIDTH), (2 * HEIGHT, 3 * WIDTH))
        scale = np.array([3, 2])
        np.testing.assert_allclose(
            applied(full, (CORNERS + 0.5) * scale - 0.5), (applied(matrix) + 0.5) * scale - 0.5
        )

    def test_a_photo_is_moved_and_what_it_does_not_show_is_told(self):
        photo = scene()
        moved, missing = move_photo(photo, shifted(3, -2), (HEIGHT, WIDTH))
        np.testing.assert_array_equal(moved[:-2, 3:], photo[2:, :-3])
        expected = np.ones((HEIGHT, WIDTH), bool)
        expected[:-2, 3:] = False
        np.testing.assert_array_equal(missing, expected)
        _, missing = move_photo(photo, shifted(0.5, 0), (HEIGHT, WIDTH))
        assert missing[:, 0].all() and not missing[:, 1:].any()  # half of a pixel is missing

    def test_an_array_is_moved_unless_it_is_next_to_still(self):
        log = small(scene()).log
        moved, valid = warp(log, shifted(-4, 5), log.shape)
        np.testing.assert_allclose(moved[5:, :-4], log[:-5, 4:], atol=1e-5)
        assert valid[5:, :-4].all() and not valid[:5].any() and not valid[:, -4:].any()
        still, valid = warp(log, shifted(0.2, 0), log.shape)
        assert still is log and valid.all()
