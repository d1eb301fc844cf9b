"""Metres: `mdeas calibrate` and `mdeas predict --calibration`, with a model whose depth is the brightness."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import tiny_model
from hypothesis import given
from hypothesis import strategies as st

from mdeas import inverse_depth, photo
from mdeas.cli import main
from mdeas.images import read_depth16, write_png

HEIGHT, WIDTH = 96, 64
NEAR, FAR = 2.0, 8.0


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with model.onnx, background.png, map.png and image.png, as the working directory."""
    monkeypatch.chdir(tmp_path)
    Path("model.onnx").write_bytes(tiny_model.model_bytes())
    write_png("background.png", scene())
    write_png("map.png", millimetres(empty_m()))
    write_png("image.png", with_thing())
    return tmp_path


def scene(drift=0) -> np.ndarray:
    """Brighter, that is nearer, from the top to the bottom; `drift`: all of it, by so many levels."""
    photo = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    photo[:] = np.round(np.linspace(40, 200, HEIGHT) + drift)[:, None, None]
    return photo


def with_thing(drift=0, rows=slice(20, 61), columns=slice(20, 40)) -> np.ndarray:
    photo = scene(drift)
    photo[rows, columns] = 255
    return photo


def empty_m() -> np.ndarray:
    """(H, W) metres of the scene: inverse depth is affine in brightness."""
    grey = scene()[..., 0].astype(float)
    return 1 / (1 / FAR + (1 / NEAR - 1 / FAR) * (grey - 40) / 160)


def millimetres(depth_m: np.ndarray) -> np.ndarray:
    return np.rint(depth_m * 1000).astype(np.uint16)


def calibrate(*words) -> int:
    return main(
        ["calibrate", "--background", "background.png", "-o", "camera.json", "--model", "model.onnx", *words]
    )


def by_points(*points: str) -> int:
    return calibrate(*[f"--point={point}" for point in points])


def point(row: int, column: int = 5, factor: float = 1.0) -> str:
    return f"{column},{row}={factor * empty_m()[row, column]:.4f}"


def measure(image="image.png", background="background.png", out="out", *words) -> int:
    model = ["--model", "model.onnx", "--calibration", "camera.json"]
    return main(["predict", image, "--background", background, "-o", out, *model, *words])


def found(name="image", out="out") -> tuple[np.ndarray, dict]:
    """The metres that were written, 0 = unknown, and what is said of them."""
    facts = json.loads(Path(out, f"{name}-depth-m.json").read_text())
    return facts["offset"] + facts["scale"] * read_depth16(Path(out, f"{name}-depth-m.png")), facts


def inner(array: np.ndarray) -> np.ndarray:
    """Away from the rims of the thing, where the mask is soft."""
    return array[26:56, 24:36]


