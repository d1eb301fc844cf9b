import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mdeas.images.resize import resize
from mdeas.metrics.mask import boundary_f, iou, mad
from mdeas.runtime import refine
from mdeas.runtime.spec import restore

AREA = 3  # cv2.INTER_AREA


def disc(height, width, radius):
    y, x = np.mgrid[:height, :width]
    return (np.hypot(y - height / 2, x - width / 2) < radius).astype(np.float32)


def pair(alpha, colour, noise, rng):
    """A grey wall without and with something of `colour` on it: uint8 (H, W, 3) each."""
    wall = np.full((*alpha.shape, 3), 120.0)
    lit = np.where(alpha[..., None] > 0, np.float64(colour), wall)
    return [(one + rng.normal(0, noise, one.shape)).clip(0, 255).astype(np.uint8) for one in (wall, lit)]


def working(alpha, zoom):
    """What a network would say of it at 1/zoom of the size: float32, soft."""
    height, width = alpha.shape
    small = resize(alpha, height // zoom, width // zoom, enlarge=AREA)
    return resize(resize(small, 7, 10, enlarge=AREA), *small.shape, enlarge=1)


def cleaned(mask):
    """Without the haze that a sigmoid leaves: up to 2 % is 0, from 98 % on 1."""
    return ((mask - 0.02) / 0.96).clip(0, 1)


@pytest.mark.parametrize(("colour", "rest"), [((200, 60, 40), 0.5), ((135, 110, 150), 0.8)])
def test_the_edge_comes_to_lie_where_the_photo_has_it(colour, rest):
    rng = np.random.default_rng(0)
    alpha = disc(336, 480, 120)
    background, image = pair(alpha, colour, 3, rng)
    mask = working(alpha, 8)
    plain = restore(mask, *alpha.shape)
    refined = refine.restored(mask, mask, background, image).mask
    assert iou(plain, alpha) < 0.95 < 0.98 < iou(refined, alpha)
    assert boundary_f(refined, alpha, 0.004) > 0.95 > boundary_f(plain, alpha, 0.004)
    assert mad(refined, alpha) < rest * mad(plain, alpha)


def test_depth_steps_where_the_mask_does():
    alpha = disc(336, 480, 120)
    background, image = pair(alpha, (200, 60, 40), 2, np.random.default_rng(0))
    mask = working(alpha, 8)
    depth = 1 + mask
    found = refine.restored(mask, depth, background, image).depth
    truth = 1 + alpha
    assert np.abs(found - truth).mean() < np.abs(restore(depth, *alpha.shape) - truth).mean() / 2
    assert found.min() >= depth.min() - 1e-5 and found.max() <= depth.max() + 1e-5


def test_without_contrast_it_is_plain_enlarging():
    alpha = disc(336, 480, 120)
    grey = np.full((*alpha.shape, 3), 90, np.uint8)
    mask = working(alpha, 8)
    found = refine.restored(mask, mask, grey, grey).mask
    np.testing.assert_allclose(found, cleaned(restore(mask, *alpha.shape)), atol=1e-5)


def test_nothing_is_found_that_the_network_did_not():
    background, image = pair(disc(336, 480, 120), (200, 60, 40), 3, np.random.default_rng(0))
    depth = np.random.default_rng(1).random((42, 60), np.float32)
    empty = refine.restored(np.zeros((42, 60), np.float32), depth, background, image)
    assert not empty.mask.any()
    np.testing.assert_allclose(empty.depth, restore(depth, 336, 480), atol=1e-5)
    full = refine.restored(np.ones((42, 60), np.float32), depth, background, image)
    assert (full.mask == 1).all()


def test_a_photo_smaller_than_the_working_size_is_not_refined():
    background, image = pair(disc(20, 30, 7), (200, 60, 40), 3, np.random.default_rng(0))
    mask = np.random.default_rng(1).random((40, 60), np.float32)
    found = refine.restored(mask, mask, background, image)
    np.testing.assert_allclose(found.mask, cleaned(restore(mask, 20, 30)), atol=1e-6)
    np.testing.assert_array_equal(found.depth, restore(mask, 20, 30))


@pytest.mark.parametrize("size", [(4, 4), (40, 40)])
def test_no_haze_and_what_half_is_stays_half(size):
    photo = np.full((*size, 3), 90, np.uint8)
    for level, expected in ((0.0, 0), (0.019, 0), (0.02, 0), (0.26, 0.25), (0.5, 0.5), (0.98, 1), (0.99, 1)):
        mask = np.full((4, 4), level, np.float32)
        found = refine.restored(mask, mask, photo, photo)
        np.testing.assert_allclose(found.mask, expected, atol=1e-6)
        np.testing.assert_allclose(found.depth, level, atol=1e-6)  # the network's own output is not touched


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 90), st.integers(1, 90), st.integers(1, 12), st.integers(1, 12))
def test_any_size_any_mask(seed, height, width, h, w):
    rng = np.random.default_rng(seed)
    background, image = rng.integers(0, 256, (2, height, width, 3), np.uint8)
    mask, depth = rng.choice(np.float32([0, 0.3, 0.7, 1]), (2, h, w))
    found = refine.restored(mask, depth, background, image)
    for output in (found.mask, found.depth):
        assert output.shape == (height, width) and output.dtype == np.float32
        assert np.isfinite(output).all() and output.min() >= -1e-5 and output.max() <= 1 + 1e-5


@pytest.mark.parametrize("strip", [300, 4000])
def test_strips_do_not_show(monkeypatch, strip):
    alpha = disc(336, 480, 120)
    background, image = pair(alpha, (160, 110, 100), 6, np.random.default_rng(0))
    mask = working(alpha, 8)
    whole = refine.restored(mask, mask, background, image).mask
    monkeypatch.setattr(refine, "_STRIP_PIXELS", strip)
    np.testing.assert_allclose(refine.restored(mask, mask, background, image).mask, whole, atol=2e-3)
