"""`mdeas predict` of one 640x480 pair as a whole process, start of Python to last file. Goal: under 1 s."""

import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
from _timing import median, report_limit

import mdeas
from mdeas.images.codec import read_rgb, write_jpeg

SAMPLE = Path(mdeas.__file__).parent / "weights" / "sample"


def prepare(folder: Path) -> list[str]:
    """The sample pair at 640x480, and the command that predicts it."""
    for name in ("background", "image"):
        write_jpeg(folder / f"{name}.jpg", cv2.resize(read_rgb(SAMPLE / f"{name}.png"), (640, 480)))
    photos = [str(folder / "image.jpg"), "--background", str(folder / "background.jpg")]
    return [sys.executable, "-m", "mdeas", "predict", *photos, "-o", str(folder / "out"), "--force"]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        command = prepare(Path(folder))
        taken = median(
            lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL),
            rounds=5,
        )
    report_limit("mdeas predict of one 640x480 pair, whole process", taken, 1.0)


if __name__ == "__main__":
    main()