class TestMap:
    def test_the_calibration_explains_itself(self, here):
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

    def test_outside_the_mask_the_measured_depth_stays(self, here):
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

    def test_a_thing_stands_where_it_touches_the_ground(self, here):
        calibrate("--depth", "map.png")
        measure()
        depth_m, _ = found()
        assert np.ptp(inner(depth_m)) == 0
        assert inner(depth_m)[0, 0] == pytest.approx(empty_m()[60, 30], rel=0.05)

    def test_a_thing_is_never_behind_what_it_hides(self, here):
        depth_m = empty_m()
        depth_m[20:40] = 1.0  # a shelf near the camera above the ground
        write_png("map.png", millimetres(depth_m), force=True)
        calibrate("--depth", "map.png")
        measure()
        assert (inner(found()[0])[:10] <= 1.0).all()

    def test_a_thing_that_leaves_the_picture_below_may_be_nearer(self, here):
        write_png("image.png", with_thing(rows=slice(40, HEIGHT)), force=True)
        calibrate("--depth", "map.png")
        measure()
        assert found()[0][60:90, 24:36].max() < NEAR

    def test_unknown_parts_of_a_map_are_predicted(self, here):
        levels = millimetres(empty_m())
        levels[:, 44:] = 0
        write_png("map.png", levels, force=True)
        calibrate("--depth", "map.png")
        measure()
        depth_m, facts = found()
        np.testing.assert_allclose(depth_m[4:-4, 50:60], empty_m()[4:-4, 50:60], rtol=0.1)
        assert facts["share"]["predicted"] > 0.2

    def test_a_smaller_map_is_enough(self, here):
        write_png("map.png", millimetres(empty_m())[::2, ::2], force=True)
        assert calibrate("--depth", "map.png") == 0
        measure()
        np.testing.assert_allclose(found()[0][:, 50:], empty_m()[:, 50:], rtol=0.05)

    def test_a_wall_of_one_distance_can_be_calibrated(self, here):
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
    def test_a_map_that_cannot_be_used_is_refused(self, here, capsys, levels, code):
        write_png("map.png", levels, force=True)
        assert calibrate("--depth", "map.png") == 3
        assert f"error[{code}]" in capsys.readouterr().err
        assert not Path("camera.json").exists() and not Path("camera-depth.png").exists()

    def test_large_photos_are_measured_smaller_and_written_whole(self, here, monkeypatch):
        monkeypatch.setattr(photo, "MAX_VIEW", 48)
        calibrate("--depth", "map.png")
        measure()
        np.testing.assert_allclose(found()[0][:, 50:], empty_m()[:, 50:], rtol=0.05)


class TestPoints:
    def test_two_points_suffice(self, here, capsys):
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

    def test_a_third_one_tells_how_far_off_it_is(self, here):
        by_points(point(2), point(50), point(93))
        right = json.loads(Path("camera.json").read_text())["fit"]
        Path("camera.json").unlink()
        by_points(point(2), point(50, factor=1.5), point(93))
        wrong = json.loads(Path("camera.json").read_text())["fit"]
        assert right["held_out_relative_error"] < 0.1 < wrong["held_out_relative_error"]

    def test_what_is_much_farther_than_all_points_is_unknown(self, here):
        by_points(point(70), point(93))
        measure()
        depth_m, facts = found()
        reach_m = 1.5 * empty_m()[70, 5]
        assert not depth_m[:3, 50:].any() and facts["share"]["unknown"] > 0.04
        assert facts["range_m"][1] <= reach_m * 1.001 == pytest.approx(facts["reach_m"] * 1.001, rel=1e-3)

    @pytest.mark.parametrize("drift", [-6, 6])
    def test_every_photo_is_fitted_anew(self, here, drift):
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
    def test_points_that_cannot_be_used_are_refused(self, here, capsys, points, code, exit_code):
        assert by_points(*points) == exit_code
        error = capsys.readouterr().err
        assert f"error[{code}]" in error and error.count("\n") == 1
        assert not Path("camera.json").exists()


