"""Geometry: the margin, the place of a cut-out, its size."""

import numpy as np
import pytest

from mdeas.create.photos import placement


def test_the_margin_hides_every_motion():
    side, rng = 160, np.random.default_rng(0)
    plate_side = side + 2 * placement.margin_px(side)
    corners = np.array([[0, 0, 1], [0, side - 1, 1], [side - 1, 0, 1], [side - 1, side - 1, 1]]).T
    for _ in range(500):
        seen = np.linalg.inv(np.vstack([placement.draw_motion(rng, side), [0, 0, 1]])) @ corners
        assert seen[:2].min() >= 1 and seen[:2].max() <= plate_side - 2


@pytest.mark.parametrize("cut", [False, True])
def test_places_stay_in_the_picture_unless_cut(cut):
    rng, outside = np.random.default_rng(1), 0
    for _ in range(300):
        p = placement.draw_place(
            rng, (30, 50), rng.uniform(0.1, 1.4), 80, rotation_deg=0, aspect_jitter=0.2, cut=cut
        )
        inside = p.left_px >= 0 and p.top_px >= 0 and p.left_px + p.width_px <= 80
        outside += not (inside and p.top_px + p.height_px <= 80)
    assert (outside > 50) == cut


def test_drawn_areas_keep_their_limits():
    rng = np.random.default_rng(2)
    areas = [placement.scale_by_area(rng, 500, 100, (0.003, 0.6), 1) ** 2 * 500 / 100**2 for _ in range(2000)]
    assert 0.003 <= min(areas) < 0.004 and 0.55 < max(areas) <= 0.6
    assert 0.07 < np.median(areas) < 0.13
