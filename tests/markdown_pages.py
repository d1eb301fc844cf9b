"""Commands in Markdown pages, and a folder with the files that they speak of."""

import re
import shlex
import shutil
from pathlib import Path

import numpy as np

from mdeas.images.codec import read_rgb, write_png
from mdeas.images.video import write_video

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "src" / "mdeas" / "weights" / "sample"
TRAIN = "--set steps=2 --set data.batch_size=4 --set data.size=32 --set data.workers=0 --set threads=1"

# What makes the commands small enough for a test: (in the page, here).
SMALLER = [
    ("--count 20000", "--count 12"),
    ("--count 5000", "--count 12"),
    ("--count 100000", "--count 12"),
    ("--count 1200", "--count 12"),
    ("--size 128", "--size 32"),
    ("--size 96 --seed", "--size 32 --seed"),
    ("_count=500", "_count=3"),
    ("_count=60", "_count=3"),
    ("--workers 2", "--workers 1 --set tiles=8"),
    ("evaluate run", "evaluate default"),  # a run is exported first, which takes as long as all the rest
    ("--find-lr lr.png", f"--find-lr lr.png {TRAIN}"),
    ("--set steps=240 --set validate_every=120 --set data.size=64 --set data.workers=0", TRAIN),
    ("train twin --data scenes -o run", f"train twin --data scenes -o run {TRAIN}"),
    ("--set optimizer.lr=1e-3", f"--set optimizer.lr=1e-3 {TRAIN}"),
]


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of one language."""
    fences = re.findall(r"^```(\w*)[^\n]*\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)
    return [body for name, body in fences if name == language]


def commands(page: Path, language: str = "sh") -> list[list[str]]:
    """The words of every line of the page's blocks of one language."""
    lines = "".join(blocks(page, language)).splitlines()
    return [words for line in lines if (words := shlex.split(line, comments=True))]


def smaller(words: list[str]) -> list[str]:
    """The command with a test's numbers."""
    line = shlex.join(words)
    for large, small in SMALLER:
        line = line.replace(large, small)
    return shlex.split(line)


def fill(folder: Path) -> None:
    """Write what the pages' commands read: the sample pair, photos, cut-outs, pairs, a video."""
    rng = np.random.default_rng(0)
    for name, channels in (("backgrounds", 3), ("cutouts", 4)):
        (folder / name).mkdir()
        for number in range(24):
            write_png(folder / name / f"{number}.png", texture(rng, channels))
    write_video(folder / "walk.mp4", [read_rgb(SAMPLE / "image.png")] * 3, 10)
    (folder / "mypairs" / "desk").mkdir(parents=True)
    for name, place in (("background.png", "empty"), ("image.png", "photographed")):
        (folder / place).mkdir()
        shutil.copy(SAMPLE / name, folder / place / "desk.png")
        shutil.copy(SAMPLE / name, folder / name)
        shutil.copy(SAMPLE / name, folder / "mypairs" / "desk" / name)


def texture(rng: np.random.Generator, channels: int) -> np.ndarray:
    """A small picture: uint8 (48, 64, channels), smooth, with a disc as alpha if there are 4 channels."""
    y, x = np.mgrid[:48, :64]
    picture = np.stack([(y * a + x * b + c) % 256 for a, b, c in rng.uniform(0, 5, (channels, 3))], -1)
    if channels == 4:
        picture[..., 3] = 255 * (np.hypot(y - 24, x - 32) < 18)
    return picture.astype(np.uint8)