class TestUse:
    def test_map_and_points_are_not_both_taken(self, here):
        assert calibrate("--depth", "map.png", "--point", "5,2=8") == 2

    def test_nothing_is_overwritten_without_force(self, here):
        calibrate("--depth", "map.png")
        before = Path("camera.json").read_bytes()
        assert by_points(point(2), point(93)) == 4
        Path("camera.json").unlink()
        assert calibrate("--depth", "map.png") == 4  # its map is there
        assert calibrate("--depth", "map.png", "--force") == 0
        assert Path("camera.json").read_bytes() == before

    def test_an_input_is_never_overwritten(self, here):
        os.rename("map.png", "camera-depth.png")
        assert calibrate("--depth", "camera-depth.png", "--force") == 2
        calibrate("--depth", "camera-depth.png", "-o", "other.json")
        assert measure("image.png", "background.png", "out", "--report", "background.png", "--force") == 2

    def test_another_size_is_refused(self, here, capsys):
        calibrate("--depth", "map.png")
        write_png("background.png", scene()[::2, ::2], force=True)
        assert measure() == 3
        assert "error[E-CALIBRATION-SIZE]" in capsys.readouterr().err

    def test_an_image_of_another_resolution_is_measured(self, here):
        calibrate("--depth", "map.png")
        write_png("image.png", with_thing().repeat(2, axis=0).repeat(2, axis=1), force=True)
        assert measure() == 0
        assert found()[0].shape == (2 * HEIGHT, 2 * WIDTH)
        np.testing.assert_allclose(found()[0][::2, 100::2], empty_m()[:, 50:], rtol=0.03)

    def test_another_model_is_refused(self, here, capsys):
        calibrate("--depth", "map.png")
        Path("model.onnx").write_bytes(tiny_model.model_bytes(gain=30.0))
        assert measure() == 5
        assert "error[E-CALIBRATION-MODEL]" in capsys.readouterr().err

    def test_a_model_without_depth_is_refused(self, here, capsys):
        assert calibrate("--depth", "map.png", "--model", "difference") == 5
        assert "predicts no depth" in capsys.readouterr().err

    def test_another_photo_of_the_empty_scene_is_told(self, here, capsys):
        calibrate("--depth", "map.png")
        write_png("background.png", scene(drift=1), force=True)
        assert measure() == 0
        assert "warning[W-CALIBRATION-BACKGROUND]" in capsys.readouterr().err

    def test_a_photo_that_shows_nothing_of_the_empty_scene_is_told(self, here, capsys):
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
        ],
    )
    def test_a_calibration_is_read_strictly(self, here, capsys, change):
        calibrate("--depth", "map.png")
        camera = json.loads(Path("camera.json").read_text())
        change(camera)
        Path("camera.json").write_text(json.dumps(camera))
        assert measure() == 3
        assert "error[E-CALIBRATION-FORMAT]" in capsys.readouterr().err
        assert not list(Path("out").glob("*.png"))

    @pytest.mark.parametrize("text", ["", "[]", "{", "null"])
    def test_other_files_are_no_calibration(self, here, text):
        Path("camera.json").write_text(text)
        assert measure() == 3

    def test_a_map_that_is_gone_or_changed_is_told(self, here, capsys):
        calibrate("--depth", "map.png")
        write_png("camera-depth.png", millimetres(empty_m() + 0.1), force=True)
        assert measure() == 3
        Path("camera-depth.png").unlink()
        assert measure() == 3
        assert capsys.readouterr().err.count("error[E-CALIBRATION-MAP]") == 2


class TestFit:
    @given(
        st.floats(1e-4, 10),
        st.floats(-0.2, 2),
        st.integers(0, 2**32 - 1),
        st.sampled_from([-1000.0, 0.0, 50.0]),
    )
    def test_a_fifth_of_outliers_does_not_move_the_line(self, scale, shift, seed, offset):
        rng = np.random.default_rng(seed)
        true = rng.uniform(0.3, 2, 300)
        p = (true - shift) / scale + offset
        d = true.copy()
        d[:60] = rng.uniform(0.2, 4, 60)
        line = inverse_depth.fit(p, d)
        np.testing.assert_allclose(line.inverse_m(p), true, rtol=0.03)

    @given(st.lists(st.tuples(st.floats(-100, 100), st.floats(0.01, 10)), min_size=1, max_size=12))
    def test_near_and_far_are_never_turned_around(self, pairs):
        p, d = np.array(pairs).T
        line = inverse_depth.fit(p, d)
        assert line.scale >= 0 and np.isfinite([line.scale, line.shift]).all()
        if line.scale == 0:
            assert line.shift == np.median(d)

    def test_an_expectation_fades_with_the_number_of_points(self):
        expected = inverse_depth.Expected(scale=2.0, spread=1.0)
        scales = []
        for count in (2, 200):
            p = np.linspace(0, 1, count)
            scales.append(inverse_depth.fit(p, p + 1, expected).scale)
        assert scales[0] > 1.5 and scales[1] == pytest.approx(1, abs=0.15)
