"""The README is short and true: its commands and its Python run, its links lead somewhere."""

import json
import re
import shlex

import pytest
from markdown_pages import ROOT, SAMPLE, blocks, commands, fill, smaller

from mdeas.cli import main
from mdeas.images.codec import read_depth16, read_gray, read_rgb, read_rgba

README = ROOT / "README.md"


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A folder after every command of the README."""
    folder = tmp_path_factory.mktemp("readme")
    fill(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for words in commands(README):
            assert main(smaller(words)[1:]) == 0, shlex.join(words)
    return folder


def test_it_is_short():
    assert len(README.read_bytes()) < 8000


def test_no_temporary_file_is_left(done):
    assert not [path for path in done.rglob(".*") if path.is_file()]


def test_prediction_has_the_size_of_the_photo(done):
    size = read_rgb(done / "image.png").shape[:2]
    assert read_gray(done / "results" / "image-mask.png").shape == size
    assert read_depth16(done / "results" / "image-depth.png").shape == size
    assert read_rgba(done / "results" / "image-cutout.png").shape == (*size, 4)
    assert json.loads((done / "results" / "image-depth.json").read_text())["kind"] == "relative"
    assert (done / "results" / "image-panel.png").is_file()


def test_made_data_can_be_read_by_anyone(done, tmp_path):
    from datasets import load_dataset

    files = sorted(str(path) for path in (done / "scenes" / "data").glob("*.parquet"))
    rows = load_dataset("parquet", data_files=files, split="train", cache_dir=str(tmp_path))
    assert len(rows) == 12
    assert rows[0]["image"].size == (32, 32)


def test_training_leaves_a_log_and_three_checkpoints(done):
    assert len((done / "run" / "log.csv").read_text().splitlines()) >= 3
    for name in ("last", "best-mask", "best-depth"):
        assert (done / "run" / f"{name}.safetensors").is_file()
        assert json.loads((done / "run" / f"{name}.json").read_text())


def test_evaluation_stands_beside_the_baselines(done):
    text = "\n".join(path.read_text() for path in (done / "report").glob("*.md"))
    assert all(name in text for name in ("zero", "difference", "mog2", "gradient"))
    assert "# Robustness of" in text and (done / "report" / "robustness.png").is_file()


def test_the_python_runs(done, monkeypatch, capsys):
    monkeypatch.chdir(done)
    (code,) = blocks(README, "python")
    exec(compile(code, "README.md", "exec"), {})
    height, width, _ = read_rgb(SAMPLE / "image.png").shape
    assert f"({height}, {width})" in capsys.readouterr().out
    assert read_gray(done / "mask.png").shape == (height, width)


def test_links_lead_somewhere():
    links = re.findall(r"\]\((?!http)([^)#]+)", README.read_text())
    assert not [link for link in links if not (ROOT / link).exists()]
