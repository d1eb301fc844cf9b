"""Every disturbance of the robustness card against values computed by hand."""

from dataclasses import replace

import numpy as np
import pytest
import tiny_data

from mdeas.evaluate.robustness import disturbances
from mdeas.evaluate.robustness.disturbances import DISTURBANCES
from mdeas.images.codec import decode_rgb, encode_jpeg
from mdeas.sample import Sample

CHANGED = {
    "shift": {"background"},
    "rotation": {"background"},
    "exposure": {"background"},
    "white balance": {"background"},
    "noise": {"background", "image"},
    "JPEG": {"background", "image"},
    "shadow": {"image"},
    "low contrast": {"image"},
}


def rng(place=0):
    return np.random.default_rng(place)


def plain(background: int, image: int, mask: np.ndarray) -> Sample:
    """A pair of even grey photos."""
    photos = {
        name: np.full((*mask.shape, 3), value, np.uint8)
        for name, value in (("background", background), ("image", image))
    }
    return Sample(**photos, mask=mask.astype(np.float32), depth=None, depth_kind="none")


def changed(before: Sample, after: Sample) -> set[str]:
    return {
        name
        for name in ("background", "image", "mask", "depth")
        if not np.array_equal(getattr(before, name), getattr(after, name))
    }


def test_all_are_known():
    assert DISTURBANCES.keys() == CHANGED.keys()


@pytest.mark.parametrize("name", CHANGED)
def test_the_truth_is_left_alone(name):
    disturbance = DISTURBANCES[name]
    sample = tiny_data.sample(3)
    assert disturbance.disturbed(sample, disturbance.none, 7) is sample
    for level in set(disturbance.levels) - {disturbance.none}:
        seen = disturbance.disturbed(sample, level, 7)
        assert changed(sample, seen) == CHANGED[name]
        assert all(photo.dtype == np.uint8 for photo in (seen.background, seen.image))
        assert not changed(seen, disturbance.disturbed(sample, level, 7))


def test_labels():
    assert DISTURBANCES["exposure"].labels == ("0.5", "0.71", "none", "1.41", "2")
    for disturbance in DISTURBANCES.values():
        assert disturbance.labels.count("none") == 1 and len(set(disturbance.labels)) >= 5


def test_shift_is_a_roll():
    sample = tiny_data.sample(0, 56, 48)  # 56 on the long side: 8 pixels of 224 are 2 of these
    rolls = {(2, 0), (-2, 0), (0, 2), (0, -2)}
    inside = (slice(2, -2), slice(2, -2))
    seen = set()
    for place in range(20):
        moved = DISTURBANCES["shift"].disturbed(sample, 8, place).background[inside]
        fits = {r for r in rolls if np.array_equal(np.roll(sample.background, r, (0, 1))[inside], moved)}
        assert len(fits) == 1
        seen |= fits
    assert seen == rolls


def test_levels_of_one_pair_go_the_same_way():
    sample = tiny_data.sample(0, 56, 48)
    one, three = (DISTURBANCES["shift"].disturbed(sample, level, 3).background for level in (4, 12))
    roll = next(
        r
        for r in ((1, 0), (-1, 0), (0, 1), (0, -1))
        if np.array_equal(np.roll(sample.background, r, (0, 1))[3:-3, 3:-3], one[3:-3, 3:-3])
    )
    far = np.roll(sample.background, (3 * roll[0], 3 * roll[1]), (0, 1))
    assert np.array_equal(far[3:-3, 3:-3], three[3:-3, 3:-3])


def test_rotation_is_about_the_centre_in_degrees():
    sample = tiny_data.sample(0, 40, 40)
    turned = [disturbances.rotation(sample, 90, rng(place)).background for place in range(8)]
    quarters = [np.rot90(sample.background, k) for k in (1, -1)]
    which = [[np.array_equal(quarter, one) for quarter in quarters] for one in turned]
    assert [True, False] in which and [False, True] in which and [False, False] not in which


