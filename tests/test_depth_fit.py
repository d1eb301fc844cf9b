"""Fits between relative inverse depth and metres."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdeas import depth_fit


@given(
    st.floats(1e-4, 10),
    st.floats(-0.2, 2),
    st.integers(0, 2**32 - 1),
    st.sampled_from([-1000.0, 0.0, 50.0]),
)
def test_a_fifth_of_outliers_does_not_move_the_line(scale, shift, seed, offset):
    rng = np.random.default_rng(seed)
    true = rng.uniform(0.3, 2, 300)
    p = (true - shift) / scale + offset
    d = true.copy()
    d[:60] = rng.uniform(0.2, 4, 60)
    line = depth_fit.fit(p, d)
    np.testing.assert_allclose(line.inverse_m(p), true, rtol=0.03)


@given(st.lists(st.tuples(st.floats(-100, 100), st.floats(0.01, 10)), min_size=1, max_size=12))
def test_near_and_far_are_never_turned_around(pairs):
    p, d = np.array(pairs).T
    line = depth_fit.fit(p, d)
    assert line.scale >= 0 and np.isfinite([line.scale, line.shift]).all()
    if line.scale == 0:
        assert line.shift == np.median(d)


def test_an_expectation_fades_with_the_number_of_points():
    expected = depth_fit.Expected(scale=2.0, spread=1.0)
    scales = []
    for count in (2, 200):
        p = np.linspace(0, 1, count)
        scales.append(depth_fit.fit(p, p + 1, expected).scale)
    assert scales[0] > 1.5 and scales[1] == pytest.approx(1, abs=0.15)


def test_the_inverse_of_unknown_is_unknown():
    for dtype in (np.float32, np.float64):
        found = depth_fit.inverse(np.array([[4, 0], [0.5, 1]], dtype))
        assert found.dtype == dtype
        np.testing.assert_array_equal(found, [[0.25, 0], [2, 1]])


class TestUnchanged:
    """d = 3 p + 1 in a 10 × 10 picture, unchanged in its upper half."""

    p = np.arange(100, dtype=np.float32).reshape(10, 10)
    unchanged = np.arange(100).reshape(10, 10) < 50

    def test_what_is_new_does_not_count(self):
        d = np.where(self.unchanged, 3 * self.p + 1, 999).astype(np.float32)
        assert depth_fit.fit_unchanged(self.p, d, self.unchanged) == pytest.approx((3, 1), abs=1e-4)
        assert depth_fit.fit_unchanged(d, self.p, self.unchanged) == pytest.approx((1 / 3, -1 / 3), abs=1e-4)

    def test_a_second_round_leaves_out_what_fits_badly(self):
        d = 3 * self.p + 1
        d[0, 3] = 500
        once, twice = (
            depth_fit.fit_unchanged(self.p, d, self.unchanged, rounds=rounds, sums=np.float64)
            for rounds in (1, 2)
        )
        assert once[0] < 2.5 and twice == pytest.approx((3, 1), abs=1e-6)

    def test_too_little_or_upside_down_is_none(self):
        d = 3 * self.p + 1
        few = self.p < 4
        assert few.mean() < depth_fit.ENOUGH and depth_fit.fit_unchanged(self.p, d, few) is None
        assert depth_fit.fit_unchanged(self.p, d, self.p < 5) is not None
        assert depth_fit.fit_unchanged(self.p, -d, self.unchanged) is None
        assert depth_fit.fit_unchanged(np.ones_like(d), d, self.unchanged) is None
