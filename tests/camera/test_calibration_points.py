"""Metres from a few measured places of the empty scene."""

import json
from pathlib import Path

import numpy as np
import pytest
from tiny_camera import by_points, empty_m, folder, found, inner, measure, point, with_thing

from mdeas.images.codec import write_png


@pytest.fixture
def here(tmp_path, monkeypatch):
    return folder(tmp_path, monkeypatch)


def test_two_points_suffice(here, capsys):
    assert by_points(point(2), point(93)) == 0
    assert "held out" in capsys.readouterr().out
    camera = json.loads(Path("camera.json").read_text())
    assert camera["fit"]["held_out_relative_error"] is None and camera["depth_map"] is None
    assert camera["points"][1] == {"x": 5, "y": 93, "metres": pytest.approx(empty_m()[93, 5], abs=1e-4)}
    measure()
    depth_m, facts = found()
    np.testing.assert_allclose(depth_m[:, 50:], empty_m()[:, 50:], rtol=0.1)
    assert inner(depth_m).mean() == pytest.approx(empty_m()[60, 30], rel=0.1)
    assert facts["share"]["measured"] == 0


def test_a_third_one_tells_how_far_off_it_is(here):
    by_points(point(2), point(50), point(93))
    right = json.loads(Path("camera.json").read_text())["fit"]
    Path("camera.json").unlink()
    by_points(point(2), point(50, factor=1.5), point(93))
    wrong = json.loads(Path("camera.json").read_text())["fit"]
    assert right["held_out_relative_error"] < 0.1 < wrong["held_out_relative_error"]


def test_what_is_much_farther_than_all_points_is_unknown(here):
    by_points(point(70), point(93))
    measure()
    depth_m, facts = found()
    reach_m = 1.5 * empty_m()[70, 5]
    assert not depth_m[:3, 50:].any() and facts["share"]["unknown"] > 0.04
    assert facts["range_m"][1] <= reach_m * 1.001 == pytest.approx(facts["reach_m"] * 1.001, rel=1e-3)


@pytest.mark.parametrize("drift", [-6, 6])
def test_every_photo_is_fitted_anew(here, drift):
    write_png("image.png", with_thing(drift), force=True)
    by_points(point(2), point(93))
    measure()
    depth_m, facts = found()
    np.testing.assert_allclose(depth_m[4:-4, 50:], empty_m()[4:-4, 50:], rtol=0.1)
    assert facts["fit"]["refitted"] and facts["fit"]["median_relative_error"] < 0.02


@pytest.mark.parametrize(
    "points, code, exit_code",
    [
        (["5,2=8"], "E-CALIBRATION-POINTS", 3),
        (["5,2=8", "5,2=8"], "E-CALIBRATION-POINTS", 3),
        (["5,2=8", "5,2=7", "5,90=2"], "E-CALIBRATION-POINTS", 3),
        (["64,2=8", "5,90=2"], "E-CALIBRATION-POINTS", 3),
        (["5,96=8", "5,90=2"], "E-CALIBRATION-POINTS", 3),
        (["-1,2=8", "5,90=2"], "E-CALIBRATION-POINTS", 3),
        (["5,2=0", "5,90=2"], "E-CALIBRATION-POINTS", 3),
        (["5,2=-8", "5,90=2"], "E-CALIBRATION-POINTS", 3),
        (["5,50=8", "9,50=2"], "E-CALIBRATION-POINTS", 3),
        (["5,2=2", "5,90=8"], "E-CALIBRATION-CONTRADICTS", 3),
        (["5,2=2", "5,50=4", "5,90=8"], "E-CALIBRATION-CONTRADICTS", 3),
        (["5,2", "5,90=2"], "E-USAGE", 2),
        (["5,2=x", "5,90=2"], "E-USAGE", 2),
        (["5,2=nan", "5,90=2"], "E-USAGE", 2),
        (["1.5,2=8", "5,90=2"], "E-USAGE", 2),
        ([], "E-USAGE", 2),
    ],
)
def test_points_that_cannot_be_used_are_refused(here, capsys, points, code, exit_code):
    assert by_points(*points) == exit_code
    error = capsys.readouterr().err
    assert f"error[{code}]" in error and error.count("\n") == 1
    assert not Path("camera.json").exists()
