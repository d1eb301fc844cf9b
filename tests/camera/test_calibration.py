"""The calibration file and its use: what is refused, what is told, what is never overwritten."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import tiny_model
from tiny_camera import (
    HEIGHT,
    WIDTH,
    by_points,
    calibrate,
    empty_m,
    folder,
    found,
    measure,
    millimetres,
    point,
    scene,
    with_thing,
)

from mdeas.images.codec import write_png


@pytest.fixture
def here(tmp_path, monkeypatch):
    return folder(tmp_path, monkeypatch)


def test_map_and_points_are_not_both_taken(here):
    assert calibrate("--depth", "map.png", "--point", "5,2=8") == 2


def test_nothing_is_overwritten_without_force(here):
    calibrate("--depth", "map.png")
    before = Path("camera.json").read_bytes()
    assert by_points(point(2), point(93)) == 4
    Path("camera.json").unlink()
    assert calibrate("--depth", "map.png") == 4  # its map is there
    assert calibrate("--depth", "map.png", "--force") == 0
    assert Path("camera.json").read_bytes() == before


def test_an_input_is_never_overwritten(here):
    os.rename("map.png", "camera-depth.png")
    assert calibrate("--depth", "camera-depth.png", "--force") == 2
    calibrate("--depth", "camera-depth.png", "-o", "other.json")
    assert measure("image.png", "background.png", "out", "--report", "background.png", "--force") == 2


def test_another_size_is_refused(here, capsys):
    calibrate("--depth", "map.png")
    write_png("background.png", scene()[::2, ::2], force=True)
    assert measure() == 3
    assert "error[E-CALIBRATION-SIZE]" in capsys.readouterr().err


def test_an_image_of_another_resolution_is_measured(here):
    calibrate("--depth", "map.png")
    write_png("image.png", with_thing().repeat(2, axis=0).repeat(2, axis=1), force=True)
    assert measure() == 0
    assert found()[0].shape == (2 * HEIGHT, 2 * WIDTH)
    np.testing.assert_allclose(found()[0][::2, 100::2], empty_m()[:, 50:], rtol=0.03)


def test_the_angle_of_view_is_kept_for_clouds(here, capsys):
    widths = {}
    for fov in ("40", "100"):
        assert calibrate("--depth", "map.png", "--fov", fov, "--force") == 0
        assert measure("image.png", "background.png", "out", "--cloud", "c.ply", "--force") == 0
        body = Path("c.ply").read_bytes().split(b"end_header\n", 1)[1]
        places = np.frombuffer(body, [("place", "<f4", 3), ("colour", "u1", 3)])["place"]
        widths[fov] = np.ptp(places[:, 0] / places[:, 2])
    assert widths["100"] == pytest.approx(widths["40"] * np.tan(np.radians(50)) / np.tan(np.radians(20)))
    assert "W-CLOUD-FOV" not in capsys.readouterr().err
    assert calibrate("--depth", "map.png", "--fov", "180", "--force") == 2
    camera = json.loads(Path("camera.json").read_text())
    del camera["fov_deg"]  # as the first calibrations were
    Path("camera.json").write_text(json.dumps(camera))
    assert measure("image.png", "background.png", "out", "--cloud", "c.ply", "--force") == 0
    assert "warning[W-CLOUD-FOV] 'image.png': the angle of view is not known" in capsys.readouterr().err


def test_another_model_is_refused(here, capsys):
    calibrate("--depth", "map.png")
    Path("model.onnx").write_bytes(tiny_model.model_bytes(gain=30.0))
    assert measure() == 5
    assert "error[E-CALIBRATION-MODEL]" in capsys.readouterr().err


def test_a_model_without_depth_is_refused(here, capsys):
    assert calibrate("--depth", "map.png", "--model", "difference") == 5
    assert "predicts no depth" in capsys.readouterr().err


def test_another_photo_of_the_empty_scene_is_told(here, capsys):
    calibrate("--depth", "map.png")
    write_png("background.png", scene(drift=1), force=True)
    assert measure() == 0
    assert "warning[W-CALIBRATION-BACKGROUND]" in capsys.readouterr().err


def test_a_photo_that_shows_nothing_of_the_empty_scene_is_told(here, capsys):
    calibrate("--depth", "map.png")
    write_png("image.png", np.full((HEIGHT, WIDTH, 3), 255, np.uint8), force=True)
    assert measure() == 0
    assert "warning[W-METRES-FIT]" in capsys.readouterr().err
    _, facts = found()
    assert facts["fit"]["refitted"] is False and facts["fit"]["median_relative_error"] is None


@pytest.mark.parametrize(
    "change",
    [
        lambda camera: camera.pop("scale"),
        lambda camera: camera.update(more=1),
        lambda camera: camera.update(version=2),
        lambda camera: camera.update(format="other"),
        lambda camera: camera.update(scale="1"),
        lambda camera: camera.update(scale=-1.0),
        lambda camera: camera.update(shift=float("nan")),
        lambda camera: camera.update(height=True),
        lambda camera: camera.update(width=0),
        lambda camera: camera.update(points=None),
        lambda camera: camera.update(points=[{"x": 1, "y": 1}]),
        lambda camera: camera.update(points=[{"x": 1, "y": 1, "metres": 1}]),
        lambda camera: camera.update(depth_map=None),
        lambda camera: camera["depth_map"].update(name="../map.png"),
        lambda camera: camera.update(fit={}),
        lambda camera: camera.update(reach_m=0),
        lambda camera: camera.update(fov_deg=180.0),
    ],
)
def test_a_calibration_is_read_strictly(here, capsys, change):
    calibrate("--depth", "map.png")
    camera = json.loads(Path("camera.json").read_text())
    change(camera)
    Path("camera.json").write_text(json.dumps(camera))
    assert measure() == 3
    assert "error[E-CALIBRATION-FORMAT]" in capsys.readouterr().err
    assert not list(Path("out").glob("*.png"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda camera: camera.pop("scale"), "the field 'scale' is missing"),
        (lambda camera: camera.pop("fit"), "the field 'fit' is missing"),
        (lambda camera: camera.update(height="9"), "height is '9', expected int"),
        (lambda camera: camera.update(shift=None), "shift is None, expected int or float"),
    ],
)
def test_the_wrong_field_of_a_calibration_is_named(here, capsys, change, message):
    calibrate("--depth", "map.png")
    camera = json.loads(Path("camera.json").read_text())
    change(camera)
    Path("camera.json").write_text(json.dumps(camera))
    assert measure() == 3
    assert f"'camera.json': {message}. Give a file made by" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "[]", "{", "null"])
def test_other_files_are_no_calibration(here, text):
    Path("camera.json").write_text(text)
    assert measure() == 3


def test_a_map_that_is_gone_or_changed_is_told(here, capsys):
    calibrate("--depth", "map.png")
    write_png("camera-depth.png", millimetres(empty_m() + 0.1), force=True)
    assert measure() == 3
    Path("camera-depth.png").unlink()
    assert measure() == 3
    assert capsys.readouterr().err.count("error[E-CALIBRATION-MAP]") == 2
