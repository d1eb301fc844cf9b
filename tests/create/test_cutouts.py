"""Cut-outs from pairs: no colour of the old background, no specks; a bad picture does not stop the others."""

import json
import os

import numpy as np
import pytest
import tiny_model
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mdeas.cli import main
from mdeas.create.assets import Asset, load_cutout
from mdeas.images.codec import read_rgba, write_png
from mdeas.subject.cutouts import cut_outs

SIZE = 40


def disc(centre=SIZE / 2, radius=10.0, soft=6.0):
    """float32 (SIZE, SIZE): 1 inside, falling to 0 over `soft` pixels."""
    y, x = np.mgrid[:SIZE, :SIZE] - np.float32(centre)
    return ((radius - np.hypot(x, y)) / soft + 0.5).clip(0, 1).astype(np.float32)


def over(colours, background, alpha):
    return alpha[..., None] * colours + (1 - alpha[..., None]) * background


def noise(seed, low=0, high=255):
    return np.random.default_rng(seed).integers(low, high, (SIZE, SIZE, 3)).astype(np.float32)


def test_a_cut_out_is_trimmed_with_a_margin_and_without_specks():
    mask = disc(radius=8, soft=1)
    mask[1, 1] = 1
    (found,) = cut_outs(noise(0).astype(np.uint8), noise(1).astype(np.uint8), mask)
    rows, columns = (np.flatnonzero(found[..., 3].any(axis=axis)) for axis in (1, 0))
    assert found.dtype == np.uint8 and found.shape[2] == 4
    for used, side in ((rows, found.shape[0]), (columns, found.shape[1])):
        assert (used[0], side - 1 - used[-1]) == (4, 4)


def test_things_that_stand_apart_may_be_apart():
    mask = np.maximum(disc(10, 5, 1), disc(29, 7, 1))
    photos = noise(0).astype(np.uint8), noise(1).astype(np.uint8)
    assert len(cut_outs(*photos, mask)) == 1
    small, large = cut_outs(*photos, mask, split_objects=True)
    assert small.shape[0] < large.shape[0] < 30


@settings(deadline=None)  # the first call may be slow on a busy machine
@given(mask=arrays(np.float32, (5, 7), elements=st.floats(0, 1, width=32)), split=st.booleans())
def test_any_mask(mask, split):
    photo = np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3)
    found = cut_outs(photo, photo[::-1], mask, split_objects=split)
    assert bool(found) == bool((mask >= 0.5).any())
    assert all((piece[..., 3] >= 127).any() for piece in found)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with model.onnx and two photos in images/ of the one in backgrounds/."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.onnx").write_bytes(tiny_model.model_bytes())
    for folder in ("images", "backgrounds"):
        (tmp_path / folder).mkdir()
    write_png("backgrounds/empty.png", scene())
    write_png("images/a.png", scene(disc(radius=12, soft=1)))
    write_png("images/b.png", scene(disc(10, 8, 1)))
    return tmp_path


def scene(alpha=None):
    """A gradient, with a white disc where `alpha` says."""
    old = np.linspace(40, 120, SIZE, dtype=np.float32)[:, None, None] * np.ones((1, SIZE, 3), np.float32)
    return np.rint(old if alpha is None else over(np.float32(250), old, alpha)).astype(np.uint8)


def run(*options):
    words = ["--images", "images", "--backgrounds", "backgrounds", "-o", "out", "--model", "model.onnx"]
    return main(["create", "cutouts", *words, *options])


def test_files_are_what_create_photos_reads(here, capsys):
    assert run() == 0
    assert capsys.readouterr().out.split() == ["out/a.png", "out/b.png"]
    assert sorted(os.listdir("out")) == ["a.png", "b.png"]
    rgba = read_rgba("out/a.png")
    assert np.median(rgba[rgba[..., 3] > 200][:, :3]) > 200
    assert load_cutout(Asset(path=here / "out" / "a.png", sha256="0" * 64, split="all")).shape[2] == 4


def test_a_background_of_the_same_name(here, capsys):
    write_png("backgrounds/a.png", scene(disc(radius=12, soft=1)))
    assert run() == 3
    error = capsys.readouterr().err
    assert "warning[W-PAIR-EMPTY] 'images/a.png'" in error and "0 of 2 backgrounds have its name" in error
    assert os.listdir("out") == ["errors.jsonl"]


def test_a_bad_picture_stops_nothing(here):
    (here / "images" / "a.png").write_bytes(b"no picture")
    assert run() == 3
    (line,) = (here / "out" / "errors.jsonl").read_text().splitlines()
    assert json.loads(line)["image"] == "images/a.png" and json.loads(line)["code"] == "E-IMG-FORMAT"
    assert sorted(os.listdir("out")) == ["b.png", "errors.jsonl"]


def test_what_is_there_is_replaced_only_by_force(here):
    assert run("--split-objects") == 0
    before = (here / "out" / "a-1.png").read_bytes()
    (here / "out" / "a-1.png").write_bytes(b"mine")
    assert run("--split-objects") == 4
    assert (here / "out" / "a-1.png").read_bytes() == b"mine"
    assert run("--split-objects", "--force") == 0
    assert (here / "out" / "a-1.png").read_bytes() == before
