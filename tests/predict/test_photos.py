import json
import os
from pathlib import Path

import numpy as np
import pytest
import tiny_model

from mdeas.errors import InputError, StorageError, UsageError
from mdeas.images import photo
from mdeas.images.codec import read_depth16, read_gray, read_rgb, read_rgba, write_png
from mdeas.predict import encode, outputs, photos
from mdeas.runtime import ModelChoice, onnx_predictor
from mdeas.system.files import write_bytes
from mdeas.system.names import output_names

MODEL = ModelChoice(model="model.onnx", threads=1)
USUAL = [row.kind for row in outputs.OUTPUT_FILES if row.asked_by == "always"]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with model.onnx, background.png and photos/, as the working directory."""
    monkeypatch.chdir(tmp_path)
    Path("model.onnx").write_bytes(tiny_model.model_bytes())
    Path("photos").mkdir()
    write_png("background.png", scene())
    return tmp_path


def scene(height=48, width=64, square=None):
    """A soft gradient; `square` is the colour of what is added."""
    photo = np.empty((height, width, 3), np.uint8)
    photo[:] = np.linspace(40, 120, height)[:, None, None]
    if square is not None:
        photo[height // 3 : height // 3 * 2, width // 3 : width // 3 * 2] = square
    return photo


def run(images, background="background.png", out="out", **options):
    images = [images] if isinstance(images, str) else images
    return photos.predict_files(images, background, out, model=MODEL, **options)


def caught(error, *arguments, **options):
    with pytest.raises(error) as found:
        run(*arguments, **options)
    return found.value


def test_outputs_of_one_photo(here):
    write_png("photos/a.png", scene(square=255))
    told = []
    (result,) = run("photos/a.png", tell=told.append)
    assert told == [result[kind] for kind in USUAL]
    assert sorted(os.listdir("out")) == sorted(f"a-{kind}" for kind in USUAL)

    expected = onnx_predictor.load("model.onnx").predict(scene(), scene(square=255))
    mask = read_gray(result["mask.png"])
    np.testing.assert_array_equal(mask, np.rint(expected.mask * 255))
    cutout = read_rgba(result["cutout.png"])
    np.testing.assert_array_equal(cutout[..., 3], mask)
    assert cutout[mask >= 128][:, :3].min() == 255  # the square is white, its edge shows the backdrop, too

    facts = json.loads(Path(result["depth.json"]).read_text())
    depth = facts["offset"] + facts["scale"] * read_depth16(result["depth.png"])
    np.testing.assert_allclose(depth, expected.depth, atol=facts["scale"])
    assert facts["kind"] == "relative" and facts["range"] == [expected.depth.min(), expected.depth.max()]
    assert (facts["height"], facts["width"], facts["model"]) == (48, 64, "tiny")

    assert read_rgb(result["depth-color.png"]).shape == (48, 64, 3)
    panel = read_rgb(result["panel.png"])
    assert panel.shape[1] > 5 * 300 and 240 < panel.shape[0] < 280  # no taller than five 4:3 pictures


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (1, 700), (500, 3)])
def test_outputs_have_the_photos_size(here, size):
    write_png("b.png", scene(*size))
    write_png("a.png", scene(*size, square=250))
    (result,) = run("a.png", "b.png")
    assert read_gray(result["mask.png"]).shape == size
    assert read_depth16(result["depth.png"]).shape == size
    assert read_rgba(result["cutout.png"]).shape == (*size, 4)


def test_large_photos_are_predicted_smaller_and_written_whole(here, monkeypatch):
    monkeypatch.setattr(photo, "MAX_VIEW", 32)
    write_png("photos/a.png", scene(square=255))
    (result,) = run("photos/a.png")
    mask = read_gray(result["mask.png"])
    assert mask.shape == (48, 64) and mask[24, 32] > 200 and mask[2, 2] < 50


def test_files_made_one_by_one_are_the_same(here, monkeypatch):
    write_png("photos/a.png", scene(square=255))
    (together,) = run("photos/a.png")
    monkeypatch.setattr(outputs, "_MAX_TOGETHER", 0)
    (single,) = run("photos/a.png", out="single")
    for kind in USUAL:
        assert Path(together[kind]).read_bytes() == Path(single[kind]).read_bytes()


@pytest.mark.parametrize("most_together", [0, 10**7])
def test_an_output_that_cannot_be_written_ends_it(here, monkeypatch, most_together):
    def full(path, data, *, force):
        if path.name.endswith("depth.json"):
            raise StorageError("E-FULL", "no room")
        return write_bytes(path, data, force=force)

    monkeypatch.setattr(outputs, "write_bytes", full)
    monkeypatch.setattr(outputs, "_MAX_TOGETHER", most_together)
    write_png("photos/a.png", scene(square=255))
    assert caught(StorageError, "photos/a.png").code == "E-FULL"


def test_constant_depth_has_scale_zero():
    flat = np.full((3, 4), 2.5, np.float32)
    facts = encode.depth_scale(flat)
    assert not encode.depth_levels(flat).any() and facts["scale"] == 0 and facts["offset"] == 2.5


def test_a_folder_leaves_the_background_out(here):
    write_png("photos/a.png", scene(square=255))
    write_png("photos/empty.png", scene())
    results = run("photos", "photos/empty.png")
    assert [Path(result["image"]).name for result in results] == ["a.png"]
    assert caught(InputError, "photos/empty.png", "photos/none.png").code == "E-IMG-MISSING"


def test_the_rest_of_a_folder_is_finished(here):
    for name in ("a", "c", "d"):
        write_png(f"photos/{name}.png", scene(square=255))
    write_png("photos/size.png", scene(20, 64))
    Path("photos/b.jpg").write_bytes(b"no picture")
    Path("photos/c.png").write_bytes(Path("photos/c.png").read_bytes()[:-40])
    error = caught(InputError, "photos")
    assert (error.code, error.exit_code) == ("E-SOME-FAILED", 3) and "3 of 5" in str(error)
    lines = [json.loads(line) for line in Path("out/errors.jsonl").read_text().splitlines()]
    assert [Path(line["image"]).name for line in lines] == ["b.jpg", "c.png", "size.png"]
    assert lines[2]["code"] == "E-PAIR-SIZE"
    assert {name.split("-")[0] for name in os.listdir("out")} == {"a", "d", "errors.jsonl"}


def test_the_error_of_a_single_photo_is_its_own(here):
    write_png("photos/a.png", scene(20, 64))
    assert caught(InputError, "photos/a.png").code == "E-PAIR-SIZE"
    assert caught(InputError, "photos/missing.png", force=True).code == "E-IMG-MISSING"


def test_the_list_of_errors_goes_when_there_are_none(here):
    write_png("photos/a.png", scene(20, 64))
    caught(InputError, "photos/a.png")
    caught(InputError, "photos/missing.png")
    assert "E-IMG-MISSING" in Path("out/errors.jsonl").read_text()
    write_png("photos/a.png", scene(square=255), force=True)
    run("photos/a.png")
    assert not Path("out/errors.jsonl").exists()


def test_an_unusable_background_ends_it(here):
    write_png("photos/a.png", scene(square=255))
    assert caught(InputError, "photos/a.png", "missing.png").code == "E-IMG-MISSING"
    assert not Path("out").exists()


def test_an_empty_folder_is_refused(here):
    assert caught(InputError, "photos").code == "E-NO-IMAGES"
    write_png("photos/empty.png", scene())
    assert caught(InputError, "photos", "photos/empty.png").code == "E-NO-IMAGES"


def test_nothing_is_overwritten_without_force(here):
    write_png("photos/a.png", scene(square=255))
    run("photos/a.png")
    before = {path: path.read_bytes() for path in Path("out").iterdir()}
    write_png("photos/a.png", scene(square=10), force=True)
    assert caught(StorageError, "photos/a.png").code == "E-EXISTS"
    assert {path: path.read_bytes() for path in Path("out").iterdir()} == before
    run("photos/a.png", force=True)
    assert {path: path.read_bytes() for path in Path("out").iterdir()} != before


def test_an_input_is_never_overwritten(here):
    write_png("photos/a.png", scene(square=255))
    write_png("photos/a-mask.png", scene(square=255))
    error = caught(UsageError, ["photos/a.png", "photos/a-mask.png"], out="photos", force=True)
    assert error.code == "E-OUT-IS-INPUT"
    os.symlink("../background.png", "photos/a-depth.png")
    assert caught(UsageError, "photos/a.png", out="photos", force=True).code == "E-OUT-IS-INPUT"


def test_clashing_names_are_both_kept(here):
    for folder in ("photos", "more"):
        os.makedirs(folder, exist_ok=True)
        for name in ("a.png", "a.bmp.png"):
            write_png(f"{folder}/{name}", scene(square=255))
    os.rename("photos/a.bmp.png", "photos/a.bmp")  # content decides the format
    results = run(["photos", "more"])
    assert len({result["mask.png"] for result in results}) == 4


def test_another_resolution_is_told(here, capsys):
    write_png("photos/a.png", scene(96, 128, square=255))
    (result,) = run("photos/a.png")
    assert result["warnings"][0].startswith("W-PAIR-RESIZED")
    assert "warning[W-PAIR-RESIZED] 'photos/a.png'" in capsys.readouterr().err
    assert read_gray(result["mask.png"])[48, 64] > 200


def test_identical_photos_are_told_and_give_an_empty_mask(here):
    (result,) = run("background.png")
    assert result["warnings"][0].startswith("W-PAIR-IDENTICAL")
    assert read_gray(result["mask.png"]).max() < 128


@pytest.mark.parametrize(
    "paths, expected",
    [
        (["x/a.png", "x/b.png"], ["a", "b"]),
        (["x/a.png", "x/a.jpg"], ["a.png", "a.jpg"]),
        (["x/a.png", "x/A.png"], ["a.png", "A.png-2"]),
        (["x/a.png", "y/a.png"], ["a.png", "a.png-2"]),
        (["x/a.png", "x/a.jpg", "x/a.png.bmp"], ["a.png", "a.jpg", "a.png-2"]),
        (["x/-f.png", "x/.png"], ["-f", ".png"]),
    ],
)
def test_names(paths, expected):
    assert output_names([Path(path) for path in paths]) == expected


def test_long_names_leave_room_for_endings():
    names = output_names([Path("é" * 120 + end) for end in ("a.png", "b.png")])
    assert len(set(names)) == 2 and all(len(os.fsencode(name)) < 200 for name in names)


@pytest.mark.parametrize("name", ["two\nlines", "-o", "emoji 🦊 'quoted'", "\udcff", "e\u0301", "x" * 250])
def test_odd_names(here, name):
    write_png(f"photos/{name}.png", scene(square=255))
    (result,) = run(["photos"])
    assert read_gray(result["mask.png"]).shape == (48, 64)
