"""Every command that takes a data set, after every way to make one."""

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tiny_model
from asset_folders import make_folders
from matplotlib.backends.backend_agg import FigureCanvasAgg
from tiny_network import Tiny

from mdeas.cli import main
from mdeas.dataset.dataset import read_index
from mdeas.images.codec import write_png
from mdeas.models.base import PairNetwork
from mdeas.models.registry import _REGISTRY as REGISTRY
from mdeas.models.registry import register

SIDE = 64
FILES = ("bg", "image", "mask", "depth")


def run(*words) -> None:
    """`mdeas WORDS`, which has to end well."""
    assert main([str(word) for word in words]) == 0


@pytest.fixture(scope="module")
def assets(tmp_path_factory):
    """bg/ and fg/: photos and cut-outs. rooms/: photos with a sensor's depth. pairs/: photographed pairs.

    folders/: the pictures of the pairs, a folder for each kind. model.onnx: a network.
    """
    root = tmp_path_factory.mktemp("ways")
    (root / "model.onnx").write_bytes(tiny_model.model_bytes())
    make_folders(root, 4, 4)
    rng = np.random.default_rng(0)
    down = np.arange(SIDE)[:, None].repeat(SIDE, 1) / SIDE
    depth_m = np.minimum(1.3 / np.maximum(down - 0.3, 1e-3), 4)  # a floor before a wall
    for k in range(4):
        photo = rng.integers(20, 100, (SIDE, SIDE, 3)).astype(np.uint8)
        write_png(root / "rooms" / str(k) / "image.png", photo)
        write_png(root / "rooms" / str(k) / "depth.png", np.rint(1000 * depth_m).astype(np.uint16))
        mask = np.zeros((SIDE, SIDE), np.uint8)
        mask[20:40, 10 + 8 * k : 30 + 8 * k] = 255
        image = np.where(mask[..., None] > 0, np.uint8(230), photo)
        for name, picture in zip(
            FILES, (photo, image, mask, (1000 * depth_m).astype(np.uint16)), strict=True
        ):
            write_png(root / "pairs" / str(k) / f"{name}.png", picture)
            write_png(root / "folders" / {"image": "fg_bg"}.get(name, name) / f"{k}.png", picture)
    return root


def photos(recipe: str, *more: str) -> Callable[[Path, Path], None]:
    """`mdeas create photos RECIPE`."""

    def make(assets: Path, out: Path) -> None:
        folders = ("--backgrounds", assets / "bg", "--foregrounds", assets / "fg")
        run("create", "photos", recipe, "-o", out, *folders, "--count", 6, *more)

    return make


def scenes(assets: Path, out: Path) -> None:
    counts = ("--set", "validation_count=1", "--set", "test_count=2")
    run("create", "scenes", "-o", out, "--count", 5, "--size", SIDE, "--set", "tiles=12", *counts)


def standing(assets: Path, out: Path) -> None:
    folders = ("--backgrounds", assets / "rooms", "--foregrounds", assets / "fg")
    run("create", "photos", "standing", "-o", out, *folders, "--count", 6, "--size", SIDE, *ROWS)


def pairs(assets: Path, out: Path) -> None:
    run("create", "pairs", "-o", out, "--folder", assets / "pairs")


def folders(assets: Path, out: Path) -> None:
    run(
        "import",
        assets / "folders",
        "-o",
        out,
        "--set",
        "depth_kind=metric",
        "--set",
        "depth_scale=0.001",
        *ROWS,
    )


