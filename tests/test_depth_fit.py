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
