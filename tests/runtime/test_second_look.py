import dataclasses

import numpy as np
import pytest
import tiny_model
from hypothesis import given, settings
from hypothesis import strategies as st

from mdeas.metrics.mask import iou
from mdeas.runtime import onnx_predictor
from mdeas.runtime.second_look import crop_around, merged_depth, merged_mask

SHAPE = 200, 300
WHOLE = slice(None), slice(None)


def mask_of(rows: slice, columns: slice, alpha: float = 1.0) -> np.ndarray:
    mask = np.zeros(SHAPE, np.float32)
    mask[rows, columns] = alpha
    return mask


@pytest.mark.parametrize("alpha", [0.0, 0.5])
def test_nothing_found_is_not_looked_at_again(alpha):
    assert crop_around(mask_of(slice(50, 60), slice(50, 60), alpha)) is None


def test_the_second_look_has_the_thing_and_its_surroundings():
    assert crop_around(mask_of(slice(80, 100), slice(100, 140))) == (
        slice(56, 124),
        slice(76, 164),
    )  # .6 of 40
    corner = mask_of(slice(0, 20), slice(290, 300))
    assert crop_around(corner) == (slice(0, 32), slice(278, 300))
    assert crop_around(mask_of(slice(100, 101), slice(100, 101))) == (
        slice(90, 111),
        slice(85, 116),
    )  # a tenth
    assert crop_around(mask_of(slice(20, 180), slice(20, 280))) == WHOLE


def test_both_looks_at_the_mask_count_the_same_near_the_thing_and_the_first_alone_farther_away():
    mask = mask_of(slice(80, 100), slice(100, 140), 0.8)
    part = crop_around(mask)
    found = merged_mask(mask, part, np.full(mask[part].shape, 0.4, np.float32))
    np.testing.assert_allclose(found[80:100, 100:140], 0.6)
    np.testing.assert_allclose(found[76:80, 100:140], 0.2)  # 4 pixels: .013 of 300
    found[76:104, 96:144] = 0
    assert not found.any() and mask.max() == np.float32(0.8)


def test_depth_of_the_second_look_has_any_unit():
    depth = np.random.default_rng(0).random(SHAPE, np.float32)
    part = slice(56, 124), slice(76, 164)
    np.testing.assert_allclose(merged_depth(depth, part, 7 * depth[part] - 3), depth, atol=1e-5)
    np.testing.assert_allclose(merged_depth(depth, WHOLE, 7 * depth - 3), depth, atol=1e-5)


def test_both_looks_at_depth_count_the_same_in_the_middle_and_the_first_alone_at_the_border():
    depth = np.zeros(SHAPE, np.float32)
    depth[56:124, 76:164] = np.linspace(-1, 1, 68, dtype=np.float32)[:, None]
    part = slice(56, 124), slice(76, 164)
    second = np.sign(depth[part])
    found = merged_depth(depth, part, second)
    scale = np.abs(depth[part]).mean()  # least squares: mean of x sign x over 1
    middle = np.s_[80:100, 100:140]
    np.testing.assert_allclose(found[middle], (depth[middle] + scale * np.sign(depth[middle])) / 2, atol=1e-6)
    edge = np.abs(found - depth)[56, 100:140]
    assert edge.max() < 0.06 < np.abs(found - depth)[66, 100:140].max()
    found[56:124, 76:164] = 0
    assert not found.any()


@pytest.mark.parametrize("second", [np.ones(SHAPE), -1.0 * np.arange(300) * np.ones(SHAPE)])
def test_a_second_look_that_sees_nothing_or_the_reverse_is_flat(second):
    """It is brought to the first's mean with a scale of 0."""
    depth = (np.arange(300) * np.ones(SHAPE)).astype(np.float32)
    found = merged_depth(depth, WHOLE, second.astype(np.float32))
    np.testing.assert_allclose(found, (depth + 149.5) / 2, rtol=1e-5)


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
    part = crop_around(mask)
    if part is None:
        assert (mask <= 0.5).all()
        return
    found = merged_mask(mask, part, np.ones_like(mask[part]))
    assert found.shape == mask.shape and found.dtype == np.float32
    assert (found >= mask).all() and found.max() <= 1
    assert (mask[part] > 0.5).sum() == (mask > 0.5).sum()
    assert (found[part][mask[part] > 0.5] >= 0.75).all()
    depth = merged_depth(mask, part, rng.random(mask[part].shape, np.float32))
    assert depth.shape == mask.shape and depth.dtype == np.float32 and np.isfinite(depth).all()


def photos() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A pair of 400x400 with a small thing that is no mirror image of itself, and where it is."""
    truth = np.zeros((400, 400), np.float32)
    truth[100:150, 60:75] = truth[140:150, 60:100] = 1  # an L
    background = np.full((400, 400, 3), 60, np.uint8)
    return background, np.where(truth[..., None] > 0, 200, background).astype(np.uint8), truth


def predictor(looks: int) -> onnx_predictor.OnnxPredictor:
    spec = dataclasses.replace(tiny_model.SPEC, looks=looks)
    return onnx_predictor.OnnxPredictor(tiny_model.model_bytes(spec=spec.to_json()), "m")


def test_a_small_thing_is_seen_better_by_a_second_look():
    background, image, truth = photos()
    once, twice = (predictor(looks).predict(background, image) for looks in (1, 2))
    assert iou(once.mask, truth) + 0.02 < iou(twice.mask, truth)
    grey = image[..., 0].ravel()  # which is this model's depth
    apart = [1 - np.corrcoef(found.depth.ravel(), grey)[0, 1] for found in (once, twice)]
    assert apart[1] < 0.8 * apart[0]
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
