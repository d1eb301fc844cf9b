"""Depth of subject and backdrop, each without the other's."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import tiny_model

from mdeas.cli import main
from mdeas.images.codec import read_depth16, write_png
from mdeas.runtime.predictor import Prediction
from mdeas.subject.depths import EmptyDepth, split_depth

H, W = 60, 80


class Said:
    """A predictor that knows one scene's depth up to scale and shift."""

    name, tasks = "said", ("mask", "depth")

    def __init__(self, depth):
        self.depth = depth

    def predict(self, background, image):
        np.testing.assert_array_equal(background, image)
        return Prediction(np.zeros_like(self.depth), self.depth)


def floor_depth():
    """A floor: float32 (H, W), 1 above to 5 below."""
    return np.repeat(np.linspace(1, 5, H, dtype=np.float32)[:, None], W, axis=1)


def subject_mask():
    mask = np.zeros((H, W), np.float32)
    mask[15:50, 25:55] = 1
    return mask


def split(empty, depth, mask):
    return split_depth(EmptyDepth(Said(empty)).of(np.zeros((H, W, 3), np.uint8)), Prediction(mask, depth))


def test_scale_and_shift_are_those_of_the_uncovered_part():
    mask = subject_mask()
    depth = np.where(mask > 0, np.float32(6), floor_depth())
    layers = split((floor_depth() - 7) / 2, depth, mask)
    assert (layers.scale, layers.shift, layers.fitted) == (
        pytest.approx(2, abs=1e-3),
        pytest.approx(7, abs=1e-2),
        True,
    )
    np.testing.assert_allclose(layers.background_depth, floor_depth(), atol=0.02)
    np.testing.assert_allclose(layers.foreground_depth[mask > 0], 6, atol=0.02)
    assert layers.misfit < 0.01


def test_the_ramp_at_the_edge_belongs_to_neither():
    import cv2

    mask = cv2.GaussianBlur(subject_mask(), (0, 0), 1)
    depth = floor_depth() * (1 - mask) + 8 * mask
    layers = split(floor_depth(), depth, mask)
    seen = mask > 0.3
    assert np.abs(layers.foreground_depth - 8)[seen].max() < 1 < 3 < np.abs(depth - 8)[seen].max()
    assert np.abs(layers.background_depth - floor_depth()).max() < 0.3


def test_what_is_behind_is_never_nearer_than_the_subject():
    mask = subject_mask()
    layers = split(floor_depth(), np.where(mask > 0, np.float32(2), floor_depth()), mask)
    assert (layers.background_depth <= layers.foreground_depth + 1e-4)[mask == 1].all()


@pytest.mark.parametrize("mask", [np.ones((H, W), np.float32), np.zeros((H, W), np.float32)])
def test_all_or_nothing_covered(mask):
    layers = split(2 * floor_depth(), floor_depth(), mask)
    assert layers.fitted == (not mask.any())
    for depth in (layers.foreground_depth, layers.background_depth):
        assert depth.shape == (H, W) and np.isfinite(depth).all()
    if not mask.any():
        np.testing.assert_allclose(layers.background_depth, floor_depth(), atol=1e-3)


def test_depth_of_a_scene_that_tells_nothing_is_not_fitted():
    layers = split(np.ones((H, W), np.float32), floor_depth(), subject_mask())
    assert (layers.scale, layers.shift, layers.fitted) == (1.0, 0.0, False)


def test_the_empty_scene_is_predicted_again_only_for_another_background():
    class Counting(Said):
        calls = 0

        def predict(self, background, image):
            self.calls += 1
            return super().predict(background, image)

    empty = EmptyDepth(Counting(floor_depth()))
    photo = np.zeros((H, W, 3), np.uint8)
    for background in (photo, photo, photo.copy()):
        np.testing.assert_array_equal(empty.of(background), floor_depth())
    assert empty.predictor.calls == 1
    empty.of(photo + 1)
    assert empty.predictor.calls == 2


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("model.onnx").write_bytes(tiny_model.model_bytes())
    photo = np.repeat(np.linspace(40, 120, 48)[:, None, None], 64, axis=1).repeat(3, axis=2).astype(np.uint8)
    write_png("background.png", photo)
    photo[16:32, 20:40] = 250
    write_png("a.png", photo)
    return tmp_path


def run(*options):
    return main(
        ["predict", "a.png", "--background", "background.png", "-o", "out", "--model", "model.onnx", *options]
    )


def test_files_say_how_to_read_them(here, capsys):
    assert run("--layers") == 0
    assert capsys.readouterr().out.split()[-3:] == [
        f"out/a-{kind}" for kind in ("foreground-depth.png", "background-depth.png", "layers.json")
    ]
    facts = json.loads(Path("out/a-layers.json").read_text())

    def depth(kind):
        return facts[kind]["offset"] + facts[kind]["scale"] * read_depth16(f"out/a-{kind}.png").astype(float)

    # The tiny model's depth is 40 times the brightness: 250 / 255 on the square, at most 120 / 255 elsewhere.
    assert depth("foreground-depth")[24, 30] == pytest.approx(40 * 250 / 255, abs=1)
    assert depth("background-depth")[24, 30] == pytest.approx(40 * 80 / 255, abs=3)
    assert (facts["height"], facts["width"], facts["model"]) == (48, 64, "tiny")
    assert facts["alignment"]["fitted"] and facts["alignment"]["scale"] == pytest.approx(1, abs=0.1)


def test_existing_layers_are_kept(here, capsys):
    os.mkdir("out")
    Path("out/a-layers.json").write_text("mine")
    assert run("--layers") == 4
    assert os.listdir("out") == ["a-layers.json"] and "E-EXISTS" in capsys.readouterr().err
    assert run() == 0 and Path("out/a-layers.json").read_text() == "mine"