def table(assets: Path, out: Path) -> None:
    with open(assets / "label_data.csv", "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("background", "image", "mask"))
        rows.writerows([f"pairs/{k}/{name}.png" for name in FILES[:3]] for k in range(4))
    run("import", assets / "label_data.csv", "-o", out, *ROWS)


def cutouts(assets: Path, out: Path) -> None:
    """Cut-outs by `create cutouts`, put on photos."""
    pictures = ("--images", assets / "folders" / "fg_bg", "--backgrounds", assets / "folders" / "bg")
    run("create", "cutouts", "-o", assets / "cut", *pictures, "--model", assets / "model.onnx")
    places = ("--backgrounds", assets / "bg", "--foregrounds", assets / "cut")
    run("create", "photos", "drawn", "-o", out, *places, "--count", 6, "--size", SIDE, *ROWS)


SMALL = ("--size", str(SIDE), "--set", "long_side_px=[20,20]", "--set", "offset_px=[1,8]")
ROWS = ("--set", "split=rows", "--set", "validation_share=0.2", "--set", "test_share=0.3")
WAYS = {
    "scenes": scenes,
    "drawn": photos("drawn", "--size", str(SIDE), *ROWS),
    **{f"system-{k}": photos(f"system-{k}", *SMALL, *ROWS) for k in range(1, 6)},
    "standing": standing,
    "pairs": pairs,
    "folders": folders,
    "table": table,
    "cutouts": cutouts,
}


@pytest.fixture(scope="module", params=WAYS)
def data(request, assets, tmp_path_factory):
    """A small data set, made in each of the ways."""
    out = tmp_path_factory.mktemp(request.param) / "data"
    WAYS[request.param](assets, out)
    return out


@pytest.fixture(autouse=True)
def blank_plots(monkeypatch):
    """Plots are composed and not drawn: drawing takes most of the time, and other tests look at plots."""
    monkeypatch.setattr(FigureCanvasAgg, "draw", FigureCanvasAgg.get_renderer)


@pytest.fixture
def split(data):
    """The last of its splits."""
    return list(read_index(data)["splits"])[-1]


def test_verify(data):
    run("verify", data)


def test_show(data, tmp_path):
    run("show", data, "-o", tmp_path)
    assert (tmp_path / "report.md").read_text().startswith(f"# {data.name}\n")


@pytest.mark.parametrize("form", ["folder", "webdataset"])
def test_export_and_import_again(data, form, tmp_path, capsys):
    run("export-data", data, "-o", tmp_path / "files", "--form", form)
    run("import", tmp_path / "files", "-o", tmp_path / "again", "--set", "split=given")
    assert read_index(tmp_path / "again")["splits"] == read_index(data)["splits"]


def test_evaluate_and_grid(data, split, tmp_path):
    about = ("--data", data, "--split", split)
    run("evaluate", "zero", *about, "-o", tmp_path / "report", "--limit", 1)
    run("grid", "difference", *about, "-o", tmp_path / "grid.png", "--count", 1)


def test_compare_and_quantize(data, split, assets, tmp_path):
    about = ("--data", data, "--split", split, "--limit", 1)
    run("compare", assets / "model.onnx", *about, "-o", tmp_path / "compared", "--size", 32)
    run("quantize", assets / "model.onnx", *about, "-o", tmp_path / "small.onnx")


RECIPE = """
model: {name: tiny-for-ways}
loss: {mask_bce: 1}
data: {size: 32, batch_size: 2, workers: 0}
threads: 1
steps: 1
"""


@pytest.fixture
def tiny_network():
    """A network of a few weights under the name that RECIPE has."""
    register("tiny-for-ways", reference="tests", parameters=474)(lambda: PairNetwork(Tiny(), multiple=2))
    yield
    del REGISTRY["tiny-for-ways"]


@pytest.mark.usefixtures("one_thread", "tiny_network")
def test_train(data, tmp_path, capsys):
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    words = ["train", str(tmp_path / "recipe.yaml"), "--data", str(data), "-o", str(tmp_path / "run")]
    code = main([*words, "--device", "cpu"])
    if "train" in read_index(data)["splits"]:
        assert code == 0 and (tmp_path / "run" / "last.safetensors").is_file()
    else:
        assert code == 3 and "no samples in split 'train'" in capsys.readouterr().err
