"""Measure how two workers make the composites of system 1 at 224 x 224: time, bytes on disk, peak memory.

The rival pastes with Pillow and saves JPEG files in one process, as the published systems did. Goals for
400,000 composites: 20 minutes, 12 GB, no more memory than for 4,000.

    python benchmarks/factory.py                                              2,000 samples of drawn pictures
    python benchmarks/factory.py BACKGROUNDS FOREGROUNDS COUNT [COUNT ...]    samples of your folders

COUNT 0 makes all composites: backgrounds x foregrounds x 2 x 26 places. Several COUNTs show whether peak
memory grows with the number of samples.
"""

import shutil
import subprocess
import sys
import tempfile
import time
from itertools import cycle
from pathlib import Path

import numpy as np
from PIL import Image

from mdeas.dataset.dataset import read_index

SIZE, PLACES, NUM_RIVAL = 224, 26, 400


def draw(folder: Path, count: int, channels: int) -> Path:
    """Write smooth pictures of 640 x 480, or with 4 channels discs of 320 x 320 with alpha."""
    folder.mkdir()
    for number in range(count):
        rng = np.random.default_rng([channels, number])
        rough = rng.integers(0, 256, (12, 16, 3), np.uint8)
        picture = Image.fromarray(rough).resize((640, 480), Image.Resampling.BICUBIC)
        if channels == 4:
            y, x = np.mgrid[:320, :320] - 160
            picture = picture.resize((320, 320))
            picture.putalpha(Image.fromarray(((np.hypot(y, x) < 150) * 255).astype(np.uint8)))
        picture.save(folder / f"{number:03}.png")
    return folder


def command(backgrounds: str, foregrounds: str, count: int, out: Path) -> list[str]:
    """Return the command that makes `count` samples, or all with 0."""
    options = ["--backgrounds", backgrounds, "--foregrounds", foregrounds, "--workers", "2", "-o", str(out)]
    options += ["--set", f"places={PLACES}"] + (["--count", str(count)] if count else [])
    return [sys.executable, "-m", "mdeas", "create", "photos", "system-1", *options]


def tree_mib(root: int) -> float:
    """Return the memory of a process and its descendants in MiB; shared memory counts once (Linux)."""
    children = [
        int(pid) for task in Path(f"/proc/{root}/task").iterdir() for pid in _words(task / "children")
    ]
    about = dict(line.split()[:2] for line in _lines(Path(f"/proc/{root}/smaps_rollup"))[1:])
    return int(about.get("Pss:", 0)) / 1024 + sum(map(tree_mib, children))


def _words(path: Path) -> list[str]:
    return [word for line in _lines(path) for word in line.split()]


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:  # the process has ended
        return []


def make(backgrounds: str, foregrounds: str, count: int, out: Path, rival_ms: float) -> None:
    """Make a data set and print one line about it."""
    start, peak = time.perf_counter(), 0.0
    process = subprocess.Popen(command(backgrounds, foregrounds, count, out), stdout=subprocess.DEVNULL)
    while process.poll() is None:
        peak = max(peak, tree_mib(process.pid))
        time.sleep(0.2)
    elapsed = time.perf_counter() - start
    made = sum(file.stat().st_size for file in out.rglob("*.parquet"))
    rows = read_index(out)["count"]
    each_ms = 1e3 * elapsed / rows
    print(
        f"factory, {rows:,} samples: {elapsed:.1f} s, {each_ms:.2f} ms each, {made / 1e9:.2f} GB, "
        f"peak memory {peak:.0f} MiB, {rival_ms / each_ms:.1f}x faster than Pillow ({rival_ms:.2f} ms each)",
        flush=True,
    )


def pillow_ms(backgrounds: str, foregrounds: str, out: Path) -> float:
    """Return the rival's milliseconds per sample: open, resize, paste and save, one sample at a time."""
    out.mkdir()
    pictures = zip(cycle(sorted(Path(backgrounds).iterdir())), cycle(sorted(Path(foregrounds).iterdir())))
    start = time.perf_counter()
    for number, (behind, before) in zip(range(NUM_RIVAL), pictures, strict=False):
        background = Image.open(behind).convert("RGB").resize((SIZE, SIZE))
        thing = Image.open(before).convert("RGBA")
        thing.thumbnail((150, 150))
        at = (number % (SIZE - thing.width + 1), number % (SIZE - thing.height + 1))
        mask = Image.new("L", background.size)
        mask.paste(thing.getchannel("A"), at)
        background.paste(thing, at, thing)
        background.save(out / f"{number}.jpg")
        mask.save(out / f"{number}-mask.jpg")
    return 1e3 * (time.perf_counter() - start) / NUM_RIVAL


def main() -> None:
    """Measure the rival, then every count."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        if len(sys.argv) > 3:
            backgrounds, foregrounds, counts = *sys.argv[1:3], [int(count) for count in sys.argv[3:]]
        else:
            backgrounds, foregrounds = (str(draw(folder / str(c), n, c)) for n, c in ((20, 3), (10, 4)))
            counts = [2000]
        rival_ms = pillow_ms(backgrounds, foregrounds, folder / "loose")
        for count in counts:
            make(backgrounds, foregrounds, count, folder / "set", rival_ms)
            shutil.rmtree(folder / "set")


if __name__ == "__main__":
    main()
