"""A data set has the same bytes after any interruption."""

import hashlib
import json
import os
from pathlib import Path

import pytest
from slow_maker import SlowMaker

from mdeas.create.factory import pool
from mdeas.create.factory.build import build
from mdeas.create.factory.options import BuildOptions
from mdeas.dataset.dataset import read_index, verify
from mdeas.errors import InputError, StorageError, UsageError, WorkerError
from mdeas.system.lock import locked


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """sha256 of every file of an undisturbed build with one worker."""
    out = tmp_path_factory.mktemp("reference") / "set"
    build(SlowMaker(), BuildOptions(out=out, shard_rows=6))
    return tree(out)


def tree(folder):
    files = sorted(path for path in Path(folder).rglob("*") if path.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def test_two_workers_make_the_same_bytes(tmp_path, reference):
    facts = build(SlowMaker(), BuildOptions(out=tmp_path / "set", workers=2, shard_rows=6))
    assert tree(tmp_path / "set") == reference
    assert facts == {**verify(tmp_path / "set"), "path": facts["path"]}
    assert (facts["samples"], facts["samples in train"], facts["samples in test"]) == (40, 36, 4)


@pytest.mark.parametrize(("count", "workers"), [(0, 1), (1, 0)])
def test_nothing_to_do_or_nobody_to_do_it(tmp_path, count, workers):
    with pytest.raises(UsageError, match="at least 1"):
        build(SlowMaker(count=count), BuildOptions(out=tmp_path / "set", workers=workers))


def test_a_frozen_worker_ends_with_exit_8(tmp_path, monkeypatch):
    monkeypatch.setattr(pool, "PATIENCE_S", 1.0)
    with pytest.raises(WorkerError) as caught:
        build(SlowMaker(hang=3), BuildOptions(out=tmp_path / "set", shard_rows=6))
    assert caught.value.code == "E-WORKER-FROZEN"


def test_an_error_of_the_maker_arrives_whole_and_the_rest_is_kept(tmp_path, reference):
    with pytest.raises(InputError, match="sample 20 cannot be made") as caught:
        build(SlowMaker(bad=(20,)), BuildOptions(out=tmp_path / "set", shard_rows=6))
    assert caught.value.code == "E-TEST"
    assert len(list((tmp_path / "set" / "data").iterdir())) == 3
    build(SlowMaker(), BuildOptions(out=tmp_path / "set", shard_rows=6))
    assert tree(tmp_path / "set") == reference


def lines(out):
    return [json.loads(line) for line in (out / "errors.jsonl").read_text().splitlines()]


def test_bad_samples_are_left_out_and_listed(tmp_path):
    bad = SlowMaker(count=20, bad=(0, 1, 4, 9))
    facts = build(bad, BuildOptions(out=tmp_path / "a", shard_rows=2, skip_bad=True))
    assert [line["index"] for line in lines(tmp_path / "a")] == [0, 1, 4, 9]
    assert lines(tmp_path / "a")[2] == {"index": 4, "code": "E-TEST", "message": "sample 4 cannot be made."}
    assert [facts[key] for key in ("samples", "samples left out", "sources left out")] == [16, 4, 0]
    assert not (tmp_path / "a" / "data" / "train-00000.parquet").exists()  # all of its samples are bad
    index = read_index(tmp_path / "a")
    assert (index["count"], index["splits"]) == (16, {"train": 15, "test": 1})
    assert index["left_out"] == {"sources": 0, "samples": {"train": 3, "test": 1}}
    build(bad, BuildOptions(out=tmp_path / "b", workers=2, shard_rows=2, skip_bad=True))
    assert tree(tmp_path / "a") == tree(tmp_path / "b")
    assert (
        build(SlowMaker(count=20), BuildOptions(out=tmp_path / "a", shard_rows=2))
        == facts
        == verify(tmp_path / "a")
    )


def test_nothing_bad_leaves_no_trace(tmp_path, reference):
    build(SlowMaker(), BuildOptions(out=tmp_path / "set", shard_rows=6, skip_bad=True))
    assert tree(tmp_path / "set") == reference


def test_when_all_is_bad_there_is_no_data_set(tmp_path):
    for _ in range(2):
        with pytest.raises(InputError, match=r"none of the 3 .* \[E-TEST\] sample 0 cannot") as caught:
            build(SlowMaker(count=3, bad=(0, 1, 2)), BuildOptions(out=tmp_path, skip_bad=True))
        assert caught.value.code == "E-ALL-BAD" and len(lines(tmp_path)) == 3
    with pytest.raises(InputError, match="no finished data set"):
        verify(tmp_path)


def test_sources_that_the_maker_left_out_are_listed_first(tmp_path):
    source = {"name": "a.png", "code": "E-IMG-DECODE", "message": "damaged"}
    facts = build(SlowMaker(count=4, bad=(2,), left_out=(source,)), BuildOptions(out=tmp_path, skip_bad=True))
    assert facts["sources left out"] == 1 and lines(tmp_path)[0] == source and len(lines(tmp_path)) == 2


def test_changes_are_refused_with_the_difference(tmp_path):
    out = tmp_path / "set"
    with pytest.raises(InputError):
        build(SlowMaker(bad=(9,)), BuildOptions(out=out))
    with pytest.raises(
        UsageError, match=r"count was 40, now 30; recipe.size was 16, now 8; seed was 1, now 2"
    ):
        build(SlowMaker(count=30, size=8, seed=2), BuildOptions(out=out))


def test_a_finished_set_is_kept_unless_forced(tmp_path):
    out = tmp_path / "set"
    first = build(SlowMaker(count=4), BuildOptions(out=out, shard_rows=2))
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.parquet")}
    assert build(SlowMaker(count=4), BuildOptions(out=out, shard_rows=2)) == first
    assert before == {path: path.stat().st_mtime_ns for path in out.rglob("*.parquet")}
    with pytest.raises(UsageError, match="seed was 1, now 2"):
        build(SlowMaker(count=4, seed=2), BuildOptions(out=out))
    build(SlowMaker(count=2, seed=2), BuildOptions(out=out, force=True))
    assert [path.name for path in out.rglob("*.parquet")] == ["train-00000.parquet"]
    assert verify(out)["samples"] == 2


def test_a_shard_damaged_before_the_rerun_is_made_again(tmp_path, reference):
    out = tmp_path / "set"
    with pytest.raises(InputError):
        build(SlowMaker(bad=(30,)), BuildOptions(out=out, shard_rows=6))
    (out / "data" / "train-00001.parquet").write_bytes(b"x")
    build(SlowMaker(), BuildOptions(out=out, shard_rows=6))
    assert tree(out) == reference


def test_a_folder_with_something_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(StorageError, match=r"thesis\.txt"):
        build(SlowMaker(), BuildOptions(out=tmp_path, force=True))
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_second_maker_is_told_who_holds_the_folder(tmp_path):
    with locked(tmp_path / "set"), pytest.raises(StorageError, match=f"process {os.getpid()}"):
        build(SlowMaker(), BuildOptions(out=tmp_path / "set"))
