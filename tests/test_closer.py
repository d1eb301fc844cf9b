import dataclasses

import numpy as np
import pytest
import tiny_model
from hypothesis import given, settings
from hypothesis import strategies as st

from mdeas import runtime
from mdeas.closer import around, look_again
from mdeas.metrics_mask import iou

PHOTO = np.zeros((200, 300, 3), np.uint8)


def mask_of(rows: slice, columns: slice, alpha: float = 1.0) -> np.ndarray:
    mask = np.zeros(PHOTO.shape[:2], np.float32)
    mask[rows, columns] = alpha
    return mask


def never(background, image):
    raise AssertionError("looked again")


@pytest.mark.parametrize("alpha", [0.0, 0.5])
def test_nothing_found_is_not_looked_at_again(alpha):
    mask = mask_of(slice(50, 60), slice(50, 60), alpha)
    assert look_again(never, mask, PHOTO, PHOTO) is mask


def test_the_second_look_has_the_thing_and_its_surroundings():
    assert around(mask_of(slice(80, 100), slice(100, 140))) == (slice(56, 124), slice(76, 164))  # .6 of 40
    assert around(mask_of(slice(0, 20), slice(290, 300))) == (
        slice(0, 32),
        slice(278, 300),
    )  # up to the border
    assert around(mask_of(slice(100, 101), slice(100, 101))) == (slice(90, 111), slice(85, 116))  # a tenth
    assert around(mask_of(slice(20, 180), slice(20, 280))) == (slice(None), slice(None))


def test_both_looks_count_the_same_near_the_thing_and_the_first_alone_farther_away():
    mask = mask_of(slice(80, 100), slice(100, 140), 0.8)
    seen = []

    def look(background, image):
        seen.append(image.shape)
        return np.full(image.shape[:2], 0.4, np.float32)

    found = look_again(look, mask, PHOTO, PHOTO)
    assert seen == [(68, 88, 3)]
    np.testing.assert_allclose(found[80:100, 100:140], 0.6)
    np.testing.assert_allclose(found[76:80, 100:140], 0.2)  # 4 pixels: .013 of 300
    found[76:104, 96:144] = 0
    assert not found.any() and mask.max() == np.float32(0.8)


@settings(deadline=None)
@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    seed=st.integers(0, 99),
    likely=st.sampled_from([0.01, 0.2, 0.9]),
)
def test_any_mask(height, width, seed, likely):
    rng = np.random.default_rng(seed)
    mask = (rng.random((height, width)) < likely).astype(np.float32) * rng.random((height, width), np.float32)
    photo = np.zeros((height, width, 3), np.uint8)
    found = look_again(lambda b, i: np.ones(i.shape[:2], np.float32), mask, photo, photo)
    assert found.shape == mask.shape and found.dtype == np.float32
    assert (found >= mask).all() and found.max(initial=0) <= 1
    part = around(mask)
    if part is None:
        assert (mask <= 0.5).all()
    else:
        assert (mask[part] > 0.5).sum() == (mask > 0.5).sum()
        assert (found[part][mask[part] > 0.5] >= 0.75).all()


def photos() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A pair of 400x400 with a small thing that is no mirror image of itself, and where it is."""
    truth = np.zeros((400, 400), np.float32)
    truth[100:150, 60:75] = truth[140:150, 60:100] = 1  # an L
    background = np.full((400, 400, 3), 60, np.uint8)
    return background, np.where(truth[..., None] > 0, 200, background).astype(np.uint8), truth


def predictor(looks: int) -> runtime.OnnxPredictor:
    spec = dataclasses.replace(tiny_model.SPEC, looks=looks)
    return runtime.OnnxPredictor(tiny_model.model_bytes(spec=spec.to_json()), "m")


def test_a_small_thing_is_seen_better_by_a_second_look():
    background, image, truth = photos()
    once, twice = (predictor(looks).predict(background, image) for looks in (1, 2))
    assert iou(once.mask, truth) + 0.02 < iou(twice.mask, truth)
    np.testing.assert_array_equal(predictor(2).predict(background, background).mask, 0)


def test_a_model_says_how_often_it_looks(monkeypatch):
    calls = []
    model = predictor(2)
    run = model.run
    monkeypatch.setattr(model, "run", lambda *pair: calls.append(pair[0].shape) or run(*pair))
    background, image, _ = photos()
    model.predict(background, image)
    assert len(calls) == 2
    model.predict(background, background)
    assert len(calls) == 3
