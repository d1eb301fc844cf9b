"""Threads of a training: an even share of the free cores, the same number after a resume."""

import os
import subprocess
import sys

import pytest
import torch
from accidents import signal_at
from synthetic import Squares

from mdeas.errors import Stopped
from mdeas.train import threads
from mdeas.train.checkpoint import load_state
from mdeas.train.loop import fit

SPIN = "while True: pass"


@pytest.fixture
def machine(monkeypatch):
    """machine(cores, load, busy): a machine with that load average and so many cores busy at the moment."""

    def make(cores, load, busy):
        monkeypatch.setattr(threads, "num_cores", lambda: cores)
        monkeypatch.setattr(os, "getloadavg", lambda: (load, 0.0, 0.0))
        monkeypatch.setattr(threads, "_busy_cores", lambda seconds: busy)

    return make


@pytest.mark.parametrize(
    ("cores", "load", "busy", "free"),
    [
        (8, 0.1, 0.2, 8),
        (8, 3.1, 2.9, 5),
        (8, 8.0, 0.1, 8),  # what kept the machine busy has just ended
        (8, 0.1, 8.0, 8),  # a command that ends in a moment
        (8, 1.6, float("inf"), 6),  # no Linux: the load average alone
        (2, 9.0, 2.0, 1),
    ],
)
def test_free_cores(cores, load, busy, free, machine):
    machine(cores, load, busy)
    assert threads.num_free_cores() == free


def test_a_share_of_the_free_cores_for_each_rank(machine, capsys):
    machine(8, 2.0, 2.0)
    assert [threads.choose_threads(0, ranks) for ranks in (1, 2, 7)] == [6, 3, 1]
    assert "2 of 8 cores are busy" in capsys.readouterr().err
    assert threads.choose_threads(5, 1) == 5 and not capsys.readouterr().err


@pytest.mark.skipif(not threads._ticks(), reason="only Linux counts what each core does")
def test_a_process_that_never_rests_is_seen(tmp_path):
    mine = min(os.sched_getaffinity(0))
    before = threads._ticks()
    with subprocess.Popen([sys.executable, "-c", SPIN]) as spinning:
        os.sched_setaffinity(spinning.pid, {mine})
        busy = threads._busy_cores(1.0)
        spinning.kill()
    assert 0.9 < busy <= len(before)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({}, "passive 1000"),
        ({"GOMP_SPINCOUNT": "7"}, "passive 7"),
        ({"OMP_WAIT_POLICY": "active"}, "active None"),
    ],
)
def test_the_command_lets_waiting_threads_sleep_unless_told_otherwise(given, found):
    """At the moment that torch is imported, in a process of its own."""
    program = (
        "import builtins, os, sys\n"
        "real = builtins.__import__\n"
        "def spy(name, *rest, **more):\n"
        "    if name.partition('.')[0] == 'torch' and 'torch' not in sys.modules:\n"
        "        print(*map(os.environ.get, ('OMP_WAIT_POLICY', 'GOMP_SPINCOUNT')), flush=True)\n"
        "        os._exit(0)\n"
        "    return real(name, *rest, **more)\n"
        "builtins.__import__ = spy\n"
        "from mdeas.cli import main\n"
        "main(['train', 'twin-small', '--data', 'x', '-o', 'y'])\n"
    )
    clean = {name: value for name, value in os.environ.items() if name[:4] not in ("OMP_", "GOMP")}
    done = subprocess.run([sys.executable, "-c", program], env=clean | given, capture_output=True, text=True)
    assert done.stdout.strip() == found, done.stderr


def test_a_resumed_run_uses_as_many_threads_as_before(recipe_of, tmp_path, machine):
    machine(2, 0.0, 0.0)
    recipe = recipe_of("threads=0", "steps=4", "data.workers=0")
    used = []

    def note(index, sample):
        used.append(torch.get_num_threads())
        return sample

    try:
        with pytest.raises(Stopped):
            change = signal_at(5, 15)
            fit(recipe, [Squares(8, change=change)], [], tmp_path / "run", device="cpu")
        assert load_state(tmp_path / "run")["progress"]["threads"] == 2
        machine(2, 2.0, 2.0)
        fit(recipe, [Squares(8, change=note)], [], tmp_path / "run", device="cpu")
        fit(recipe, [Squares(8, change=note)], [], tmp_path / "other", device="cpu")
    finally:
        torch.set_num_threads(1)
    assert used == [2] * 8 + [1] * 16
