"""Cut-outs in the subject's own colours: of photos of any size, and in another light."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mdeas.subject import colours, fill
from mdeas.subject.colours import backdrop, decontaminate, estimate, in_own_colours

SIZE = 40
SUBJECT = np.float32([200, 60, 20])


def soft_disc(radius=10.0, soft=6.0, size=SIZE):
    """float32 (size, size): 1 inside, falling to 0 over `soft` pixels."""
    y, x = np.mgrid[:size, :size] - np.float32(size / 2)
    return ((radius - np.hypot(x, y)) / soft + 0.5).clip(0, 1).astype(np.float32)


def over(colours, background, alpha):
    return alpha[..., None] * colours + (1 - alpha[..., None]) * background


def noise(seed, low=0, high=255, size=SIZE):
    return np.random.default_rng(seed).integers(low, high, (size, size, 3)).astype(np.uint8)


def cut(image, alpha, background):
    """The colours of the decontaminated cut-out: float32 (H, W, 3)."""
    rgba = np.dstack([np.rint(image), np.rint(alpha * 255)]).astype(np.uint8)
    decontaminate(rgba, background)
    np.testing.assert_array_equal(rgba[..., 3], np.rint(alpha * 255))
    return rgba[..., :3].astype(np.float32)


def test_the_old_backdrop_is_taken_out_of_soft_edges():
    alpha, old = soft_disc(), noise(0)
    image = over(SUBJECT, old, alpha)
    found, new = cut(image, alpha, old), np.float32([255, 0, 255])
    halo = np.abs(over(found, new, alpha) - over(SUBJECT, new, alpha)).max()
    assert halo < 3 and np.abs(over(image, new, alpha) - over(SUBJECT, new, alpha)).max() > 20


def test_solid_pixels_are_the_images_own():
    alpha, image = soft_disc(), noise(1)
    np.testing.assert_array_equal(cut(image, alpha, noise(2))[alpha == 1], image[alpha == 1])


def test_colours_go_on_where_nothing_is():
    alpha, old = soft_disc(), noise(0)
    assert np.abs(cut(over(SUBJECT, old, alpha), alpha, old) - SUBJECT)[alpha == 0].max() < 10


def test_noise_of_faint_pixels_is_not_enlarged():
    alpha, old = soft_disc(), np.full((SIZE, SIZE, 3), 100, np.uint8)
    image = over(np.float32(180), old, alpha) + noise(1, 0, 17) - 8.0
    faint = (alpha > 0) & (alpha < 0.2)
    assert np.abs(cut(image, alpha, old) - 180)[faint].max() < 40


def test_another_exposure_of_the_background_leaves_no_rim():
    alpha, old = soft_disc(30, 8, 128), noise(0, 80, 120, 128)
    darker = np.rint(old * 0.85).astype(np.uint8)
    image = over(SUBJECT, old, alpha)
    rim = (alpha > 0.02) & (alpha < 0.98)
    error = alpha[..., None] * np.abs(cut(image, alpha, darker) - SUBJECT)
    assert error[rim].mean() < 3 < (alpha[..., None] * np.abs(image - SUBJECT))[rim].mean()


def test_what_is_behind_is_seen_in_the_images_light():
    alpha, old = soft_disc(30, 8, 128), noise(0, 80, 120, 128)
    image = over(SUBJECT, old * 0.5, alpha)
    rgba = np.dstack([np.rint(image), np.rint(alpha * 255)]).astype(np.uint8)
    behind = backdrop(rgba, old, estimate(rgba, old).drift, slice(None))
    assert np.abs(behind - old * 0.5).mean() < 12 < np.abs(behind - old).mean()


def test_nothing_cut_out_is_left_as_it_is():
    image = noise(3)
    np.testing.assert_array_equal(cut(image, np.zeros((SIZE, SIZE)), noise(4)), image)


def test_strips_and_small_fields_give_the_same(monkeypatch):
    alpha, old = soft_disc(60, 12, 200), noise(0, size=200)
    image = over(SUBJECT, old, alpha)
    whole = cut(image, alpha, old)
    monkeypatch.setattr(fill, "_STRIP_ROWS", 7)
    monkeypatch.setattr(colours, "_SUBJECT_SIZE", 60)
    monkeypatch.setattr(colours, "_DRIFT_SIZE", 30)
    seen = alpha > 0.1
    assert np.abs(cut(image, alpha, old) - whole)[seen].max() < 8


def test_a_smaller_background_serves_a_large_photo():
    y, x = np.mgrid[:100, :160].astype(np.float32)
    old = np.dstack([y, x, y + x / 2])
    alpha = soft_disc(30, 10, 160)[30:130]
    small = np.rint(old.reshape(50, 2, 80, 2, 3).mean((1, 3))).astype(np.uint8)
    found = cut(over(SUBJECT, old, alpha), alpha, small)
    assert np.abs(found - SUBJECT)[alpha > 0.2].max() < 6


def test_a_photo_larger_than_its_fields_is_as_clean():
    alpha, old = soft_disc(250, 20, 1301), noise(0, size=1301)
    found = cut(over(SUBJECT, old, alpha), alpha, old)
    soft = (alpha > 0) & (alpha < 1)
    assert (alpha[..., None] * np.abs(found - SUBJECT))[soft].mean() < 1.5
    assert np.abs(found - SUBJECT)[alpha == 0].mean() < 10


def test_rows_far_from_the_subject_repeat_and_keep_their_alpha():
    alpha, haze = soft_disc(), np.float32(3 / 255)
    alpha[2, 5] = alpha[37, 30] = haze
    found = cut(over(SUBJECT, noise(0), alpha), alpha, noise(0))
    for rows in (found[:6], found[-6:]):
        assert (rows == rows[0]).all() and np.abs(rows - SUBJECT).max() < 10


def test_a_mask_that_is_hardly_there_leaves_the_photo():
    image = noise(3)
    np.testing.assert_array_equal(cut(image, np.full((SIZE, SIZE), 5 / 255), noise(4)), image)


def test_a_hard_mask_has_solid_pixels_and_what_goes_on_from_them():
    alpha = (soft_disc() > 0.5).astype(np.float32)
    image = over(SUBJECT, noise(1), alpha)
    found = cut(image, alpha, noise(2))
    np.testing.assert_array_equal(found[alpha == 1], image[alpha == 1])
    assert np.abs(found - SUBJECT)[alpha == 0].max() < 10


@pytest.mark.parametrize("rows, columns", [((0, 40), (0, 40)), ((11, 30), (5, 22)), ((39, 40), (0, 1))])
def test_a_part_in_own_colours_is_that_of_the_whole(rows, columns):
    alpha, old = soft_disc(), noise(0)
    rgba = np.dstack([np.rint(over(SUBJECT, old, alpha)), np.rint(alpha * 255)]).astype(np.uint8)
    window, colours, before = (slice(*rows), slice(*columns)), estimate(rgba, old), rgba.copy()
    found = in_own_colours(rgba, old, colours, *window)
    np.testing.assert_array_equal(found, in_own_colours(rgba, old, colours, slice(None))[window])
    np.testing.assert_array_equal(rgba, before)


@settings(deadline=None, max_examples=50)
@given(
    alpha=arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9))),
    seed=st.integers(0, 9),
)
def test_any_alpha_gives_colours(alpha, seed):
    rng = np.random.default_rng(seed)
    rgba = rng.integers(0, 256, (*alpha.shape, 4), np.uint8)
    rgba[..., 3] = alpha
    before = rgba.copy()
    decontaminate(rgba, rng.integers(0, 256, (*alpha.shape, 3), np.uint8))
    np.testing.assert_array_equal(rgba[alpha == 255], before[alpha == 255])
    np.testing.assert_array_equal(rgba[..., 3], alpha)


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (5, 4)])
def test_filled_with_nothing_known_is_0(size):
    assert not fill.filled(np.zeros((2, *size), np.float32), np.zeros(size, np.float32)).any()


def test_filled_keeps_what_is_known_and_spreads_it():
    value, weight = np.zeros((16, 16), np.float32), np.zeros((16, 16), np.float32)
    value[:, :4], weight[:, :4] = 3, 1
    value[:, 12:], weight[:, 12:] = 7, 1
    found = fill.filled_plane(value, weight)
    np.testing.assert_allclose(found[:, [0, 15]], [[3, 7]] * 16, atol=1e-3)
    assert 3 < found[8, 7] < 7 and found[8, 5] < found[8, 10]


@pytest.mark.parametrize("rows, columns", [((0, 9), (0, 12)), ((3, 7), (5, 6)), ((8, 9), (0, 1))])
def test_a_part_is_that_of_the_whole(rows, columns):
    small = np.arange(12, dtype=np.float32).reshape(3, 4) ** 2
    whole = fill.part(small, (9, 12), slice(None))
    np.testing.assert_allclose(
        fill.part(small, (9, 12), slice(*rows), slice(*columns)),
        whole[slice(*rows), slice(*columns)],
        atol=1e-3,
    )
    assert whole.shape == (9, 12) and whole[4, 1] == pytest.approx(16) and whole[0, 0] == 0
