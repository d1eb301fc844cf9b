"""A data set written for other programs: the same samples come back, whatever happens while it is written."""

import os
import signal
import subprocess
from pathlib import Path

import kill_at
import numpy as np
import pytest
import tiny_data

from mdeas.cli import main
from mdeas.dataset.dataset import Dataset
from mdeas.dataset.plain_files import export_data
from mdeas.dataset.rows import PICTURES
from mdeas.errors import StorageError


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """Six samples of two splits: two sizes, no mask, no depth, relative depth, meta of their own."""
    samples = tiny_data.samples()
    for index, sample in enumerate(samples):
        sample.meta.update({"split": "test" if index > 3 else "train", "camera": f"c{index}"})
    out = tmp_path_factory.mktemp("exported") / "set"
    return tiny_data.write(out, train=samples[:4], test=samples[4:])


def tree(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in Path(folder).rglob("*") if p.is_file()}


def said(row):
    """All of a row except its place in the data set."""
    return {name: value for name, value in row.items() if name not in ("seed", "index")}


@pytest.mark.parametrize("form", ["folder", "webdataset"])
def test_what_is_exported_comes_back(tmp_path, dataset, form):
    out, back = str(tmp_path / "out"), str(tmp_path / "back")
    assert main(["export-data", str(dataset), "-o", out, "--form", form]) == 0
    assert main(["import", out, "-o", back, "--set", "split=given"]) == 0
    before, after = Dataset(dataset), Dataset(back)
    assert after.ids() == before.ids()
    for index, (ours, theirs) in enumerate(zip(before, after, strict=True)):
        assert said(before.row(index)) == said(after.row(index))
        for name in PICTURES:
            np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))
    assert after.index["provenance"][1:] == before.index["provenance"]


def test_the_table_of_a_folder(tmp_path, dataset):
    export_data(dataset, tmp_path / "out", form="folder", split=None)
    header, first, *_ = (tmp_path / "out" / "label_data.csv").read_text().splitlines()
    wanted = "id split background image mask depth depth_kind depth_scale background_id foreground_ids source"
    assert header.split(",") == [*wanted.split(), "meta"]
    assert first.startswith("tiny-000,train,background/00000000.png,image/00000000.png,mask/00000000.png,")
    assert (tmp_path / "out" / "image" / "00000000.png").read_bytes() == Dataset(dataset).row(0)["image"][
        "bytes"
    ]
    assert not (tmp_path / "out" / "mask" / "00000003.png").exists()


def test_one_split(tmp_path, dataset):
    facts = export_data(dataset, tmp_path / "out", form="webdataset", split="test")
    assert facts["samples"] == 2
    assert sorted(os.listdir(tmp_path / "out")) == ["export.json", "test-00000.tar"]


def test_tars_are_read_by_datasets(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    import datasets

    ours = Dataset(tiny_data.write(tmp_path / "set", test=tiny_data.samples()[:3]))
    export_data(ours.path, tmp_path / "out", form="webdataset", split=None)
    stream = datasets.load_dataset("webdataset", data_dir=str(tmp_path / "out"), streaming=True)["test"]
    for theirs, sample in zip(stream, ours, strict=True):
        np.testing.assert_array_equal(np.array(theirs["image.png"]), sample.image)
        depth = np.array(theirs["depth.png"]) * theirs["json"]["depth_scale"]
        np.testing.assert_allclose(depth, sample.depth, rtol=1e-6)
        assert theirs["json"]["id"] == sample.meta["id"]


@pytest.mark.parametrize(
    ("form", "at"),
    [("folder", "picture:7"), ("folder", "temporary:2"), ("folder", "record"), ("webdataset", "renamed:2")],
)
def test_a_killed_export_is_finished_by_the_same_command(tmp_path, dataset, form, at):
    whole, out = tmp_path / "whole", tmp_path / "out"
    export_data(dataset, whole, form=form, split=None)
    words = ["export-data", str(dataset), "-o", str(out), "--form", form]
    killed = subprocess.run(kill_at.command(at, "mdeas", *words), capture_output=True)
    assert killed.returncode == -signal.SIGKILL
    assert tree(out) != tree(whole)
    assert main(words) == 0
    assert tree(out) == tree(whole)


def test_a_finished_export_is_only_reported(tmp_path, dataset):
    export_data(dataset, tmp_path / "out", form="folder", split="train")
    (tmp_path / "out" / "image").rename(tmp_path / "moved")
    assert export_data(dataset, tmp_path / "out", form="folder", split="train")["samples"] == 4
    assert not (tmp_path / "out" / "image").exists()


@pytest.mark.parametrize("change", [{"split": "train"}, {"form": "webdataset"}])
def test_another_export_is_left_alone(tmp_path, dataset, change):
    export_data(dataset, tmp_path / "out", form="folder", split=None)
    before = tree(tmp_path / "out")
    with pytest.raises(StorageError, match="Choose an empty or new folder"):
        export_data(dataset, tmp_path / "out", **{"form": "folder", "split": None} | change)
    assert tree(tmp_path / "out") == before


def test_what_the_user_has_there_is_left_alone(tmp_path, dataset):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(StorageError, match=r"holds 'mine\.txt'"):
        export_data(dataset, tmp_path, form="folder", split=None)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]
