"""The things in a mask, and the report of `mdeas predict --report`."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import tiny_model
from hypothesis import given
from hypothesis import strategies as st

from mdeas.cli import main
from mdeas.images.codec import write_png
from mdeas.predict import photos
from mdeas.runtime.choice import ModelChoice
from mdeas.runtime.predictor import Prediction
from mdeas.subject.objects import MIN_AREA_SHARE, find_objects, find_pieces


def two_things() -> Prediction:
    """A far one on the left and a near one on the right of 100×200 pixels, and a speck."""
    mask, depth = np.zeros((100, 200), np.float32), np.zeros((100, 200), np.float32)
    mask[10:30, 20:60], depth[10:30, 20:60] = 1.0, 2.0
    mask[40:90, 120:140], depth[40:90, 120:140] = 0.5, 5.0
    mask[50, 5:8] = 1
    mask[60:80, 20:60] = 0.49
    return Prediction(mask, depth)


class TestPlaces:
    def test_boxes_areas_and_where_they_stand(self):
        near, far = find_objects(two_things())
        assert near["order"] == 1 and far["order"] == 2
        assert near["box_px"] == {"left": 120, "top": 40, "width": 20, "height": 50}
        assert far["box_px"] == {"left": 20, "top": 10, "width": 40, "height": 20}
        assert far["area_px"] == 800 and far["area_share"] == 800 / 20000
        assert far["centroid_px"] == [39.5, 19.5]
        assert far["contact_px"][1] == 29 and 20 <= far["contact_px"][0] < 60
        assert not far["contact_cut_off"]

    def test_specks_are_left_out_by_area(self):
        mask = np.zeros((200, 200), np.float32)
        mask[10:14, 10:14], mask[50:54, 50:55] = 1, 1  # 16 and 20 of 40,000 pixels
        assert MIN_AREA_SHARE == 20 / 40_000
        assert [thing["area_px"] for thing in find_objects(Prediction(mask, mask))] == [20]

    def test_corners_that_touch_are_one_thing(self):
        mask = np.zeros((40, 40), np.float32)
        mask[5:10, 5:10], mask[10:15, 10:15] = 1, 1
        assert len(find_pieces(mask)) == 1

    def test_the_contact_of_a_leaning_thing_is_its_foot(self):
        mask = cv2.line(np.zeros((100, 100), np.float32), (20, 10), (70, 80), 1.0, 5)
        (thing,) = find_objects(Prediction(mask, mask))
        assert abs(thing["contact_px"][0] - 70) <= 3 and abs(thing["contact_px"][1] - 80) <= 3

    def test_a_thing_that_leaves_the_picture_below_says_so(self):
        mask = np.zeros((50, 50), np.float32)
        mask[20:, 10:20] = 1
        (thing,) = find_objects(Prediction(mask, mask))
        assert thing["contact_cut_off"] and thing["contact_px"][1] == 49

    def test_nothing_is_an_empty_list(self):
        empty = np.zeros((30, 40), np.float32)
        assert find_objects(Prediction(empty, empty)) == []

    def test_places_are_told_in_pixels_of_the_whole_photo(self):
        small, large = (find_objects(two_things(), size=size)[1] for size in ((100, 200), (400, 800)))
        assert large["box_px"] == {key: 4 * value for key, value in small["box_px"].items()}
        assert large["area_px"] == 16 * small["area_px"] and large["area_share"] == small["area_share"]
        assert large["centroid_px"] == [159.5, 79.5]
        assert large["contact_px"][1] == 118

    @given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 40))
    def test_boxes_hold_what_the_mask_holds(self, seed, height, width):
        rng = np.random.default_rng(seed)
        mask = cv2.blur(rng.random((height, width), np.float32), (3, 3))
        things = find_objects(Prediction(mask, mask))
        inside = mask >= 0.5
        assert sum(thing["area_px"] for thing in things) == inside.sum()  # a pixel of 1,600 is no speck
        for thing in things:
            box, (x, y) = thing["box_px"], thing["contact_px"]
            assert 0 <= box["left"] <= box["left"] + box["width"] <= width
            assert 0 <= box["top"] <= box["top"] + box["height"] <= height
            assert y == box["top"] + box["height"] - 1 and box["left"] <= x < box["left"] + box["width"]
            assert thing["area_px"] <= box["width"] * box["height"]
        assert [thing["order"] for thing in things] == list(range(1, len(things) + 1))


class TestDepth:
    def test_relative_depth_is_called_so(self):
        near, far = find_objects(two_things())
        assert (near["median_inverse_depth"], far["nearest_inverse_depth"]) == (5.0, 2.0)
        assert not [key for key in near if key.endswith("_m")]

    def test_metres_when_they_are_known(self):
        depth_m = np.full((100, 200), 3.0, np.float32)
        depth_m[10:30, 20:60] = 1.5
        depth_m[10:13, 20:60] = 1.25
        depth_m[13, 20:60] = 0  # unknown
        near, far = find_objects(two_things(), depth_m)
        assert (near["nearest_depth_m"], near["median_depth_m"]) == (1.25, 1.5)
        assert far["median_depth_m"] == 3.0 and near["box_px"]["left"] == 20

    def test_a_few_pixels_do_not_make_it_nearer(self):
        depth_m = np.full((100, 200), 3.0, np.float32)
        depth_m[12, 20:30] = 0.1
        assert all(thing["nearest_depth_m"] == 3.0 for thing in find_objects(two_things(), depth_m))

    def test_unknown_depth_comes_last(self):
        depth_m = np.zeros((100, 200), np.float32)
        depth_m[10:30, 20:60] = 9.0
        known, unknown = find_objects(two_things(), depth_m)
        assert known["median_depth_m"] == 9.0
        assert unknown["median_depth_m"] is None and unknown["order"] == 2


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with model.onnx, background.png and photos of one and two things, as the working directory."""
    monkeypatch.chdir(tmp_path)
    Path("model.onnx").write_bytes(tiny_model.model_bytes())
    Path("photos").mkdir()
    photo = np.full((64, 64, 3), 80, np.uint8)
    write_png("background.png", photo)
    photo[10:20, 10:20] = 160
    write_png("photos/one.png", photo)
    photo[30:50, 30:50] = 255
    write_png("photos/two.png", photo)
    return tmp_path


