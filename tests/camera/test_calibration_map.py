"""Metres from a measured depth map of the empty scene."""

import json
from pathlib import Path

import numpy as np
import pytest
from tiny_camera import (
    FAR,
    HEIGHT,
    NEAR,
    WIDTH,
    calibrate,
    empty_m,
    folder,
    found,
    inner,
    measure,
    millimetres,
    with_thing,
)
from tiny_pair import taken

from mdeas.images import photo
from mdeas.images.codec import read_depth16, write_png


@pytest.fixture
def here(tmp_path, monkeypatch):
    return folder(tmp_path, monkeypatch)


def test_the_calibration_explains_itself(here):
    assert calibrate("--depth", "map.png") == 0
    camera = json.loads(Path("camera.json").read_text())
    assert (camera["format"], camera["version"]) == ("mdeas-camera", 1)
    assert (camera["height"], camera["width"], camera["model"]) == (HEIGHT, WIDTH, "tiny")
    assert len(camera["model_sha256"]) == len(camera["background_sha256"]) == 64
    assert camera["fit"]["num_measured"] == HEIGHT * WIDTH
    assert 0 <= camera["fit"]["median_relative_error"] < 0.01
    assert 0 < camera["fit"]["held_out_relative_error"] < 0.02
    np.testing.assert_array_equal(read_depth16(camera["depth_map"]["name"]), read_depth16("map.png"))
    # The model's depth is 40 times the brightness in [0, 1].
    assert camera["scale"] == pytest.approx((1 / NEAR - 1 / FAR) / (160 / 255 * 40), rel=0.02)


def test_outside_the_mask_the_measured_depth_stays(here):
    calibrate("--depth", "map.png")
    assert measure() == 0
    depth_m, facts = found()
    np.testing.assert_allclose(depth_m[:, 50:], empty_m()[:, 50:], atol=0.002)
    assert (facts["kind"], facts["unit"], facts["height"], facts["width"]) == (
        "metric",
        "m",
        HEIGHT,
        WIDTH,
    )
    assert facts["fit"]["refitted"] and facts["fit"]["against"] == "measured depth"
    assert facts["fit"]["held_out_relative_error"] < 0.05
    assert sum(facts["share"].values()) == pytest.approx(1)
    assert facts["share"]["contact"] == pytest.approx(41 * 20 / (HEIGHT * WIDTH), rel=0.2)
    assert json.loads(Path("out/image-depth.json").read_text())["kind"] == "relative"


def test_a_thing_stands_where_it_touches_the_ground(here):
    calibrate("--depth", "map.png")
    measure()
    depth_m, _ = found()
    assert np.ptp(inner(depth_m)) == 0
    assert inner(depth_m)[0, 0] == pytest.approx(empty_m()[60, 30], rel=0.05)


def test_a_thing_is_never_behind_what_it_hides(here):
    depth_m = empty_m()
    depth_m[20:40] = 1.0  # a shelf near the camera above the ground
    write_png("map.png", millimetres(depth_m), force=True)
    calibrate("--depth", "map.png")
    measure()
    assert (inner(found()[0])[:10] <= 1.0).all()


def test_a_thing_that_leaves_the_picture_below_may_be_nearer(here):
    write_png("image.png", with_thing(rows=slice(40, HEIGHT)), force=True)
    calibrate("--depth", "map.png")
    measure()
    assert found()[0][60:90, 24:36].max() < NEAR


def test_measured_depth_goes_with_a_camera_that_moved(here):
    background, image = taken(shift=(14.0, 0.0))
    step = background.shape[1] // 2  # the left half is nearer, and brighter by 40 levels
    for name, taken_photo, at in (("background", background, step), ("image", image, step + 14)):
        lit = taken_photo // 2
        lit[:, :at] += 80
        write_png(f"{name}.png", lit, force=True)
    metres = np.full(background.shape[:2], 4.0)
    metres[:, :step] = 2.0
    write_png("map.png", millimetres(metres), force=True)
    assert calibrate("--depth", "map.png") == 0
    assert measure() == 0
    row = found()[0][10]
    assert (row[30 : step + 13] == 2).all() and (row[step + 15 : step + 35] == 4).all()


def test_unknown_parts_of_a_map_are_predicted(here):
    levels = millimetres(empty_m())
    levels[:, 44:] = 0
    write_png("map.png", levels, force=True)
    calibrate("--depth", "map.png")
    measure()
    depth_m, facts = found()
    np.testing.assert_allclose(depth_m[4:-4, 50:60], empty_m()[4:-4, 50:60], rtol=0.1)
    assert facts["share"]["predicted"] > 0.2


def test_a_smaller_map_is_enough(here):
    write_png("map.png", millimetres(empty_m())[::2, ::2], force=True)
    assert calibrate("--depth", "map.png") == 0
    measure()
    np.testing.assert_allclose(found()[0][:, 50:], empty_m()[:, 50:], rtol=0.05)


def test_a_wall_of_one_distance_can_be_calibrated(here):
    write_png("map.png", np.full((HEIGHT, WIDTH), 3000, np.uint16), force=True)
    assert calibrate("--depth", "map.png") == 0
    measure()
    np.testing.assert_allclose(inner(found()[0]), 3.0)


@pytest.mark.parametrize(
    "levels, code",
    [
        (np.zeros((HEIGHT, WIDTH), np.uint16), "E-CALIBRATION-MAP"),
        (np.full((HEIGHT, HEIGHT), 900, np.uint16), "E-PAIR-SIZE"),
        (np.full((HEIGHT, WIDTH), 90, np.uint8), "E-IMG-FORMAT"),
        (millimetres(empty_m())[::-1], "E-CALIBRATION-CONTRADICTS"),
    ],
)
def test_a_map_that_cannot_be_used_is_refused(here, capsys, levels, code):
    write_png("map.png", levels, force=True)
    assert calibrate("--depth", "map.png") == 3
    assert f"error[{code}]" in capsys.readouterr().err
    assert not Path("camera.json").exists() and not Path("camera-depth.png").exists()


def test_large_photos_are_measured_smaller_and_written_whole(here, monkeypatch):
    monkeypatch.setattr(photo, "MAX_VIEW", 48)
    calibrate("--depth", "map.png")
    measure()
    np.testing.assert_allclose(found()[0][:, 50:], empty_m()[:, 50:], rtol=0.05)
