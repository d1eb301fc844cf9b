"""The lock of a folder: one holder at a time, who is named."""

import os
import subprocess
import sys

import pytest

from mdeas.errors import StorageError
from mdeas.system.lock import LOCK_NAME, locked


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_second_holder_is_told_of_the_first(tmp_path):
    with locked(tmp_path / "out"):
        with pytest.raises(StorageError, match=f"in use by process {os.getpid()} on .* since 20") as caught:
            locked(tmp_path / "out").__enter__()
        assert caught.value.code == "E-LOCKED"
    assert names(tmp_path / "out") == []
    with locked(tmp_path / "out"):
        pass


def test_the_lock_of_a_killed_process_is_free(tmp_path):
    program = (
        "import sys, time; from mdeas.system.lock import locked\n"
        "with locked(sys.argv[1]): print(flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", program, tmp_path], stdout=subprocess.PIPE)
    holder.stdout.readline()
    with pytest.raises(StorageError, match=f"process {holder.pid}"):
        locked(tmp_path).__enter__()
    holder.kill()
    holder.wait()
    assert names(tmp_path) == [LOCK_NAME]
    with locked(tmp_path):
        pass
    assert names(tmp_path) == []


def test_of_many_processes_one_at_a_time_holds_a_lock(tmp_path):
    program = (
        "import os, sys; from mdeas.system.lock import locked; from mdeas.errors import StorageError\n"
        "for _ in range(200):\n"
        "    try:\n"
        "        with locked(sys.argv[1]):\n"
        "            open(sys.argv[1] + '/x', 'x').close()\n"  # fails when another one is inside
        "            os.unlink(sys.argv[1] + '/x')\n"
        "    except StorageError as e: assert e.code == 'E-LOCKED', e\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    running = [subprocess.Popen(command) for _ in range(3)]
    assert [process.wait(60) for process in running] == [0, 0, 0]
