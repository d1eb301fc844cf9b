"""The README is true: its commands run in their order, with smaller numbers, and leave what they promise."""

import json
import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest

from mdeas.cli import main
from mdeas.dataset.dataset import Dataset
from mdeas.images.codec import read_depth16, read_gray, read_rgb, read_rgba, write_png
from mdeas.images.video import VideoReader, write_video

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
SAMPLE = ROOT / "src" / "mdeas" / "weights" / "sample"

# What makes the README's commands small enough for a test: (in the README, here).
SMALLER = [
    ("--count 20000", "--count 12"),
    ("--count 5000", "--count 12"),
    ("--count 100000", "--count 12"),
    ("--size 128", "--size 32"),
    ("_count=500", "_count=3"),
    ("--workers 2", "--workers 1 --set tiles=8"),
    (
        "--find-lr lr.png",
        "--find-lr lr.png --set data.batch_size=2 --set data.size=32 --set data.workers=0 --set threads=1",
    ),
    (
        "--set optimizer.lr=1e-3",
        "--set optimizer.lr=1e-3 --set steps=2 --set data.batch_size=4 --set data.size=32"
        " --set data.workers=0",
    ),
]


def blocks(language: str) -> list[str]:
    """The fenced blocks of one language."""
    fences = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    return [body for name, body in fences if name == language]


def commands(program: str) -> list[list[str]]:
    lines = "".join(blocks("sh")).splitlines()
    return [shlex.split(line, comments=True) for line in lines if line.startswith(f"{program} ")]


def smaller(words: list[str]) -> list[str]:
    line = shlex.join(words)
    for large, small in SMALLER:
        line = line.replace(large, small)
    return shlex.split(line)


def texture(rng: np.random.Generator, channels: int) -> np.ndarray:
    """A small picture: uint8 (48, 64, channels), smooth, with a disc as alpha if there are 4 channels."""
    y, x = np.mgrid[:48, :64]
    picture = np.stack([(y * a + x * b + c) % 256 for a, b, c in rng.uniform(0, 5, (channels, 3))], -1)
    if channels == 4:
        picture[..., 3] = 255 * (np.hypot(y - 24, x - 32) < 18)
    return picture.astype(np.uint8)


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """A folder with the files that the README speaks of."""
    folder = tmp_path_factory.mktemp("readme")
    rng = np.random.default_rng(0)
    for name, channels in (("backgrounds", 3), ("cutouts", 4)):
        (folder / name).mkdir()
        for number in range(24):
            write_png(folder / name / f"{number}.png", texture(rng, channels))
    write_video(folder / "walk.mp4", [read_rgb(SAMPLE / "image.png")] * 3, 10)
    (folder / "mypairs" / "desk").mkdir(parents=True)
    for name, place in (("background.png", "empty"), ("image.png", "photographed")):
        (folder / place).mkdir()
        shutil.copy(SAMPLE / name, folder / place / "desk.png")
        shutil.copy(SAMPLE / name, folder / name)
        shutil.copy(SAMPLE / name, folder / "mypairs" / "desk" / name)
    return folder


