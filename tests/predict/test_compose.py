"""Things put between subject and backdrop: what hides what, and that nothing else changes."""

from pathlib import Path

import numpy as np
import pytest
import tiny_model
from hypothesis import given, settings
from hypothesis import strategies as st

from mdeas.cli import main
from mdeas.errors import UsageError
from mdeas.images.codec import read_rgb, read_rgba, write_png
from mdeas.subject.insert import place_insert

H, W = 96, 128
WHITE, BLUE = (250, 250, 250), (0, 0, 255)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A white square (rows 32-63, columns 48-79) before a dark floor that gets brighter, so nearer, below."""
    monkeypatch.chdir(tmp_path)
    Path("model.onnx").write_bytes(tiny_model.model_bytes())
    photo = np.repeat(np.linspace(20, 120, H)[:, None, None], W, axis=1).repeat(3, axis=2).astype(np.uint8)
    write_png("background.png", photo)
    photo[32:64, 48:80] = WHITE
    write_png("image.png", photo)
    insert = np.zeros((50, 70, 4), np.uint8)
    insert[5:45, 5:65] = (*BLUE, 255)  # 40 rows, 60 columns, in a transparent margin
    write_png("insert.png", insert)
    return tmp_path


def run(*options, out="out.png", at="64,80"):
    words = ["--background", "background.png", "--insert", "insert.png", "--at", at, "-o", out]
    return main(["compose", "image.png", *words, "--model", "model.onnx", *options])


def is_blue(pixels):
    return (np.abs(pixels.astype(int) - BLUE).max(axis=-1) < 30).all()


def test_behind_the_subject_and_before_the_rest(here, capsys):
    assert run() == 0
    told = dict(line.split() for line in capsys.readouterr().out.splitlines())
    assert told["image"] == "out.png" and float(told["subject"]) > float(told["insert"]) > float(
        told["behind"]
    )
    found, image = read_rgb("out.png"), read_rgb("image.png")
    assert found.shape == image.shape
    assert (np.abs(found[44:60, 52:76].astype(int) - WHITE) < 8).all()  # the subject hides it
    assert is_blue(found[44:78, 36:44]) and is_blue(found[70:78, 36:92])  # it hides the floor
    outside = np.ones((H, W), bool)
    outside[40:80, 34:94] = False
    np.testing.assert_array_equal(found[outside], image[outside])


def test_the_edge_mixes_with_the_insert_and_not_with_the_old_backdrop(here):
    assert run() == 0
    # Red and green of the floor are 20 to 120; of a white thing before a blue one, they equal each other and
    # blue stays full, whatever the mask's softness.
    found = read_rgb("out.png")[44:60, 40:88]
    assert found[..., 2].min() > 210


@pytest.mark.parametrize("depth, at_subject, at_floor", [("1", "blue", "blue"), ("0", "white", "floor")])
def test_depth_decides_pixel_by_pixel(here, depth, at_subject, at_floor):
    assert run("--depth", depth) == 0
    found, image = read_rgb("out.png"), read_rgb("image.png")
    seen = {True: {"blue": is_blue(found[50, 64])}, False: {"blue": is_blue(found[75, 40])}}
    assert seen[True]["blue"] == (at_subject == "blue") and seen[False]["blue"] == (at_floor == "blue")
    if depth == "0":
        assert np.abs(found.astype(int) - image).max() < 30


def test_a_floor_hides_what_is_farther(here):
    # The floor's depth rises from 40 * 20 / 255 to 40 * 120 / 255, the square has 40 * 250 / 255.
    assert run("--depth", str((85 - 20) / (250 - 20))) == 0
    found = read_rgb("out.png")
    assert is_blue(found[45:55, 40]) and not is_blue(found[75:79, 40])


def test_height_scales_it(here):
    assert run("--height", "20") == 0
    changed = (read_rgb("out.png") != read_rgb("image.png")).any(axis=2)
    rows, columns = (np.flatnonzero(changed.any(axis=axis)) for axis in (1, 0))
    assert rows.max() == 79 and rows.min() >= 60 and np.ptp(columns) == 29


def test_haze_around_a_thing_is_not_measured(here):
    hazy = read_rgba("insert.png")
    hazy[..., 3] = np.maximum(hazy[..., 3], 3)
    hazy = np.pad(hazy, ((30, 60), (0, 90), (0, 0)), mode="edge")
    write_png("insert.png", hazy, force=True)
    assert run("--height", "20") == 0
    changed = np.abs(read_rgb("out.png").astype(int) - read_rgb("image.png")).max(axis=2) > 30
    rows, columns = (np.flatnonzero(changed.any(axis=axis)) for axis in (1, 0))
    assert rows.max() == 79 and rows.min() >= 60 and abs(columns.mean() - 63.5) <= 1


@pytest.mark.parametrize(
    "options, at, code, status",
    [
        ([], "64", "E-AT", 2),
        ([], "a,b", "E-AT", 2),
        ([], "500,80", "E-INSERT-OUTSIDE", 2),
        (["--depth", "1.5"], "64,80", "E-DEPTH-LEVEL", 2),
        (["--height", "90000"], "64,80", "E-INSERT-SIZE", 3),
    ],
)
def test_mistakes_are_told(here, capsys, options, at, code, status):
    assert run(*options, at=at) == status
    assert f"error[{code}]" in capsys.readouterr().err and not Path("out.png").exists()


def test_what_lies_in_the_photo_with_its_transparent_corner_alone_is_outside(here, capsys):
    round_ = read_rgba("insert.png")
    round_[30:, 30:] = 0
    write_png("insert.png", round_, force=True)
    assert run(at="0,12") == 2  # its right half is there, the lowest 12 rows
    assert "error[E-INSERT-OUTSIDE]" in capsys.readouterr().err


def test_without_a_subject_no_depth_of_one_is_told(here, capsys):
    assert run() == 0
    with_it = dict(line.split() for line in capsys.readouterr().out.splitlines())
    write_png("image.png", read_rgb("background.png"), force=True)
    assert run("--force") == 0
    told = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert told["subject"] == "unknown" != with_it["subject"] and told["insert"] == told["behind"]


def test_an_empty_insert_is_refused(here, capsys):
    write_png("insert.png", np.zeros((4, 4, 4), np.uint8), force=True)
    assert run() == 3 and "E-INSERT-EMPTY" in capsys.readouterr().err


def test_nothing_is_overwritten(here, capsys):
    assert run(out="image.png") == 2 and run("--force", out="insert.png") == 2
    assert "E-OUT-IS-INPUT" in capsys.readouterr().err
    assert run() == 0 and run() == 4 and run("--force") == 0


def test_photos_of_another_aspect_are_refused(here, capsys):
    write_png("background.png", np.zeros((H, H, 3), np.uint8), force=True)
    assert run() == 3 and "E-PAIR-SIZE" in capsys.readouterr().err


@settings(deadline=None, max_examples=50)
@given(
    x=st.floats(-30, 60),
    y=st.floats(-30, 60),
    height=st.integers(1, 40),
    size=st.tuples(st.integers(1, 30), st.integers(1, 30)),
)
def test_an_insert_lies_within_the_photo_or_is_refused(x, y, height, size):
    cutout = np.full((7, 5, 4), 255, np.uint8)
    try:
        insert = place_insert(cutout, "'a'", (x, y), height, size)
    except UsageError as error:
        assert error.code == "E-INSERT-OUTSIDE"
        return
    rows, columns = insert.window(size)
    assert 0 <= rows.start < rows.stop <= size[0] and 0 <= columns.start < columns.stop <= size[1]
    assert insert.seen(rows, columns).shape == (rows.stop - rows.start, columns.stop - columns.start, 4)
