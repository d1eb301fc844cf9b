"""Run the commands that need no extra with the mdeas of this Python; the first failure ends it.

`make lower-bounds` runs it with the oldest versions that pyproject.toml allows.
"""

import subprocess
import sys
import tempfile
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

BASE = ("numpy", "opencv-python-headless", "onnxruntime", "jsonargparse", "rich")


def commands(sample: Path, out: Path) -> list[list[object]]:
    """The words of each command."""
    background, image = (next(sample.glob(f"{name}.*")) for name in ("background", "image"))
    pair = [image, "--background", background]
    video = out / "in.avi"
    return [
        ["--help"],
        ["--version"],
        ["check", background, image, "--json"],
        ["predict", *pair, "-o", out / "sample", "--layers", "--cloud", "ply", "--fov", "60"],
        ["predict", *pair, "-o", out / "int8", "--model", sample.parent / "default-int8.onnx"],
        ["predict", *pair, "-o", out / "baseline", "--model", "difference"],
        ["calibrate", "--background", background, "-o", out / "camera.json", *two_points(background)],
        ["predict", *pair, "-o", out / "metres", "--calibration", out / "camera.json"],
        ["background", background, background, background, "-o", out / "empty.png"],
        [
            "compose",
            *pair,
            "--insert",
            out / "sample/image-cutout.png",
            "--at",
            "90,90",
            "-o",
            out / "composed.png",
        ],
        ["video", write_video(background, image, video), "--background", background, "-o", out / "out.mp4"],
        ["benchmark", *pair, "--rounds", "2"],
    ]


def two_points(background: Path) -> list[str]:
    """Options of calibrate: the nearest place of the empty scene is at 1 m, the farthest at 4 m."""
    import cv2
    import numpy as np

    import mdeas

    photo = cv2.cvtColor(cv2.imread(str(background)), cv2.COLOR_BGR2RGB)
    depth = mdeas.load().predict(photo, photo).depth
    (near_y, near_x), (far_y, far_x) = (
        np.unravel_index(at, depth.shape) for at in (depth.argmax(), depth.argmin())
    )
    return ["--point", f"{near_x},{near_y}=1", "--point", f"{far_x},{far_y}=4"]


def write_video(background: Path, image: Path, path: Path) -> Path:
    """A video of ten frames: five of the empty scene, five of the photo."""
    import cv2

    photos = [cv2.imread(str(photo)) for photo in (background, image)]
    height, width, _ = photos[0].shape
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25, (width, height))
    for photo in photos:
        for _ in range(5):
            writer.write(photo)
    writer.release()
    return path


def main() -> None:
    """Run them all and print the versions they ran with."""
    with tempfile.TemporaryDirectory() as out:
        for words in commands(Path(str(files("mdeas"))) / "weights" / "sample", Path(out)):
            line = [sys.executable, "-m", "mdeas", *map(str, words)]
            run = subprocess.run(line, cwd=out, capture_output=True, text=True)
            if run.returncode:
                sys.exit(f"{' '.join(map(str, words))}\n{run.stdout}{run.stderr}")
    print("base commands run with", ", ".join(f"{name} {version(name)}" for name in BASE))


if __name__ == "__main__":
    main()
