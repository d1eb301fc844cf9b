"""The table of files that `mdeas predict` writes: each option asks for its own, and nothing is made twice."""

import os
from pathlib import Path

import numpy as np
import pytest
from tiny_camera import calibrate, folder, with_thing
from tiny_pair import taken

from mdeas.images.codec import write_png
from mdeas.predict import outputs
from mdeas.predict.outputs import OUTPUT_FILES, OutputChoice
from mdeas.predict.photos import predict_files
from mdeas.runtime.choice import ModelChoice
from mdeas.runtime.onnx_predictor import OnnxPredictor

MODEL = ModelChoice(model="model.onnx", threads=1)
USUAL = {"mask.png", "depth.png", "depth.json", "cutout.png", "depth-color.png", "panel.png"}
METRES = {"depth-m.png", "depth-m.json"}
LAYERS = {"foreground-depth.png", "background-depth.png", "layers.json"}


@pytest.fixture
def here(tmp_path, monkeypatch):
    return folder(tmp_path, monkeypatch)


def run(*, out="out", images=("image.png",), **options):
    choice = OutputChoice(**{name: options.pop(name) for name in ("layers", "cloud") if name in options})
    return predict_files(images, "background.png", out, model=MODEL, outputs=choice, **options)


@pytest.mark.parametrize(
    "options, more",
    [
        ({}, set()),
        ({"calibration": "camera.json"}, METRES),
        ({"layers": True}, LAYERS),
        ({"cloud": "ply"}, {"cloud.ply"}),
        ({"cloud": "glb", "layers": True, "calibration": "camera.json"}, METRES | LAYERS | {"cloud.glb"}),
    ],
)
def test_an_option_asks_for_its_files_alone(here, options, more):
    if "calibration" in options:
        assert calibrate("--depth", "map.png") == 0
    told = []
    (result,) = run(tell=told.append, **options)
    assert set(os.listdir("out")) == {f"image-{kind}" for kind in USUAL | more}
    order = [row.kind for row in OUTPUT_FILES if row.kind in USUAL | more]
    assert told == [result[kind] for kind in order] == [f"out/image-{kind}" for kind in order]


def test_every_row_is_asked_for_by_some_option():
    kinds = [row.kind for row in OUTPUT_FILES]
    assert len(set(kinds)) == len(kinds)
    assert set(kinds) == USUAL | METRES | LAYERS | {"cloud.ply", "cloud.glb"}


def test_all_files_made_one_by_one_are_the_same(here, monkeypatch):
    assert calibrate("--depth", "map.png") == 0
    options = {"layers": True, "cloud": "ply", "calibration": "camera.json"}
    run(**options)
    monkeypatch.setattr(outputs, "_MAX_TOGETHER", 0)
    run(out="single", **options)
    for name in os.listdir("out"):
        assert Path("out", name).read_bytes() == Path("single", name).read_bytes(), name


class TestTheNetworkRuns:
    """How often, for three photos."""

    @pytest.fixture
    def runs(self, here, monkeypatch):
        for number in range(3):
            write_png(f"{number}.png", with_thing(rows=slice(20, 50 + number)))
        pairs = []
        predict = OnnxPredictor.predict

        def counted(self, background, image):
            pairs.append((background, image))
            return predict(self, background, image)

        monkeypatch.setattr(OnnxPredictor, "predict", counted)
        return pairs

    @pytest.mark.parametrize(
        "options, times", [({}, 3), ({"layers": True}, 4), ({"cloud": "ply", "layers": True}, 4)]
    )
    def test_once_a_photo_and_once_for_the_empty_scene(self, runs, options, times):
        run(images=["0.png", "1.png", "2.png"], pair="off", **options)
        assert len(runs) == times

    @pytest.mark.parametrize("how", ["--depth", "--point"])
    def test_metres_need_no_more(self, runs, how):
        points = ["--point", "5,2=8", "--point", "5,93=2"]
        assert calibrate(*(["--depth", "map.png"] if how == "--depth" else points)) == 0
        runs.clear()
        options = {"cloud": "ply", "calibration": "camera.json", "pair": "off"}
        run(images=["0.png", "1.png", "2.png"], **options)
        assert len(runs) == (3 if how == "--depth" else 4)

    def test_again_where_the_background_was_moved(self, runs):
        background, image = taken(shift=(9.0, 4.0))
        write_png("background.png", background, force=True)
        write_png("0.png", background // 2 * 2, force=True)  # fits as it is
        write_png("1.png", image, force=True)
        run(images=["0.png", "1.png"], layers=True)
        empty = [first for first, second in runs if first is second]
        assert len(runs) == 4 and len(empty) == 2
        assert not np.array_equal(*empty) and np.array_equal(empty[0], background)