def report(*words) -> int:
    command = ["predict", "photos", "--background", "background.png", "-o", "out", "--model", "model.onnx"]
    return main([*command, "--report", "report.json", *words])


class TestReport:
    def test_one_file_lists_every_picture(self, here, capsys):
        assert report() == 0
        assert capsys.readouterr().out.splitlines()[-1] == "report.json"
        found = json.loads(Path("report.json").read_text())
        assert (found["format"], found["version"], found["mask_threshold"]) == ("mdeas-report", 1, 0.5)
        one, two = found["pictures"]
        assert (one["image"], one["height"], one["width"], one["model"]) == ("photos/one.png", 64, 64, "tiny")
        assert len(one["objects"]) == 1 and len(two["objects"]) == 2
        # The brighter one is nearer to this model.
        assert abs(two["objects"][0]["box_px"]["left"] - 30) <= 1
        assert abs(two["objects"][1]["area_px"] - 100) <= 40

    def test_without_one_nothing_is_looked_for(self, here, monkeypatch):
        monkeypatch.setattr(photos, "find_objects", None)
        (one, two) = photos.predict_files(
            ["photos"], "background.png", "out", model=ModelChoice(model="model.onnx")
        )
        assert "objects" not in one | two

    def test_metres_of_a_calibrated_camera(self, here):
        write_png("map.png", np.full((64, 64), 2500, np.uint16))
        model = ["--background", "background.png", "--model", "model.onnx"]
        assert main(["calibrate", *model, "--depth", "map.png", "-o", "camera.json"]) == 0
        assert report("--calibration", "camera.json") == 0
        (thing,) = json.loads(Path("report.json").read_text())["pictures"][0]["objects"]
        assert thing["median_depth_m"] == thing["nearest_depth_m"] == 2.5

    def test_what_failed_is_in_the_list_of_errors_alone(self, here):
        Path("photos/bad.png").write_bytes(b"no picture")
        assert report() == 3
        pictures = json.loads(Path("report.json").read_text())["pictures"]
        assert [picture["image"] for picture in pictures] == ["photos/one.png", "photos/two.png"]

    def test_a_report_is_not_overwritten_without_force(self, here):
        Path("report.json").write_text("mine")
        assert report() == 4
        assert Path("report.json").read_text() == "mine" and not Path("out").exists()
        assert report("--force") == 0
