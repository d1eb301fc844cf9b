"""Real processes that are killed, frozen, stopped and limited while they make a data set."""

import os
import random
import signal
import sys
import time
from pathlib import Path

import kill_at
import pytest
from slow_maker import SlowMaker
from tally import cases
from world import SLOW_MAKER, start, start_command, tree, wait_for_shards, without_processes, workers_of

from mdeas.create.factory.build import build
from mdeas.create.factory.options import BuildOptions
from mdeas.system.lock import LOCK_NAME

SLOW_S = 0.05
SHARD_ROWS = 6  # of the program
ENVIRONMENTS = [
    {"LC_ALL": "C", "LANG": "C", "TZ": "Asia/Tokyo", "PYTHONHASHSEED": "7"},
    {"PYTHONHASHSEED": "0", "TZ": "America/St_Johns", "PYTHONUTF8": "1", "OMP_NUM_THREADS": "3"},
]


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """sha256 of every file of an undisturbed build in one process."""
    out = tmp_path_factory.mktemp("reference") / "set"
    with without_processes():
        build(SlowMaker(), BuildOptions(out=out, shard_rows=SHARD_ROWS))
    return tree(out)


def finish(out):
    """The rerun, whose bytes the tests look at."""
    with without_processes():
        build(SlowMaker(), BuildOptions(out=out, shard_rows=SHARD_ROWS))


def ended(process, seconds=300):
    """(exit code, output) of a process."""
    text = process.communicate(timeout=seconds)[0]
    return process.returncode, text


def test_sigkill_of_the_group_at_random_times(row, tmp_path, reference):
    """One data set is killed again and again; what is finished may only grow."""
    rng = random.Random("sigkill")
    with row("SIGKILL of the whole group at random times") as tally:
        for case in range(cases(1, 20)):
            with tally.case(f"data set {case}"):
                out = tmp_path / str(case)
                before = {}
                for _ in range(3):
                    before = killed_after_a_while(out, rng, before)
                finish(out)
                assert tree(out) == reference


def killed_after_a_while(out, rng, before):
    """Kill a build between its first new shard and its end; return its shards."""
    process = start(out, 2, SLOW_S)
    if len(before) < 4:
        wait_for_shards(process, out, len(before) + 1)
    time.sleep(rng.uniform(0, 0.5))
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    shards = {name: digest for name, digest in tree(out).items() if name.endswith(".parquet")}
    assert before.items() <= shards.items()
    return {name: digest for name, digest in shards.items() if not name.startswith("data/.")}


def test_a_kill_point_kills(row, tmp_path, reference):
    with row("SIGKILL at named points, real processes") as tally:
        for point in ("record:2", "temporary:4", "renamed:5", "index", "cleaning")[: cases(1, 5)]:
            with tally.case(point):
                out = tmp_path / point
                assert (
                    ended(start_command(kill_at.command(point, SLOW_MAKER, out, 2, 0)))[0] == -signal.SIGKILL
                )
                finish(out)
                assert tree(out) == reference


def test_one_worker_killed(row, tmp_path, reference):
    with row("one worker killed: replaced, the same bytes") as tally:
        for case in range(cases(1, 10)):
            with tally.case(f"time {case}"):
                process = start(tmp_path / str(case), 2, SLOW_S)
                wait_for_shards(process, tmp_path / str(case), 1)
                os.kill(workers_of(process)[case % 2], signal.SIGKILL)
                code, text = ended(process)
                assert code == 0, text
                assert tree(tmp_path / str(case)) == reference


def test_workers_killed_again_and_again(row, tmp_path, reference):
    """The fourth death ends it; tests/create/test_build.py counts them in the pool itself."""
    with row("workers killed more than 3 times: exit 8, resumable") as tally, tally.case("all"):
        process = start(tmp_path / "set", 2, 0.2)
        wait_for_shards(process, tmp_path / "set", 1)
        while process.poll() is None:
            for worker in workers_of_running(process):
                os.kill(worker, signal.SIGKILL)
            time.sleep(0.1)
        code, text = ended(process)
        assert code == 8 and "E-WORKER-DIED" in text, text
        finish(tmp_path / "set")
        assert tree(tmp_path / "set") == reference


