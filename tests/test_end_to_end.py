"""Whole processes, as a user starts them: exit codes, stderr, what is on disk, what is imported."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mdeas.images.codec import write_png

SAMPLE = Path(__file__).parents[1] / "src" / "mdeas" / "weights" / "sample"


def mdeas(*words, cwd) -> subprocess.CompletedProcess:
    """Run one command; its output is decoded as Python decodes file names."""
    command = [sys.executable, "-m", "mdeas", *map(str, words)]
    return subprocess.run(
        command, cwd=cwd, capture_output=True, encoding="utf-8", errors="surrogateescape", timeout=300
    )


def digest(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_scenes_are_the_same_bytes_for_any_number_of_workers(tmp_path):
    words = ["--count", "6", "--size", "32", "--seed", "3", "--set", "tiles=4", "--set", "test_count=2"]
    for workers in (1, 2):
        done = mdeas("create", "scenes", "-o", f"w{workers}", *words, "--workers", workers, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    assert digest(tmp_path / "w1") == digest(tmp_path / "w2")


def test_loading_the_default_model_needs_no_torch(tmp_path):
    code = "import mdeas, sys; mdeas.load(); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)


def test_demo_pair_prints_the_paths_of_what_it_wrote(tmp_path):
    words = ["predict", SAMPLE / "image.png", "--background", SAMPLE / "background.png", "-o", "out"]
    done = mdeas(*words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    printed = done.stdout.splitlines()
    assert {path.split("-", 1)[1] for path in printed} >= {"mask.png", "depth.png", "cutout.png", "panel.png"}
    assert all((tmp_path / path).is_file() for path in printed)
    before = digest(tmp_path)
    again = mdeas(*words, cwd=tmp_path)
    assert (again.returncode, again.stderr.count("\n")) == (4, 1)
    assert again.stderr.startswith("mdeas: error[E-EXISTS] ")
    assert digest(tmp_path) == before


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """A pair, a photo of another size, a damaged one, an empty folder."""
    folder = tmp_path_factory.mktemp("photos")
    grey = np.full((40, 56, 3), 90, np.uint8)
    write_png(folder / "background.png", grey)
    write_png(folder / "image.png", grey)
    write_png(folder / "wide.png", np.full((40, 112, 3), 90, np.uint8))
    (folder / "cut.png").write_bytes((folder / "image.png").read_bytes()[:60])
    (folder / "empty").mkdir()
    return folder


@pytest.mark.parametrize(
    ("images", "background", "exit_code"),
    [
        (["wide.png"], "background.png", 3),
        (["cut.png"], "background.png", 3),
        (["missing.png"], "background.png", 3),
        (["empty"], "background.png", 3),
        (["image.png"], "cut.png", 3),
        (["image.png"], "missing.png", 3),
        (["image.png", "cut.png"], "background.png", 3),
    ],
)
def test_bad_input_is_one_clear_line_and_its_exit_code(images, background, exit_code, photos, tmp_path):
    paths = [photos / name for name in images]
    done = mdeas("predict", *paths, "--background", photos / background, "-o", "out", cwd=tmp_path)
    errors = [line for line in done.stderr.splitlines() if "warning" not in line]
    assert done.returncode == exit_code, done.stderr
    assert len(errors) == 1
    assert errors[0].startswith("mdeas: error[E-")
    assert "Traceback" not in done.stderr


def test_good_pictures_are_finished_and_bad_ones_listed(photos, tmp_path):
    paths = [photos / "cut.png", photos / "image.png"]
    done = mdeas("predict", *paths, "--background", photos / "background.png", "-o", "out", cwd=tmp_path)
    assert done.returncode == 3
    assert (tmp_path / "out" / "image-mask.png").is_file()
    assert "cut.png" in (tmp_path / "out" / "errors.jsonl").read_text()


def test_names_that_are_no_text_work(photos, tmp_path):
    name = os.fsdecode(b"caf\xe9 \xff.png")
    shutil.copy(photos / "image.png", tmp_path / name)
    done = mdeas("predict", name, "--background", photos / "background.png", "-o", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert all((tmp_path / path).is_file() for path in done.stdout.splitlines())


@pytest.mark.parametrize(
    ("words", "exit_code"),
    [
        (["verify", "nowhere"], 3),
        (["show", "nowhere"], 3),
        (["evaluate", "zero", "--data", "nowhere", "-o", "out"], 3),
        (["train", "no-such-recipe", "--data", "nowhere", "-o", "run"], 2),
        (["export", "nowhere", "-o", "model.onnx"], 5),
        (["create", "pairs", "-o", "out", "--folder", "nowhere"], 3),
        (["create", "photos", "-o", "o", "--backgrounds", "a", "--foregrounds", "b", "--count", "1"], 3),
    ],
)
def test_what_is_not_there_is_one_clear_line(words, exit_code, tmp_path):
    done = mdeas(*words, cwd=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (exit_code, 1), done.stderr
    assert done.stderr.startswith("mdeas: error[E-")