def test_exposure_is_a_gain_of_the_light():
    sample = plain(100, 100, np.zeros((8, 8)))
    lighter = disturbances.exposure(sample, 2, rng()).background
    assert np.unique(lighter) == 137  # 100 × 2 ** (1 / 2.2) = 137.04
    assert np.unique(disturbances.exposure(sample, 0.5, rng()).background) == 73
    assert np.unique(disturbances.exposure(plain(200, 0, np.zeros((8, 8))), 2, rng()).background) == 255


def test_white_balance_turns_red_against_blue():
    sample = plain(100, 100, np.zeros((8, 8)))
    tints = {
        tuple(disturbances.white_balance(sample, 1.5, rng(place)).background[0, 0].tolist())
        for place in range(8)
    }
    assert tints == {(120, 100, 83), (83, 100, 120)}  # 100 × 1.5 ** (± 1 / 2.2) = 120.24, 83.17


def test_noise_differs_in_the_photos_and_keeps_its_pattern():
    sample = plain(128, 128, np.zeros((64, 64)))
    weak, strong = (disturbances.noise(sample, level, rng(5)) for level in (2, 4))
    deviations = [photo.astype(float) - 128 for photo in (strong.background, strong.image)]
    assert [np.std(d) for d in deviations] == pytest.approx([10.2, 10.2], rel=0.05)  # .04 × 255
    assert abs(np.corrcoef(deviations[0].ravel(), deviations[1].ravel())[0, 1]) < 0.05
    assert np.allclose((weak.image.astype(float) - 128) * 2, deviations[1], atol=2)


def test_jpeg_is_a_file_of_that_quality():
    sample = tiny_data.sample(0)
    seen = disturbances.jpeg(sample, 30, rng())
    for name in ("background", "image"):
        file = encode_jpeg(getattr(sample, name), 30)
        assert np.array_equal(getattr(seen, name), decode_rgb(file, name))


def test_shadow_takes_light_behind_the_foreground(monkeypatch):
    monkeypatch.setattr(disturbances, "_shadow_shape", lambda mask, rng: np.ones_like(mask))
    mask = np.tile(np.float32([0, 0.5, 1]), (2, 1))
    seen = disturbances.shadow(plain(90, 200, mask), 0.6, rng())
    # 200 × .4 ** (1 / 2.2) = 131.87, 200 × .7 ** (1 / 2.2) = 170.07
    assert seen.image[:, :, 0].tolist() == [[132, 170, 200]] * 2


def test_shadow_is_soft_and_falls_to_the_side_with_room():
    for left in (20, 160):
        mask = np.zeros((224, 224))
        mask[60:180, left : left + 40] = 1
        dark = 200 - disturbances.shadow(plain(200, 200, mask), 0.6, rng(left)).image[..., 0].astype(int)
        assert not dark[mask == 1].any() and dark.min() == 0 and dark.max() == 68
        assert len(np.unique(dark)) > 10
        assert (np.nonzero(dark)[1].mean() > left + 20) == (left == 20)


def test_something_out_of_view_shades_an_empty_pair():
    sample = plain(200, 200, np.zeros((100, 140)))
    shades = [disturbances.shadow(sample, 0.6, rng(place)).image for place in range(5)]
    assert all(0.002 < (shade < 190).mean() < 0.3 for shade in shades)
    assert not np.array_equal(shades[0], shades[1])


def test_contrast_moves_the_foreground_to_the_background():
    sample = plain(100, 90, np.array([[0, 0.25, 1, 1]]))
    image = np.repeat(np.uint8([90, 140, 200, 40])[None, :, None], 3, 2)
    seen = disturbances.contrast(replace(sample, image=image), 0.5, rng())
    assert seen.image[0, :, 0].tolist() == [90, 120, 150, 70]
    seen = disturbances.contrast(replace(sample, image=image), 0.1, rng())
    assert seen.image[0, :, 0].tolist() == [90, 104, 110, 94]
