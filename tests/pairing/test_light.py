"""The gain of the light between two photos, per channel, and a background with the image's light."""

import numpy as np
import pytest
from tiny_pair import HEIGHT, WIDTH, scene, taken

from mdeas.pairing.light import fit_light, relight
from mdeas.pairing.structure import compare_tiles, small_photo

GAIN = (0.5, 0.8, 1.3)


def fitted(background, image, valid=None):
    valid = np.ones((HEIGHT, WIDTH), np.float32) if valid is None else valid
    first, second = (small_photo(photo, photo.shape[:2], photo.shape[:2]) for photo in (background, image))
    return fit_light(background, image, valid, compare_tiles(first.structure, second.structure, valid))


class TestFit:
    def test_the_gain_of_every_channel_is_found(self):
        background, image = taken(gain=GAIN)
        found = fitted(background, image)
        np.testing.assert_allclose(found.gain, GAIN, rtol=0.03)
        np.testing.assert_allclose(fitted(image, background).gain, 1 / np.array(GAIN), rtol=0.03)
        assert found.support > 0.8 and found.usable > 0.8

    def test_a_foreground_over_half_of_the_view_does_not_matter(self):
        background, image = taken(gain=GAIN)
        image[:, : WIDTH // 2] = scene(4)[:, : WIDTH // 2]
        found = fitted(background, image)
        np.testing.assert_allclose(found.gain, GAIN, rtol=0.05)
        assert 0.3 < found.support < 0.7

    def test_equal_light_is_no_gain(self):
        np.testing.assert_allclose(fitted(scene(), scene()).gain, 1)

    @pytest.mark.parametrize("level", [3, 250])
    def test_a_dark_or_burnt_out_photo_tells_nothing(self, level):
        for pair in ((scene(), np.full_like(scene(), level)), (np.full_like(scene(), level), scene())):
            found = fitted(*pair)
            np.testing.assert_array_equal(found.gain, 1)
            assert found.support == found.usable == 0

    def test_the_part_that_is_burnt_out_is_left_out(self):
        background, image = taken(gain=GAIN)
        image[: HEIGHT * 2 // 3] = 255
        found = fitted(background, image)
        np.testing.assert_allclose(found.gain, GAIN, rtol=0.05)
        assert 0.2 < found.usable < 0.36

    def test_what_the_background_does_not_cover_is_left_out(self):
        background, image = taken(gain=GAIN)
        background[:, :200] = 100
        valid = np.ones((HEIGHT, WIDTH), np.float32)
        valid[:, :200] = 0
        found = fitted(background, image, valid)
        np.testing.assert_allclose(found.gain, GAIN, rtol=0.05)
        assert found.usable < 0.4 and found.support > 0.6

    def test_no_change_is_believed_until_another_gain_has_clearly_more_votes(self):
        background, image = (np.full_like(scene(), 100) for _ in range(2))
        for share, expected in (
            (0.55, 1.0),
            (0.65, 1.4**2.2),
        ):  # 1.22 and 1.86 times the votes; 1.3 are needed
            image[:, : round(share * WIDTH)] = 140
            np.testing.assert_allclose(fitted(background, image).gain, expected, rtol=1e-3)

    def test_structure_that_agrees_outweighs_a_larger_foreground_of_one_ratio(self):
        background, image = taken(gain=GAIN)
        image[:, :200] = np.rint(background[:, 199::-1] * 0.8)  # a mirror: 5/8 of the view, another structure
        background[:, :200] = background[:, 199::-1].copy()
        background[:, :200, 0] = 255 - background[:, :200, 0]
        np.testing.assert_allclose(fitted(background, image).gain, GAIN, rtol=0.05)

    def test_two_flat_photos_have_the_ratio_of_their_light(self):
        background, image = (np.full_like(scene(), level) for level in ((100, 60, 200), (80, 90, 200)))
        expected = np.divide((80, 90, 200), (100, 60, 200)) ** 2.2
        np.testing.assert_allclose(fitted(background, image).gain, expected, rtol=1e-3)


class TestRelight:
    def test_levels_follow_the_display_curve_channel_by_channel(self):
        background = np.full((2, 3, 3), (100, 100, 200), np.uint8)
        lit = relight(background, np.zeros_like(background), np.array([0.5, 1.0, 2.0]))
        assert lit[1, 2].tolist() == [73, 100, 255]  # 100 · .5^(1/2.2) = 72.97; 200 · 2^(1/2.2) = 274

    def test_a_saturated_level_takes_that_of_the_image_where_that_is_brighter(self):
        background = np.full((1, 4, 3), 255, np.uint8)
        background[0, 3] = 249  # not saturated
        image = np.array([[[250] * 3, [186] * 3, [100] * 3, [250] * 3]], np.uint8)
        darker = relight(background, image, np.array([0.5, 0.5, 1.0]))
        assert darker[0, :, 0].tolist() == darker[0, :, 1].tolist() == [250, 186, 186, 182]
        assert darker[0, :, 2].tolist() == [255, 255, 255, 249]
        brighter = relight(np.full_like(image, 252), np.full_like(image, 255), np.array([1.0, 1.0, 0.999]))
        assert brighter[0, 0].tolist() == [252, 252, 255]
