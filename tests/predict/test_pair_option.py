"""What the four commands that take a pair do where it does not fit: the same."""

import contextlib
import json
import os
from pathlib import Path

import numpy as np
import pytest
import tiny_model
from tiny_pair import scene, taken

from mdeas.cli import main
from mdeas.images.codec import read_rgb, read_rgba, write_png
from mdeas.images.video import VideoReader, write_video

COMMANDS = {
    "predict": ["predict", "images/a.png", "--background", "empty/b.png", "-o", "out"],
    "compose": ["compose", "images/a.png", "--background", "empty/b.png", "--insert", "insert.png"],
    "video": ["video", "a.mp4", "--background", "empty/b.png", "-o", "out.mp4"],
    "cutouts": ["create", "cutouts", "--images", "images", "--backgrounds", "empty", "-o", "out"],
}
COMMANDS["compose"] += ["--at", "60,60", "-o", "out.png"]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A pair whose camera moved and whose light changed, as photos and as a video, and the rest."""
    monkeypatch.chdir(tmp_path)
    Path("model.onnx").write_bytes(tiny_model.model_bytes())
    given(*taken(shift=(9.0, 4.0), gain=(0.6, 0.6, 0.6)))
    write_png("insert.png", np.full((20, 20, 4), 255, np.uint8))
    return tmp_path


def given(background, image):
    write_png("empty/b.png", background, force=True)
    write_png("images/a.png", image, force=True)
    write_video("a.mp4", [image] * 2, 10.0, force=True)


def run(command, *options):
    return main([*COMMANDS[command], "--model", "model.onnx", "--force", *options])


@pytest.mark.parametrize("command", COMMANDS)
def test_the_background_is_mended_left_alone_or_refused(here, command, capsys):
    assert run(command) == 0
    said = capsys.readouterr().err
    name = "a.mp4" if command == "video" else "images/a.png"
    assert f"warning[W-PAIR-FIXED] '{name}': the camera moved by" in said
    assert run(command, "--pair", "off") == 0
    assert "W-PAIR" not in capsys.readouterr().err
    assert run(command, "--pair", "strict") == 3
    assert "error[E-PAIR-UNFIT]" in capsys.readouterr().err


@pytest.mark.parametrize("command", COMMANDS)
def test_another_scene_is_refused_by_name_unless_it_is_asked_for(here, command, capsys):
    given(scene(), scene(7))
    assert run(command) == 3
    last = capsys.readouterr().err.splitlines()[-1]
    name = "a.mp4" if command == "video" else "images/a.png"
    assert f"error[E-PAIR-SCENE] 'empty/b.png' and '{name}': they share no structure" in last
    assert last.endswith("or pass --pair off.")
    assert run(command, "--pair", "off") == 0


def test_a_mended_video_shows_the_thing_alone(here):
    wrong = {}
    for pair in ("off", "auto"):
        assert run("video", "--pair", pair) == 0
        with contextlib.closing(VideoReader("out.mp4")) as reader:
            mask = next(iter(reader))[1][20:260, 320:]
        wrong[pair] = (mask[[5, -5]] > 128).mean()  # the thing is in the middle
    assert wrong["off"] > 0.2 and wrong["auto"] < 0.01


def test_a_video_that_begins_in_the_dark_is_mended_once_it_shows_something(here, capsys):
    image = read_rgb("images/a.png")
    write_video("a.mp4", [np.zeros_like(image)] * 3 + [image] * 2, 10.0, force=True)
    assert run("video") == 0
    said = capsys.readouterr().err
    assert said.count("W-PAIR-BLACK") == 1 and said.count("W-PAIR-FIXED") == 1
    assert run("video", "--pair", "strict") == 3  # because of the pair, which had to be mended
    assert "error[E-PAIR-BLACK]" not in capsys.readouterr().err


def test_a_mended_pair_gives_a_cut_out_of_the_thing_alone(here):
    assert run("cutouts") == 0
    height, width = read_rgba("out/a.png").shape[:2]
    assert max(height, width) < 110  # a disc 80 across; nearly the whole picture otherwise


def test_photos_that_could_not_be_used_do_not_stand_in_the_way_of_the_next_try(here):
    given(scene(), scene(7))
    words = [*COMMANDS["predict"], "--model", "model.onnx"]
    assert main(words) == 3
    assert json.loads(Path("out/errors.jsonl").read_text())["code"] == "E-PAIR-SCENE"
    assert main([*words, "--pair", "off"]) == 0
    assert "errors.jsonl" not in os.listdir("out")
