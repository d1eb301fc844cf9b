"""Nuisances: what each does by hand-computed figures, and that a pair gets shared and own parts."""

import cv2
import numpy as np
import pytest

from mdeas.images.camera_faults import CLEAN_SHARE, Nuisance, apply, combine, draw, draw_pair


def flat(value: int, size: int = 32) -> np.ndarray:
    return np.full((size, size, 3), value, np.uint8)


def put(photo: np.ndarray, **fields) -> np.ndarray:
    return apply(photo, Nuisance(**fields), np.random.default_rng(0))


def test_default_returns_an_equal_copy():
    photo = np.random.default_rng(0).integers(0, 256, (7, 5, 3)).astype(np.uint8)
    out = put(photo)
    assert np.array_equal(out, photo) and not np.shares_memory(out, photo)


@pytest.mark.parametrize(
    ("fields", "value", "expected"),
    [
        ({"exposure": 2.0}, 100, [137, 137, 137]),  # 100 * 2 ** (1 / 2.2) = 137.03
        ({"exposure": 0.5}, 100, [73, 73, 73]),
        ({"exposure": 2.0}, 230, [255, 255, 255]),  # a sensor saturates, it does not wrap
        ({"white_balance": (2.0, 1.0, 0.5)}, 100, [137, 100, 73]),  # red is the first channel
        ({"gamma": 2.0}, 128, [64, 64, 64]),
    ],
)
def test_gains_act_on_the_light(fields, value, expected):
    assert put(flat(value), **fields)[3, 4].tolist() == expected


def test_vignette_darkens_corners_only():
    out = put(flat(200, 201), vignette=0.5)
    assert out[100, 100, 0] == 200
    assert abs(out[0, 0, 0] - 200 * 0.5 ** (1 / 2.2)) < 2  # half a pixel short of the very corner
    assert abs(out[0, 100, 0] - 200 * 0.75 ** (1 / 2.2)) < 1  # the middle of a border lies half as far out


def test_noise_has_its_deviation_at_mid_grey_and_more_in_the_dark():
    def deviation(value):
        return float(put(flat(value, 200), noise_sigma=0.02).std()) / 255

    assert deviation(128) == pytest.approx(0.02, rel=0.03)
    assert deviation(40) > 1.2 * deviation(128)


def test_noise_of_the_two_photos_is_independent():
    rng = np.random.default_rng(1)
    one, two = (apply(flat(128, 64), Nuisance(noise_sigma=0.05), rng).astype(float) for _ in range(2))
    assert abs(np.corrcoef(one.ravel(), two.ravel())[0, 1]) < 0.05


def test_blur_spreads_an_edge_and_jpeg_keeps_colours():
    edge = flat(0)
    edge[:, 16:] = 255
    assert 0 < put(edge, blur_sigma=1.0)[5, 15, 0] < 255
    red = np.full((16, 16, 3), (200, 40, 20), np.uint8)
    out = put(red, jpeg_quality=90)
    assert np.abs(out.astype(int) - red).max() <= 4


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (13, 7)])
def test_any_shape(shape):
    every = Nuisance(exposure=1.1, noise_sigma=0.01, blur_sigma=1, jpeg_quality=50, vignette=0.3)
    out = apply(np.full((*shape, 3), 90, np.uint8), every, np.random.default_rng(0))
    assert out.shape == (*shape, 3) and out.dtype == np.uint8


def test_the_same_generator_state_gives_the_same_bytes():
    photo = cv2.resize(np.arange(27, dtype=np.uint8).reshape(3, 3, 3) * 9, (40, 30))
    outs = []
    for _ in range(2):
        rng = np.random.default_rng([3, 14])
        outs.append(apply(photo, draw(rng), rng))
    assert np.array_equal(*outs)


def test_combine_multiplies_gains_and_adds_variances():
    a = Nuisance(exposure=1.5, white_balance=(1.0, 2.0, 1.0), noise_sigma=0.03, jpeg_quality=80, vignette=0.5)
    b = Nuisance(exposure=1.2, white_balance=(0.5, 1.0, 1.0), noise_sigma=0.04, blur_sigma=1.0)
    both = combine(a, b)
    assert both.exposure == pytest.approx(1.8)
    assert both.white_balance == (0.5, 2.0, 1.0)
    assert both.noise_sigma == pytest.approx(0.05)
    assert (both.blur_sigma, both.jpeg_quality, both.vignette) == (1.0, 80, 0.5)
    assert combine(Nuisance(), a) == a


def test_strength_zero_is_clean():
    assert draw(np.random.default_rng(5), 0.0) == Nuisance()


def test_shares_of_the_drawn_pairs():
    rng = np.random.default_rng(7)
    pairs = [draw_pair(rng) for _ in range(4000)]
    clean = np.mean([a == b == Nuisance() for a, b in pairs])
    jpeg = np.mean([b.jpeg_quality > 0 for a, b in pairs])
    stops = np.log2([b.exposure / a.exposure for a, b in pairs])
    assert clean == pytest.approx(CLEAN_SHARE, abs=0.02)
    assert 0.3 < jpeg < 0.5
    assert 0.08 < np.mean(np.abs(stops) > 0.5) < 0.16
    assert all(0.5 <= n.exposure <= 2 for pair in pairs for n in pair)


def test_own_parts_are_smaller_than_the_shared_part():
    rng = np.random.default_rng(8)
    logs = np.log([[a.gamma, b.gamma] for a, b in (draw_pair(rng) for _ in range(3000))])
    own, shared = (logs[:, 0] - logs[:, 1]).std(), logs.mean(axis=1).std()
    assert 0.1 < own / shared < 1.0
