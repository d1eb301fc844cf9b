"""Makers, folders and processes that the campaign plays with."""

import contextlib
import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from mdeas import cli
from mdeas.create.factory.engine import LOCAL
from mdeas.images.codec import write_jpeg, write_png

SLOW_MAKER = Path(__file__).parents[1] / "slow_maker.py"


def tree(folder):
    """sha256 by name of every file in a folder, hidden ones too."""
    files = sorted(path for path in Path(folder).rglob("*") if path.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def start(out, workers=2, delay_s=0.0, **environment):
    """The slow maker in a process group of its own; its output is text."""
    command = [sys.executable, *map(str, (SLOW_MAKER, out, workers, delay_s))]
    return start_command(command, **environment)


def start_command(command, **environment):
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen(command, start_new_session=True, env={**os.environ, **environment}, **streams)


def wait_for_shards(process, out, number):
    """Until so many shards are there; an error when the process ends before."""
    deadline = time.monotonic() + 300
    while len(list(Path(out).glob("data/*.parquet"))) < number:
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()[0]
        time.sleep(0.005)


def workers_of(process):
    """Process ids of the pool of a running build."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    commands = {int(child): Path(f"/proc/{child}/cmdline").read_bytes() for child in children}
    return [child for child, command in commands.items() if b"spawn_main" in command]


def inline(function, items, *, workers, tick):
    """What pool.results does, in this process: for cases that are not about processes."""
    for item in list(items):
        tick()
        yield item, function(item)


@contextlib.contextmanager
def without_processes():
    """Data sets are made in this process; workers write nothing, so that the disk sees the same calls."""
    before, LOCAL.results = LOCAL.results, inline
    try:
        yield
    finally:
        LOCAL.results = before


def mdeas(*words):
    """Exit code of the command line."""
    with without_processes():
        return cli.main([str(word) for word in words])


def photo(seed, side=48):
    """uint8 (side, side, 3): smooth colours, so that every format has something to compress."""
    y, x = np.mgrid[:side, :side] / side
    phases = np.random.default_rng(seed).uniform(0, 6, 3)
    return np.stack([np.sin(5 * x + 3 * y + p) * 100 + 127 for p in phases], -1).astype(np.uint8)


def cutout(seed, side=40):
    """uint8 (side, side, 4): a disc with a soft edge."""
    y, x = np.mgrid[:side, :side] - side / 2
    alpha = np.clip((side / 2.5 - np.hypot(x, y)) * 60, 0, 255).astype(np.uint8)
    return np.dstack([photo(seed, side), alpha])


def folders(root, num_photos=3, num_cutouts=2):
    """Folders of good photos and cut-outs: (backgrounds, foregrounds)."""
    for k in range(num_photos):
        write_jpeg(root / "bg" / f"good{k}.jpg", photo(k))
    for k in range(num_cutouts):
        write_png(root / "fg" / f"good{k}.png", cutout(100 + k))
    return root / "bg", root / "fg"


def create_photos(out, backgrounds, foregrounds, *words, count=6):
    """Exit code of `mdeas create photos` with every asset in every split."""
    pools = ("--backgrounds", backgrounds, "--foregrounds", foregrounds, "--set", "split=rows")
    return mdeas("create", "photos", "-o", out, *pools, "--count", count, "--size", 32, *words)
