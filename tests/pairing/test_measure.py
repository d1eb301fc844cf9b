"""What differs between two photos, which of them holds the thing, and which of them is softer."""

import cv2
import numpy as np
import pytest
from tiny_pair import HEIGHT, WIDTH, scene, taken, with_thing

from mdeas.pairing.measure import measure, measure_blur_px, measure_difference
from mdeas.pairing.structure import compare_tiles, small_photo

EVERYWHERE = np.ones((HEIGHT, WIDTH), np.float32)


def with_box(photo, rows=slice(40, 100), columns=slice(200, 290)):
    """A plain red box, 60 by 90 pixels: 7 % of the view."""
    image = photo.copy()
    image[rows, columns] = (220, 30, 30)
    return image


class TestDifference:
    def test_its_share_and_its_outline_in_the_image(self):
        found = measure_difference(scene(), with_box(scene()), EVERYWHERE)
        assert 60 * 90 <= found.share * HEIGHT * WIDTH <= 64 * 94  # smoothing adds up to 2 px on every side
        assert found.outline > 0.3
        assert found.level == pytest.approx(40 * found.share, rel=0.15)  # levels count up to 40

    def test_the_outline_of_swapped_photos_is_in_the_background(self):
        there = measure_difference(with_box(scene()), scene(), EVERYWHERE)
        here = measure_difference(scene(), with_box(scene()), EVERYWHERE)
        assert there.outline == pytest.approx(-here.outline) and there.share == here.share

    def test_noise_and_equal_photos_are_no_difference(self):
        photo = scene()
        noise = np.random.default_rng(0).integers(-6, 7, photo.shape)
        noisy = (photo + noise).clip(0, 255).astype(np.uint8)
        assert measure_difference(photo, noisy, EVERYWHERE).share == 0
        equal = measure_difference(photo, photo, EVERYWHERE)
        assert (equal.share, equal.level, equal.outline) == (0, 0, 0)

    def test_what_the_background_does_not_cover_does_not_count(self):
        valid = EVERYWHERE.copy()
        valid[:, 190:] = 0
        assert measure_difference(scene(), with_box(scene()), valid).share == 0
        nowhere = measure_difference(scene(), with_box(scene()), 0 * EVERYWHERE)
        assert (nowhere.share, nowhere.level) == (0, 0)


def blur_px(background, image):
    first, second = (small_photo(photo, photo.shape[:2], photo.shape[:2]) for photo in (background, image))
    return measure_blur_px(
        first.log, second.log, compare_tiles(first.structure, second.structure, EVERYWHERE)
    )


class TestBlur:
    @pytest.mark.parametrize("px", [1.0, 2.0])
    def test_its_sign_is_that_of_the_softer_photo(self, px):
        soft = cv2.GaussianBlur(scene(), (0, 0), px)
        assert blur_px(scene(), soft) == pytest.approx(px, abs=0.6)
        assert blur_px(soft, scene()) == -blur_px(scene(), soft)

    def test_equal_photos_are_as_sharp_and_other_scenes_cannot_be_compared(self):
        assert blur_px(scene(), with_thing(scene())) == 0
        assert blur_px(scene(0), scene(1)) is None


def test_lengths_are_pixels_of_the_photo():
    background, image = taken(shift=(8.0, 5.0))
    size = (3 * HEIGHT, 3 * WIDTH)  # as if these were small copies
    found = measure(*(small_photo(photo, size, (HEIGHT, WIDTH)) for photo in (background, image)))
    np.testing.assert_allclose(found.shift_px, (24, 15), atol=0.9)
    assert found.moved_share == pytest.approx(np.hypot(8, 5) / WIDTH, rel=0.05)
    assert found.scale == pytest.approx(1, abs=0.005) and abs(found.rotation_deg) < 0.15
    assert found.blur_px == 0
    soft = small_photo(cv2.GaussianBlur(background, (0, 0), 1.5), size, (HEIGHT, WIDTH))
    assert measure(small_photo(background, size, (HEIGHT, WIDTH)), soft).blur_px == pytest.approx(
        4.5, abs=1.5
    )
    assert not found.light_is_trusted or np.allclose(found.light.gain, 1, atol=0.02)


def test_light_is_trusted_where_it_makes_the_photos_alike_and_the_difference_is_without_it():
    background, image = taken(gain=(0.6, 0.7, 0.8))
    found = measure(*(small_photo(photo, (HEIGHT, WIDTH), (HEIGHT, WIDTH)) for photo in (background, image)))
    assert found.light_is_trusted
    plain = measure_difference(background, image, EVERYWHERE)
    assert found.difference.share == pytest.approx(np.pi * 40**2 / (HEIGHT * WIDTH), rel=0.1)
    assert found.difference.level < plain.level / 2
