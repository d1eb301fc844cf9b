from pathlib import Path

import numpy as np
import pytest
import tiny_data
import tiny_model

from mdeas import cli
from mdeas.errors import InputError, StorageError, UsageError
from mdeas.evaluate import grid
from mdeas.images.codec import read_rgb
from mdeas.runtime.predictor import Prediction
from mdeas.runtime.spec import Spec

CELL, GAP, LINE = 160, 4, 20


class Fixed:
    """Always predicts the same."""

    name, tasks = "fixed", ("mask", "depth")

    def __init__(self, mask, depth):
        self.prediction = Prediction(mask, depth)

    def predict(self, background, image):
        return self.prediction


def cells(sheet):
    """The pictures of a sheet by (row, column), captions left out."""
    found = {}
    pitch = CELL + GAP
    for row in range((sheet.shape[0] - LINE) // (pitch + LINE)):
        top = LINE + row * (pitch + LINE) + LINE
        for column in range(sheet.shape[1] // pitch):
            found[row, column] = sheet[top : top + CELL, column * pitch : column * pitch + CELL]
    return found


@pytest.fixture
def sample():
    return tiny_data.sample(0, 40, 40)


def test_truth_stands_above_every_prediction(sample):
    right, wrong = (Fixed(mask, np.ones((40, 40), np.float32)) for mask in (sample.mask, 1 - sample.mask))
    found = cells(grid.grid([right, wrong], ["both", "a", "b"], [sample] * 2, "mask"))
    assert sorted(found) == [(row, column) for row in range(4) for column in range(3)]
    for top in (0, 2):
        assert (found[top, 1] == found[top, 2]).all() and (found[top, 1] == found[top + 1, 1]).all()
        assert (found[top + 1, 2] == 255 - found[top, 1]).all()
        white = found[top + 1, 0] == 250
        assert (white == (found[top, 1] == 255)).all() and not (found[top, 0] == 250).any()


def test_depth_is_fitted_to_the_truth_but_never_turned_round(sample):
    truth = sample.inverse_depth
    predictions = (3 * truth + 7, np.full_like(truth, 5), -truth)
    exact, flat, turned = (Fixed(sample.mask, depth.astype(np.float32)) for depth in predictions)
    found = cells(grid.grid([exact, flat, turned], ["", "a", "b", "c"], [sample], "depth"))
    difference = np.abs(found[0, 1].astype(int) - found[1, 1])
    assert np.median(difference) <= 4 and np.ptp(found[0, 1]) > 100
    assert np.ptp(found[1, 2], axis=(0, 1)).max() == 0
    assert (found[1, 3] == found[1, 2]).all()


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with the data set "data", a.onnx and b.onnx, which predicts only a mask."""
    monkeypatch.chdir(tmp_path)
    tiny_data.write(tmp_path / "data")
    Path("a.onnx").write_bytes(tiny_model.model_bytes())
    spec = Spec(size=64, multiple=8, name="tiny", tasks=("mask",))
    Path("b.onnx").write_bytes(tiny_model.model_bytes(spec=spec.to_json()))
    return tmp_path


def test_only_samples_with_something_to_show(here, monkeypatch):
    seen = []
    monkeypatch.setattr(
        grid, "contact_sheet", lambda rows, titles, captions: seen.extend(captions) or rows[0][0]
    )
    grid.write_grid(["a.onnx"], "data", "grid.png", count=99)
    assert seen[::2] == [f"tiny-00{number}: true mask" for number in (0, 1, 4, 5)]
    seen.clear()
    grid.write_grid(["a.onnx"], "data", "grid.png", count=2, task="depth", force=True)
    assert seen == ["tiny-000: true depth", "predicted depth", "tiny-003: true depth", "predicted depth"]


def test_command(here, capsys):
    words = ["grid", "a.onnx", "b.onnx", "difference", "--data", "data", "-o", "grid.png", "--count", "2"]
    assert cli.main(words) == 0
    assert capsys.readouterr().out == "grid.png\n"
    height = round(CELL * 40 / 48)  # the data's pictures are 48×40
    assert read_rgb("grid.png").shape == (LINE + 4 * (LINE + height + GAP), 4 * (CELL + GAP), 3)
    assert cli.main(words) == 4


def test_mistakes_are_refused(here):
    def caught(error, *runs, **options):
        with pytest.raises(error) as found:
            grid.write_grid(runs, "data", "grid.png", **options)
        return found.value

    assert "'b.onnx' predicts mask, not depth" in str(caught(UsageError, "a.onnx", "b.onnx", task="depth"))
    assert caught(InputError, "a.onnx", split="train").code == "E-DATASET-MISSING"
    Path("grid.png").touch()
    assert caught(StorageError, "a.onnx").code == "E-EXISTS"
    with pytest.raises(InputError, match="no sample has a mask"):
        grid.grid([], [], [], "mask")


def test_titles(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder in ("x/bce", "y/bce", "z/ssim"):
        Path(folder).mkdir(parents=True)
    runs = ["x/bce", "y/bce", "z/ssim/", "z/ssim/best-mask.safetensors", "rmse.onnx", "default"]
    assert grid.run_titles(runs) == ["x/bce", "y/bce", "ssim", "ssim/best-mask", "rmse", "default"]
