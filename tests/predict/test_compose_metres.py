"""Things put in at a distance in metres: the distances are those that predict writes."""

import numpy as np
import pytest
from tiny_camera import by_points, calibrate, folder, found, measure, point

from mdeas.cli import main
from mdeas.images.codec import read_rgb, write_png


@pytest.fixture
def here(tmp_path, monkeypatch):
    return folder(tmp_path, monkeypatch)


def put_in(depth_m: str) -> int:
    """A green square of 40 × 40 pixels over the thing, which stands on row 60, and the floor beside it."""
    green = np.zeros((40, 40, 4), np.uint8)
    green[:] = (0, 255, 0, 255)
    write_png("insert.png", green, force=True)
    words = ["--insert", "insert.png", "--at", "40,58", "--depth", depth_m, "--calibration", "camera.json"]
    words += ["--background", "background.png", "--model", "model.onnx", "-o", "out.png", "--force"]
    return main(["compose", "image.png", *words])


def is_green(row: int, column: int) -> bool:
    return bool((read_rgb("out.png")[row, column] == (0, 255, 0)).all())


@pytest.mark.parametrize("how", ["map", "points"])
def test_the_order_is_that_of_the_metres_that_predict_writes(here, how, capsys):
    assert (calibrate("--depth", "map.png") if how == "map" else by_points(point(2), point(93))) == 0
    assert measure() == 0
    depth_m, _ = found()
    thing, floor = depth_m[40, 30], depth_m[30, 50]
    assert floor > thing + 0.5
    for distance, before_thing, before_floor in (
        (thing - 0.1, True, True),
        (thing + 0.1, False, True),
        (floor + 0.5, False, False),
    ):
        assert put_in(f"{distance:.3f}") == 0
        assert (is_green(40, 30), is_green(30, 50)) == (before_thing, before_floor), distance
    told = dict(line.split() for line in capsys.readouterr().out.splitlines()[-4:])
    assert float(told["subject_m"]) == pytest.approx(thing, abs=0.01)
    assert float(told["insert_m"]) == pytest.approx(floor + 0.5, abs=0.01)


def test_what_nobody_sees_is_told(here, capsys):
    calibrate("--depth", "map.png")
    assert put_in("3") == 0 and "W-INSERT-HIDDEN" not in capsys.readouterr().err
    assert put_in("50") == 0
    assert "warning[W-INSERT-HIDDEN] 'insert.png': the insert is fully hidden" in capsys.readouterr().err
    np.testing.assert_array_equal(read_rgb("out.png"), read_rgb("image.png"))


@pytest.mark.parametrize("depth_m", ["0", "-1"])
def test_what_is_no_distance_is_refused(here, depth_m, capsys):
    calibrate("--depth", "map.png")
    assert put_in(depth_m) == 2 and "E-DEPTH-LEVEL" in capsys.readouterr().err


def test_a_photo_that_cannot_be_fitted_is_told_as_predict_tells_it(here, capsys):
    calibrate("--depth", "map.png")
    write_png("image.png", np.full_like(read_rgb("image.png"), 255), force=True)
    assert put_in("3") == 0 and "warning[W-METRES-FIT] 'image.png'" in capsys.readouterr().err