def workers_of_running(process):
    try:
        return workers_of(process)
    except OSError:  # it ended meanwhile
        return []


def test_one_worker_frozen(row, tmp_path, reference):
    """With the patience shortened from 100 s to 2 s once all workers are there."""
    with row("one worker frozen: exit 8, resumable") as tally, tally.case("SIGSTOP"):
        process = start(tmp_path / "set", 2, SLOW_S)
        wait_for_shards(process, tmp_path / "set", 1)
        os.kill(workers_of(process)[0], signal.SIGSTOP)
        os.kill(process.pid, signal.SIGUSR1)
        code, text = ended(process)
        assert code == 8 and "E-WORKER-FROZEN" in text, text
        finish(tmp_path / "set")
        assert tree(tmp_path / "set") == reference


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_stop_signals(row, tmp_path, reference, number, code):
    rng = random.Random(code)
    with row(f"{signal.Signals(number).name}: exit {code} within 10 s, resumable") as tally:
        for case in range(cases(1, 10)):
            with tally.case(f"time {case}"):
                out = tmp_path / str(case)
                process = start(out, 2, SLOW_S)
                wait_for_shards(process, out, 1)
                time.sleep(rng.uniform(0, 0.3))
                os.killpg(process.pid, number)
                found, text = ended(process, 10)
                assert found == code and "E-STOPPED" in text and "Traceback" not in text, text
                finish(out)
                assert tree(out) == reference


def test_workers_leave_with_a_killed_parent(row, tmp_path):
    with row("parent killed alone: no orphans") as tally, tally.case("SIGKILL"):
        process = start(tmp_path / "set", 2, SLOW_S)
        wait_for_shards(process, tmp_path / "set", 1)
        orphans = workers_of(process)
        process.kill()
        process.wait()
        deadline = time.monotonic() + 20
        while any(Path(f"/proc/{pid}/cmdline").exists() for pid in orphans):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert len(orphans) == 2


def test_a_limit_on_the_size_of_files(row, tmp_path, reference):
    limit = "import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000))"
    code = f"{limit}; del sys.argv[0]; runpy.run_path(sys.argv[0], run_name='__main__')"
    with row("file-size limit: exit 4, finished when there is room") as tally, tally.case("RLIMIT_FSIZE"):
        process = start_command(
            [sys.executable, "-c", code, str(SLOW_MAKER), str(tmp_path / "set"), "1", "0"]
        )
        found, text = ended(process)
        assert found == 4 and "E-FULL" in text and "needed" in text and "free" in text, text
        finish(tmp_path / "set")
        assert tree(tmp_path / "set") == reference


def test_two_makers_in_one_folder(row, tmp_path, reference):
    with row("two makers in one folder; a stale lock") as tally:
        out = tmp_path / "set"
        with tally.case("the second is told who holds it"):
            first = start(out, 1, SLOW_S)
            wait_for_shards(first, out, 1)
            code, text = ended(start(out))
            assert code == 4 and f"process {first.pid} on" in text, text
        with tally.case("the lock of a killed one is taken"):
            os.killpg(first.pid, signal.SIGKILL)
            first.communicate()
            assert (out / LOCK_NAME).exists()
            finish(out)
            assert tree(out) == reference


def test_the_same_bytes_anywhere(row, tmp_path, reference):
    with row("workers 1, 2, 4, locale, time zone, hash seed, umask") as tally:
        for case, environment in enumerate(ENVIRONMENTS[: cases(1, 2)]):
            for workers in (4, 1, 2)[: cases(1, 3)]:
                with tally.case(f"{workers} workers, {environment}"):
                    out = tmp_path / f"{case}-{workers}"
                    before = os.umask(0o077)
                    try:
                        process = start(out, workers, **environment)
                    finally:
                        os.umask(before)
                    code, text = ended(process)
                    assert code == 0, text
                    assert tree(out) == reference
