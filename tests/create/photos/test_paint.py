"""Pixel operations: placed cut-outs, colours, shadows."""

import cv2
import numpy as np
import pytest

from mdeas.create.photos import paint
from mdeas.create.photos.placement import Placement


def spot(**fields) -> Placement:
    at = {"height_px": 6, "width_px": 8, "left_px": 3, "top_px": 2, "angle_deg": 0.0, "mirrored": False}
    return Placement(**(at | fields))


def test_layer_is_pixel_exact_at_scale_one():
    rng = np.random.default_rng(0)
    cutout = np.sort(
        rng.integers(0, 256, (6, 8, 4)).astype(np.uint8), axis=2
    )  # premultiplied: colour <= alpha
    out = paint.place_cutout(cutout, spot(), 20)
    assert np.array_equal(out[2:8, 3:11], cutout) and out.sum() == cutout.sum(dtype=float)
    mirrored = paint.place_cutout(cutout, spot(mirrored=True), 20)
    assert np.array_equal(mirrored[2:8, 3:11], cutout[:, ::-1])


def test_turning_is_counter_clockwise_about_the_centre():
    cutout = np.zeros((7, 7, 4), np.uint8)
    cutout[3, 5] = 255  # right of the centre
    out = paint.place_cutout(cutout, spot(height_px=7, width_px=7, left_px=0, top_px=0, angle_deg=90.0), 7)
    assert out[1, 3, 3] == pytest.approx(255, abs=1)  # now above it


def test_resized_edges_show_no_colour_from_behind_the_object():
    """White disc on black nothing: over white, every pixel stays white."""
    alpha = np.zeros((64, 64), np.uint8)
    cv2.circle(alpha, (32, 32), 25, 255, -1)
    cutout = np.dstack([alpha] * 4)
    picture = np.full((40, 40, 3), 255, np.float32)
    paint.paste(picture, paint.place_cutout(cutout, spot(height_px=27, width_px=29, angle_deg=11.0), 40))
    assert picture.min() > 253.5


def test_blending_moves_the_mean_colour_by_the_amount():
    over = np.zeros((4, 4, 4), np.float32)
    over[1:3, 1:3] = (200, 100, 50, 255)
    picture = np.full((4, 4, 3), 100, np.float32)
    out = paint.recolour(over, paint.blend_colours(over, picture, 0.5))
    assert out[1, 1].tolist() == pytest.approx([150, 100, 75, 255])
    assert not out[0, 0].any()


def test_colours_without_jitter_stay():
    assert np.allclose(paint.draw_colours(np.random.default_rng(0), 0.0), np.eye(4), atol=1e-6)


@pytest.mark.parametrize(("lean", "length", "column"), [(1.0, 0.5, 1), (-1.0, 0.5, -1), (0.0, -0.5, 0)])
def test_a_cast_shadow_starts_at_the_foot(lean, length, column):
    cutout = np.full((20, 4, 4), 255, np.uint8)
    post = spot(height_px=20, width_px=4, left_px=28, top_px=20)
    dark = paint.shadow(cutout, post, 60, paint.Shadow(kind="cast", lean=lean, length=length, soft=0.0))
    rows, columns = np.nonzero(dark > 0.5)
    assert rows.min() >= 28 if length > 0 else rows.max() <= 51
    assert (rows.max() <= 41) if length > 0 else (rows.min() >= 37)
    assert np.sign(np.round((columns.mean() - 29.5) / 3)) == column


def test_matching_moves_the_mean_by_the_amount_and_keeps_black():
    over = np.zeros((4, 4, 4), np.float32)
    over[1, 1], over[1, 2] = (200, 100, 50, 255), (0, 0, 0, 255)
    picture = np.full((4, 4, 3), 100, np.float32)
    out = paint.recolour(over, paint.match_colours(over, picture, 0.5))
    mean = (out[1, 1] + out[1, 2])[:3] / 2
    assert mean.tolist() == pytest.approx([100, 75, 62.5]) and not out[1, 2, :3].any()
