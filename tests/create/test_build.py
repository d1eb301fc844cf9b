"""A data set is the same bytes whatever happens while it is made."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from slow_maker import SlowMaker

from mdeas.create import pool
from mdeas.create.build import build
from mdeas.create.plan import compare, shards_of
from mdeas.dataset import verify
from mdeas.errors import InputError, StorageError, UsageError, WorkerError
from mdeas.files import locked

PROGRAM = Path(__file__).with_name("slow_maker.py")
SLOW_S = 0.05


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """sha256 of every file of an undisturbed build with one worker."""
    out = tmp_path_factory.mktemp("reference") / "set"
    build(SlowMaker(), out, shard_rows=6)
    return tree(out)


def tree(folder):
    files = sorted(path for path in Path(folder).rglob("*") if path.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def start(out, delay_s=0.0, **environment):
    command = [sys.executable, str(PROGRAM), str(out), "2", str(delay_s)]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen(command, start_new_session=True, env={**os.environ, **environment}, **streams)


def wait_for_shards(process, out, number):
    deadline = time.monotonic() + 60
    while len(list(Path(out).glob("data/*.parquet"))) < number:
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()[0]
        time.sleep(0.005)


def finish(out):
    process = start(out)
    text = process.communicate(timeout=60)[0]
    assert process.returncode == 0, text


def test_shards_hold_one_split_each_in_order():
    shards = shards_of(SlowMaker(count=25), 10)
    assert [(s.name, len(s.indices)) for s in shards] == [
        ("train-00000.parquet", 10),
        ("train-00001.parquet", 10),
        ("train-00002.parquet", 3),
        ("test-00000.parquet", 2),
    ]
    assert shards[0].indices == (0, 1, 2, 3, 4, 5, 6, 7, 8, 10)


def test_two_workers_make_the_same_bytes(tmp_path, reference):
    facts = build(SlowMaker(), tmp_path / "set", workers=2, shard_rows=6)
    assert tree(tmp_path / "set") == reference
    assert facts == {**verify(tmp_path / "set"), "path": facts["path"]}
    assert (facts["samples"], facts["samples in train"], facts["samples in test"]) == (40, 36, 4)


def test_sigkill_of_the_group_then_rerun(tmp_path, reference):
    process = start(tmp_path / "set", SLOW_S)
    wait_for_shards(process, tmp_path / "set", 3)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert tree(tmp_path / "set") != reference
    finish(tmp_path / "set")
    assert tree(tmp_path / "set") == reference


@pytest.mark.parametrize(
    "point", ["temporary:4", "renamed:5", "shard:2", "record:3", "plan", "index", "cleaning"]
)
def test_kill_points(tmp_path, reference, point):
    process = start(tmp_path / "set", MDEAS_KILL_AT=point)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    build(SlowMaker(), tmp_path / "set", shard_rows=6)
    assert tree(tmp_path / "set") == reference


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_stop_signals_keep_what_is_done(tmp_path, number, code):
    process = start(tmp_path / "set", SLOW_S)
    wait_for_shards(process, tmp_path / "set", 1)
    os.killpg(process.pid, number)
    begun = time.monotonic()
    text = process.communicate(timeout=10)[0]
    assert time.monotonic() - begun < 10
    assert process.returncode == code
    assert "E-STOPPED" in text and "Traceback" not in text
    assert list((tmp_path / "set" / "data").iterdir())


def workers_of(process):
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    commands = {int(child): Path(f"/proc/{child}/cmdline").read_bytes() for child in children}
    return [child for child, command in commands.items() if b"spawn_main" in command]


def test_a_killed_worker_is_replaced(tmp_path, reference):
    process = start(tmp_path / "set", SLOW_S)
    wait_for_shards(process, tmp_path / "set", 1)
    os.kill(workers_of(process)[0], signal.SIGKILL)
    text = process.communicate(timeout=60)[0]
    assert process.returncode == 0, text
    assert tree(tmp_path / "set") == reference


def test_workers_leave_with_a_killed_parent(tmp_path):
    process = start(tmp_path / "set", SLOW_S)
    wait_for_shards(process, tmp_path / "set", 1)
    orphans = workers_of(process)
    process.kill()
    process.wait()
    deadline = time.monotonic() + 20
    while any(Path(f"/proc/{pid}/cmdline").exists() for pid in orphans):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert len(orphans) == 2


def test_a_full_disk_ends_with_exit_4_and_is_finished_later(tmp_path, reference):
    limit = "import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000))"
    code = f"{limit}; del sys.argv[0]; runpy.run_path(sys.argv[0], run_name='__main__')"
    command = [sys.executable, "-c", code, str(PROGRAM), str(tmp_path / "set"), "1", "0"]
    full = subprocess.run(command, capture_output=True, text=True)
    assert full.returncode == 4 and "E-FULL" in full.stderr and "needed" in full.stderr
    build(SlowMaker(), tmp_path / "set", shard_rows=6)
    assert tree(tmp_path / "set") == reference


@pytest.mark.parametrize(("count", "workers"), [(0, 1), (1, 0)])
def test_nothing_to_do_or_nobody_to_do_it(tmp_path, count, workers):
    with pytest.raises(UsageError, match="at least 1"):
        build(SlowMaker(count=count), tmp_path / "set", workers=workers)


def die(item):
    os.kill(os.getpid(), signal.SIGKILL)


def test_workers_that_keep_dying_end_with_exit_8():
    with pytest.raises(WorkerError, match="workers died 4 times") as caught:
        list(pool.results(die, [1, 2], workers=1, tick=lambda: None))
    assert (caught.value.code, caught.value.exit_code) == ("E-WORKER-DIED", 8)


def test_a_frozen_worker_ends_with_exit_8(tmp_path, monkeypatch):
    monkeypatch.setattr(pool, "PATIENCE_S", 1.0)
    with pytest.raises(WorkerError) as caught:
        build(SlowMaker(hang=3), tmp_path / "set", shard_rows=6)
    assert caught.value.code == "E-WORKER-FROZEN"


def crash(item):
    return 1 // item


def test_a_bug_in_a_worker_shows_its_traceback():
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        list(pool.results(crash, [0], workers=1, tick=lambda: None))


def test_an_error_of_the_maker_arrives_whole_and_the_rest_is_kept(tmp_path, reference):
    with pytest.raises(InputError, match="sample 20 cannot be made") as caught:
        build(SlowMaker(bad=20), tmp_path / "set", shard_rows=6)
    assert caught.value.code == "E-TEST"
    assert len(list((tmp_path / "set" / "data").iterdir())) == 3
    build(SlowMaker(), tmp_path / "set", shard_rows=6)
    assert tree(tmp_path / "set") == reference


def test_changes_are_refused_with_the_difference(tmp_path):
    out = tmp_path / "set"
    with pytest.raises(InputError):
        build(SlowMaker(bad=9), out)
    with pytest.raises(
        UsageError, match=r"count was 40, now 30; recipe.size was 16, now 8; seed was 1, now 2"
    ):
        build(SlowMaker(count=30, size=8, seed=2), out)


def test_a_finished_set_is_kept_unless_forced(tmp_path):
    out = tmp_path / "set"
    first = build(SlowMaker(count=4), out, shard_rows=2)
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.parquet")}
    assert build(SlowMaker(count=4), out, shard_rows=2) == first
    assert before == {path: path.stat().st_mtime_ns for path in out.rglob("*.parquet")}
    with pytest.raises(UsageError, match="seed was 1, now 2"):
        build(SlowMaker(count=4, seed=2), out)
    build(SlowMaker(count=2, seed=2), out, force=True)
    assert [path.name for path in out.rglob("*.parquet")] == ["train-00000.parquet"]
    assert verify(out)["samples"] == 2


def test_a_shard_damaged_before_the_rerun_is_made_again(tmp_path, reference):
    out = tmp_path / "set"
    with pytest.raises(InputError):
        build(SlowMaker(bad=30), out, shard_rows=6)
    (out / "data" / "train-00001.parquet").write_bytes(b"x")
    build(SlowMaker(), out, shard_rows=6)
    assert tree(out) == reference


def test_a_folder_with_something_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(StorageError, match=r"thesis\.txt"):
        build(SlowMaker(), tmp_path, force=True)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_second_maker_is_told_who_holds_the_folder(tmp_path):
    with locked(tmp_path / "set"), pytest.raises(StorageError, match=f"process {os.getpid()}"):
        build(SlowMaker(), tmp_path / "set")


def test_locale_time_zone_and_umask_change_nothing(tmp_path, reference):
    process = start(tmp_path / "set", LC_ALL="C", TZ="Asia/Tokyo", PYTHONHASHSEED="7")
    assert process.wait(60) == 0
    assert tree(tmp_path / "set") == reference


def test_compare_names_four_differences_and_counts_the_rest():
    before, now = {"a": [1, 2], "b": {"c": 1}}, {"a": [2, 3], "b": {"c": 2, "d": 3}, "e": 1}
    assert compare(before, now) == (
        "a.0 was 1, now 2; a.1 was 2, now 3; b.c was 1, now 2; b.d was None, now 3; 1 more"
    )