@pytest.fixture(scope="module")
def done(workplace):
    """The folder after every `mdeas` command of the README."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(workplace)
        for words in commands("mdeas"):
            assert main(smaller(words)[1:]) == 0, shlex.join(words)
    return workplace


class TestCommands:
    def test_no_temporary_file_is_left(self, done):
        assert not [path for path in done.rglob(".*") if path.is_file()]

    def test_made_data_can_be_read_by_anyone(self, done, tmp_path):
        from datasets import load_dataset

        files = sorted(str(path) for path in (done / "scenes" / "data").glob("*.parquet"))
        rows = load_dataset("parquet", data_files=files, split="train", cache_dir=str(tmp_path))
        assert len(rows) == 12
        assert rows[0]["image"].size == (32, 32)

    def test_a_data_set_is_shown(self, done):
        for name in ("sheet.png", "distributions.png"):
            assert read_rgb(done / "scenes-report" / name).shape[2] == 3
        assert "## Licences" in (done / "scenes-report" / "report.md").read_text()

    def test_data_goes_out_and_comes_back(self, done):
        def samples(name):
            return {sample.meta["id"]: sample for sample in Dataset(done / name)}

        scenes, again = samples("scenes"), samples("again")
        assert scenes.keys() == again.keys() and len(scenes) == 12
        assert all(np.array_equal(scenes[key].image, again[key].image) for key in scenes)
        assert len(Dataset(done / "published")) == 12
        assert read_rgba(done / "grown" / "desk.png")[..., 3].max() > 200

    def test_learning_rates_are_drawn_before_training(self, done):
        assert (done / "schedule.png").is_file() and (done / "lr.png").is_file()
        assert (done / "lr.csv").read_text().startswith("lr,loss,smoothed\n")

    def test_training_leaves_a_log_and_three_checkpoints(self, done):
        assert len((done / "run" / "log.csv").read_text().splitlines()) >= 3
        for name in ("last", "best-mask", "best-depth"):
            assert (done / "run" / f"{name}.safetensors").is_file()
            assert json.loads((done / "run" / f"{name}.json").read_text())

    def test_evaluation_stands_beside_the_baselines(self, done):
        text = "\n".join(path.read_text() for path in (done / "report").glob("*.md"))
        assert all(name in text for name in ("zero", "difference", "mog2", "gradient"))
        assert "# Robustness of" in text and (done / "report" / "robustness.png").is_file()

    def test_comparison_has_a_row_a_network(self, done):
        text = (done / "comparison" / "compare.md").read_text()
        assert all(f"| {name} |" in text for name in ("MOG2", "default", "run", "model"))
        assert read_rgb(done / "comparison" / "compare.png").shape[2] == 3

    @pytest.mark.parametrize("folder", ["results", "results2"])
    def test_prediction_has_the_size_of_the_photo(self, done, folder):
        size = read_rgb(done / "image.png").shape[:2]
        assert read_gray(done / folder / "image-mask.png").shape == size
        assert read_depth16(done / folder / "image-depth.png").shape == size
        assert read_rgba(done / folder / "image-cutout.png").shape == (*size, 4)
        assert json.loads((done / folder / "image-depth.json").read_text())["kind"] == "relative"
        assert (done / folder / "image-panel.png").is_file()

    def test_layers_cloud_and_insert(self, done):
        size = read_rgb(done / "image.png").shape[:2]
        for name in ("foreground-depth", "background-depth"):
            assert read_depth16(done / "results3" / f"image-{name}.png").shape == size
        assert (done / "results3" / "image-cloud.glb").read_bytes().startswith(b"glTF")
        assert not np.array_equal(read_rgb(done / "composed.png"), read_rgb(done / "image.png"))

    def test_grid_of_a_run_and_what_it_exports(self, done):
        assert read_rgb(done / "grid.png").shape[1] == 3 * 164

    def test_metres_and_the_report(self, done):
        size = read_rgb(done / "image.png").shape[:2]
        assert read_rgb(done / "empty.png").shape[:2] == read_gray(done / "empty-agreement.png").shape == size
        assert json.loads((done / "metres" / "image-depth-m.json").read_text())["kind"] == "metric"
        assert read_depth16(done / "metres" / "image-depth-m.png").shape == size
        (picture,) = json.loads((done / "report.json").read_text())["pictures"]
        assert all("median_depth_m" in thing for thing in picture["objects"])

    def test_video_tiles(self, done):
        height, width, _ = read_rgb(done / "image.png").shape
        (_, tiles), *_ = VideoReader(str(done / "tiles.mp4"))
        assert tiles.shape == (2 * (height + 20), 2 * width, 3)


class TestText:
    def test_make_targets_exist(self):
        targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
        assert {words[1] for words in commands("make")} <= targets

    def test_every_smaller_number_is_needed(self):
        text = "".join(blocks("sh"))
        assert all(large in text for large, _ in SMALLER)

    def test_every_command_is_mentioned(self):
        mentioned = {words[1] for words in commands("mdeas")}
        assert mentioned == {
            "background", "benchmark", "calibrate", "check", "compare", "compose", "create", "evaluate",
            "export", "export-data", "grid", "import", "models", "predict", "quantize", "show", "train",
            "verify", "video",
        }  # fmt: skip

    def test_the_python_runs(self, workplace, monkeypatch, capsys):
        monkeypatch.chdir(workplace)
        (code,) = blocks("python")
        exec(compile(code, "README.md", "exec"), {})
        height, width, _ = read_rgb(SAMPLE / "image.png").shape
        assert f"({height}, {width})" in capsys.readouterr().out
        assert read_gray(workplace / "mask.png").shape == (height, width)

    def test_the_tree_lists_what_is_there(self):
        (tree,) = [block for block in blocks("") if "src/mdeas/" in block]
        listed = set(re.findall(r"(\w+(?:\.py|/))(?= )", tree))
        package = ROOT / "src" / "mdeas"
        there = {path.name for path in package.glob("*.py")} - {"__init__.py", "__main__.py"}
        there |= {f"{path.name}/" for path in package.iterdir() if path.is_dir() and path.name[0] != "_"}
        assert listed == there | {"tests/", "benchmarks/"}

    def test_links_lead_somewhere(self):
        links = re.findall(r"\]\((?!http)([^)#]+)\)", README)
        assert not [link for link in links if not (ROOT / link).exists()]
