"""Odd photos through `mdeas predict`: results of the photo's size, a named warning, or one clear error."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import tiny_model
from PIL import Image

from mdeas.cli import main
from mdeas.images.codec import read_depth16, read_gray, read_rgb, read_rgba, write_png
from mdeas.predict.outputs import OUTPUT_FILES
from mdeas.runtime import onnx_predictor
from mdeas.runtime.spec import Spec


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """An empty folder with model.onnx as the working directory."""
    monkeypatch.chdir(tmp_path)
    Path("model.onnx").write_bytes(tiny_model.model_bytes())


def scene(height=60, width=80, square=None):
    """A soft gradient; `square` is the grey of what is added in the upper left."""
    photo = np.empty((height, width, 3), np.uint8)
    photo[:] = np.linspace(40, 120, width)[None, :, None]
    if square is not None:
        photo[: max(1, height // 2), : max(1, width // 2)] = square
    return photo


def predict(*words: str) -> int:
    return main(
        ["predict", *words, "-o", "out", "--model", "model.onnx", "--device", "cpu", "--threads", "1"]
    )


def check(name: str, size: tuple[int, int]) -> None:
    """All outputs of a photo are there, at its size."""
    kinds = [row.kind for row in OUTPUT_FILES if row.asked_by == "always"]
    assert all(Path(f"out/{name}-{kind}").stat().st_size for kind in kinds)
    assert read_gray(f"out/{name}-mask.png").shape == size
    assert read_depth16(f"out/{name}-depth.png").shape == size
    assert read_rgb(f"out/{name}-depth-color.png").shape == (*size, 3)
    assert read_rgba(f"out/{name}-cutout.png").shape == (*size, 4)
    assert json.loads(Path(f"out/{name}-depth.json").read_text())["width"] == size[1]


@pytest.mark.parametrize("words", [("{}", "--background", "b.png"), ("a.png", "--background", "{}")])
def test_a_path_that_the_system_refuses_to_look_at_is_an_input_error(words, capsys):
    for name in ("a.png", "b.png"):
        write_png(name, scene())
    long = "x" * 300 + ".png"
    assert predict(*(word.format(long) for word in words)) == 3
    assert f"error[E-IMG-UNREADABLE] '{long}': File name too long. Check the path." in capsys.readouterr().err


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (2, 3), (5000, 1), (1, 5000), (20, 8000), (719, 1283)])
def test_any_size(size):
    write_png("b.png", scene(*size))
    write_png("a.png", scene(*size, square=250))
    assert predict("a.png", "--background", "b.png") == 0
    check("a", size)
    if min(size) > 4:
        mask = read_gray("out/a-mask.png")
        assert mask[0, 0] > 200 and mask[-1, -1] < 50


def cmyk(photo):
    return Image.fromarray(photo).convert("CMYK")


def with_alpha(photo):
    return Image.fromarray(np.dstack([photo, np.full(photo.shape[:2], 7, np.uint8)]))


def grey16(photo):
    return Image.fromarray(photo[..., 0].astype(np.uint16) * 257)


KINDS = {
    "grey.png": lambda photo: Image.fromarray(photo[..., 0]),
    "rgba.png": with_alpha,
    "palette.png": lambda photo: Image.fromarray(photo).quantize(64),
    "cmyk.jpg": cmyk,
    "cmyk.tif": cmyk,
    "grey16.png": grey16,
    "one-bit.png": lambda photo: Image.fromarray(photo).convert("1"),
}


@pytest.mark.parametrize("name", KINDS)
def test_any_kind_of_picture(name):
    write_png("b.png", scene())
    KINDS[name](scene(square=250)).save(name)
    assert predict(name, "--background", "b.png") == 0
    check(Path(name).stem, (60, 80))
    if name != "one-bit.png":  # dithered, so everything differs
        mask = read_gray(f"out/{Path(name).stem}-mask.png")
        assert mask[5, 5] > 200 and mask[50, 70] < 100


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation_of_the_photo(orientation):
    upright = Image.fromarray(scene(square=250))
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }  # fmt: skip
    exif = Image.Exif()
    exif[274] = orientation
    stored = upright.transpose(undo[orientation]) if orientation in undo else upright
    stored.save("a.png", exif=exif)
    write_png("b.png", scene())
    assert predict("a.png", "--background", "b.png") == 0
    check("a", (60, 80))
    mask = read_gray("out/a-mask.png")
    assert mask[5, 5] > 200 and mask[50, 70] < 50


@pytest.mark.parametrize("other", [(60, 81), (61, 80), (120, 160), (30, 40)])
def test_other_sizes_of_one_aspect_are_told(other, capsys):
    write_png("b.png", scene(*other))
    write_png("a.png", scene(square=250))
    done = predict("a.png", "--background", "b.png")
    error = capsys.readouterr().err
    if done == 0:
        assert "warning[W-PAIR" in error
        check("a", (60, 80))
    else:
        assert done == 3 and "error[E-PAIR" in error


@pytest.mark.parametrize("other", [(80, 60), (60, 160), (1, 1)])
def test_another_aspect_is_refused(other, capsys):
    write_png("b.png", scene(*other))
    write_png("a.png", scene(square=250))
    assert predict("a.png", "--background", "b.png") == 3
    assert "error[E-PAIR-SIZE]" in capsys.readouterr().err


@pytest.mark.parametrize("level", [0, 127, 255])
@pytest.mark.parametrize("which", ["a.png", "b.png"])
def test_black_white_and_flat_photos_are_told(which, level, capsys):
    write_png("a.png", scene(square=250))
    write_png("b.png", scene())
    write_png(which, np.full((60, 80, 3), level, np.uint8), force=True)
    done = predict("a.png", "--background", "b.png")
    assert "[W-PAIR" in (said := capsys.readouterr().err) or (done == 3 and "[E-PAIR" in said)


def test_identical_photos_are_told_and_give_an_empty_mask(capsys):
    write_png("b.png", scene(square=250))
    write_png("a.png", scene(square=250))
    assert predict("a.png", "--background", "b.png") == 0
    assert "W-PAIR-IDENTICAL" in capsys.readouterr().err
    assert read_gray("out/a-mask.png").max() < 128


def test_a_float_picture_with_nan_is_refused(capsys):
    Image.fromarray(np.full((60, 80), np.nan, np.float32)).save("a.tif")
    write_png("b.png", scene())
    assert predict("a.tif", "--background", "b.png") == 3
    assert "error[E-IMG" in capsys.readouterr().err


def test_the_rest_of_a_folder_is_finished(capsys):
    write_png("b.png", scene())
    for name in ("one", "two"):
        write_png(f"photos/{name}.png", scene(square=250))
    Path("photos/cut.png").write_bytes(Path("photos/one.png").read_bytes()[:-50])
    Path("photos/text.jpg").write_text("<html>")
    Path("photos/empty.jpg").touch()
    assert predict("photos", "--background", "b.png") == 3
    assert "E-SOME-FAILED" in capsys.readouterr().err
    check("one", (60, 80)), check("two", (60, 80))
    assert len(Path("out/errors.jsonl").read_text().splitlines()) == 3


def test_outputs_that_exist_equal_an_input_or_cannot_be_written(capsys):
    write_png("b.png", scene())
    write_png("out/a.png", scene(square=250))
    os.symlink("a.png", "out/a-mask.png")
    assert predict("out/a.png", "--background", "b.png") == 2
    os.unlink("out/a-mask.png")
    assert predict("out/a.png", "--background", "b.png") == 0
    before = {path: path.read_bytes() for path in Path("out").iterdir()}
    assert predict("out/a.png", "--background", "b.png") == 4
    assert {path: path.read_bytes() for path in Path("out").iterdir()} == before
    Path("file").touch()
    words = ["predict", "out/a.png", "--background", "b.png", "--model", "model.onnx", "-o", "file/out"]
    assert main(words) == 4
    codes = [
        line.split("[")[1].split("]")[0] for line in capsys.readouterr().err.splitlines() if "error[" in line
    ]
    assert codes[:2] == ["E-OUT-IS-INPUT", "E-EXISTS"]


def test_a_report_or_cloud_on_the_place_of_another_result_is_refused(capsys):
    write_png("b.png", scene())
    write_png("a.png", scene(square=250))
    Path("out").mkdir()
    twice = ["--report", "out/../c.ply", "--cloud", "c.ply"]
    for words in (["--report", "out/a-mask.png"], twice, ["--report", "out/errors.jsonl"]):
        assert predict("a.png", "--background", "b.png", "--force", *words) == 2
        assert "error[E-OUT-TWICE]" in capsys.readouterr().err
    assert not os.listdir("out")


def test_a_picture_that_cannot_be_written_leaves_no_temporary_file(monkeypatch):
    write_png("b.png", scene())
    write_png("a.png", scene(square=250))
    Path("out/a-depth.png").mkdir(parents=True)
    assert predict("a.png", "--background", "b.png", "--force") == 4
    assert not [path for path in Path("out").rglob("*") if path.name.endswith(".tmp")]


def test_one_thread_or_two():
    background, image = scene(300, 400), scene(300, 400, square=200)
    one, two = (onnx_predictor.load("default", threads=count).predict(background, image) for count in (1, 2))
    np.testing.assert_allclose(one.mask, two.mask, atol=1e-4)
    np.testing.assert_allclose(one.depth, two.depth, atol=1e-3)


def test_another_working_size():
    write_png("b.png", scene(300, 400))
    write_png("a.png", scene(300, 400, square=250))
    assert predict("a.png", "--background", "b.png", "--size", "128") == 0
    check("a", (300, 400))
    predictor = onnx_predictor.load("model.onnx", size=128)
    assert predictor.spec == Spec(size=128, multiple=8, name="tiny")
    assert predict("a.png", "--background", "b.png", "--force", "--size", "0") == 2


def test_a_list_of_errors_that_another_command_made_stays(capsys):
    write_png("b.png", scene())
    write_png("a.png", scene(square=250))
    theirs = Path("out/errors.jsonl")
    theirs.parent.mkdir()
    theirs.write_text('{"code": "E-IMG-DECODE", "kind": "sample", "index": 3}\n')
    assert predict("a.png", "--background", "b.png", "--force") == 4
    assert "error[E-EXISTS] 'out/errors.jsonl' was written by something else" in capsys.readouterr().err
    assert theirs.read_text().startswith('{"code"') and sorted(Path("out").iterdir()) == [theirs]
