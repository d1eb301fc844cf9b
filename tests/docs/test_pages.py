"""The documentation is true: every `sh` block runs, with smaller numbers, and leaves what it promises."""

import itertools
import json
import re
import shlex
import tomllib
from pathlib import Path

import numpy as np
import pytest
from markdown_pages import ROOT, SAMPLE, SMALLER, blocks, commands, fill, smaller

from mdeas.cli import COMMANDS, main
from mdeas.dataset.dataset import Dataset
from mdeas.images.codec import read_depth16, read_gray, read_rgb, read_rgba
from mdeas.images.video import VideoReader

DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
# The guides continue each other, in this order; every tutorial begins in a folder of its own.
GUIDES = [
    DOCS / f"{name}.md"
    for name in ("index", "data", "train", "export", "evaluate", "predict", "camera", "metres")
]
TUTORIALS = sorted((DOCS / "tutorials").glob("*.md"))


def run(pages: list[Path], folder: Path) -> Path:
    """Run every command of the pages in `folder`."""
    fill(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for page in pages:
            for words in commands(page):
                assert words[0] == "mdeas", f"{page.name}: not run: {words}"
                assert main(smaller(words)[1:]) == 0, f"{page.name}: {shlex.join(words)}"
    return folder


@pytest.fixture(scope="module")
def guided(tmp_path_factory):
    """A folder after the commands of all guides."""
    return run(GUIDES, tmp_path_factory.mktemp("guides"))


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    """A folder after the tutorial of the camera on a shelf."""
    return run([DOCS / "tutorials" / "shelf.md"], tmp_path_factory.mktemp("shelf"))


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """A folder after the tutorial of your own network."""
    return run([DOCS / "tutorials" / "network.md"], tmp_path_factory.mktemp("network"))


class TestGuides:
    def test_no_temporary_file_is_left(self, guided):
        assert not [path for path in guided.rglob(".*") if path.is_file()]

    def test_a_data_set_is_shown(self, guided):
        for name in ("sheet.png", "distributions.png"):
            assert read_rgb(guided / "scenes-report" / name).shape[2] == 3
        assert "## Licences" in (guided / "scenes-report" / "report.md").read_text()

    def test_data_goes_out_and_comes_back(self, guided):
        def samples(name):
            return {sample.meta["id"]: sample for sample in Dataset(guided / name)}

        scenes, again = samples("scenes"), samples("again")
        assert scenes.keys() == again.keys() and len(scenes) == 12
        assert all(np.array_equal(scenes[key].image, again[key].image) for key in scenes)
        assert len(Dataset(guided / "published")) == 12
        assert read_rgba(guided / "grown" / "desk.png")[..., 3].max() > 200

    def test_learning_rates_are_drawn_before_training(self, guided):
        assert (guided / "schedule.png").is_file() and (guided / "lr.png").is_file()
        assert (guided / "lr.csv").read_text().startswith("lr,loss,smoothed\n")

    def test_comparison_has_a_row_a_network(self, guided):
        text = (guided / "comparison" / "compare.md").read_text()
        assert all(f"| {name} |" in text for name in ("MOG2", "default", "model"))
        assert read_rgb(guided / "comparison" / "compare.png").shape[2] == 3

    def test_grid_has_a_column_a_model_and_the_truth(self, guided):
        assert read_rgb(guided / "grid.png").shape[1] == 3 * 164

    @pytest.mark.parametrize("folder", ["results", "masks", "exported"])
    def test_prediction_has_the_size_of_the_photo(self, guided, folder):
        size = read_rgb(guided / "image.png").shape[:2]
        assert read_gray(guided / folder / "image-mask.png").shape == size
        assert read_depth16(guided / folder / "image-depth.png").shape == size

    def test_predict_writes_the_files_of_its_table(self, guided):
        listed = re.findall(r"^\| `(image-[\w.-]+)` \|", (DOCS / "predict.md").read_text(), re.MULTILINE)
        assert set(listed) == {path.name for path in (guided / "masks").iterdir()}

    def test_layers_cloud_and_insert(self, guided):
        size = read_rgb(guided / "image.png").shape[:2]
        for name in ("foreground-depth", "background-depth"):
            assert read_depth16(guided / "spatial" / f"image-{name}.png").shape == size
        assert (guided / "spatial" / "image-cloud.glb").read_bytes().startswith(b"glTF")
        assert not np.array_equal(read_rgb(guided / "composed.png"), read_rgb(guided / "image.png"))

    def test_metres_and_the_report(self, guided):
        size = read_rgb(guided / "image.png").shape[:2]
        empty, agreement = guided / "empty.png", guided / "empty-agreement.png"
        assert read_rgb(empty).shape[:2] == read_gray(agreement).shape == size
        assert json.loads((guided / "metres" / "image-depth-m.json").read_text())["kind"] == "metric"
        assert read_depth16(guided / "metres" / "image-depth-m.png").shape == size
        (picture,) = json.loads((guided / "report.json").read_text())["pictures"]
        assert len(picture["objects"]) == 2
        assert all("median_depth_m" in thing for thing in picture["objects"])

    def test_video_tiles(self, guided):
        height, width, _ = read_rgb(guided / "image.png").shape
        assert (height, width) == (432, 768)  # a tile's long side is at most 640
        (_, tiles), *_ = VideoReader(str(guided / "tiles.mp4"))
        assert tiles.shape == (2 * (360 + 20), 2 * 640, 3)

    def test_the_python_runs(self, guided, monkeypatch):
        monkeypatch.chdir(guided)
        (code,) = blocks(DOCS / "index.md", "python")
        exec(compile(code, "index.md", "exec"), {})
        assert read_gray(guided / "mask.png").shape == read_rgb(SAMPLE / "image.png").shape[:2]


class TestTutorials:
    def test_the_shelf_has_two_cars_at_six_metres(self, shelf):
        (picture,) = json.loads((shelf / "things.json").read_text())["pictures"]
        said = re.findall(
            r"([\d.]+) × \d+ at .*\| ([\d.]+) m \|", (DOCS / "tutorials" / "shelf.md").read_text()
        )
        found = [
            (str(thing["box_px"]["width"]), f"{thing['median_depth_m']:.2f}") for thing in picture["objects"]
        ]
        assert found == said
        assert (shelf / "metres" / "image-cloud.ply").is_file()
        assert (shelf / "today" / "desk-depth-m.png").is_file()

    def test_the_network_is_exported_and_predicts(self, network):
        for name in ("look/sheet.png", "run/curve.png", "report/robustness.png", "mine/image-panel.png"):
            assert read_rgb(network / name).shape[2] == 3
        assert (network / "mine.onnx").stat().st_size < 3.2e6


class TestText:
    def test_every_command_is_mentioned(self):
        mentioned = {words[1] for page in PAGES for words in commands(page) if words[0] == "mdeas"}
        assert mentioned == COMMANDS.keys()

    def test_every_smaller_number_is_needed(self):
        pages = [*PAGES, ROOT / "README.md"]
        text = "".join(shlex.join(words) + "\n" for page in pages for words in commands(page))
        assert not [large for large, _ in SMALLER if large not in text]

    def test_make_targets_and_extras_exist(self):
        targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
        extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
        text = "\n".join(page.read_text() for page in [*PAGES, ROOT / "README.md", ROOT / "CONTRIBUTING.md"])
        assert set(re.findall(r"(?:^|`)make ([\w-]+)", text, re.MULTILINE)) <= targets
        assert set(re.findall(r"'\.\[(\w+)\]'", text)) <= extras.keys()

    def test_recipes_of_the_published_systems_are_there(self):
        from mdeas.train.recipe.load import load_recipe

        for words in commands(DOCS / "systems.md", "console"):
            if words[:2] == ["mdeas", "train"]:
                load_recipe(
                    words[2],
                    [value for flag, value in itertools.pairwise(words) if flag == "--set"],
                )

    def test_every_page_is_in_the_navigation(self):
        nav = (ROOT / "zensical.toml").read_text()
        pages = [*PAGES, *DOCS.rglob("*.ipynb")]
        assert not [page for page in pages if page.relative_to(DOCS).with_suffix(".md").as_posix() not in nav]

    def test_every_experiment_is_in_the_index(self):
        index = (DOCS / "experiments" / "index.md").read_text()
        for page in (DOCS / "experiments").glob("20*.md"):
            entries = re.findall(r"^## (.*)$", page.read_text(), re.MULTILINE)
            assert entries and not [entry for entry in entries if f"- {entry}\n" not in index]

    def test_links_lead_somewhere(self):
        made = ("commands.md", "python.md", "error-codes.md", "layout.md", "model-card.md")
        broken = []
        for page in PAGES:
            for link in re.findall(r"\]\((?!http)([^)#]+)", page.read_text()):
                if not (page.parent / link).exists() and not link.endswith(made):
                    broken.append(f"{page.name}: {link}")
        assert not broken
