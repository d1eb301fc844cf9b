"""Draw the tutorials' pictures from what their commands left: `python docs/tools/pictures.py FOLDER...`.

FOLDER is where the commands of a tutorial were run; the pictures go to docs/tutorials.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from mdeas.images.codec import read_depth16, read_rgb

OUT = Path(__file__).parents[1] / "tutorials"
STYLE = {"layout": "constrained", "dpi": 110}


def main(folder: Path) -> None:
    """Draw what FOLDER has the files for."""
    if (folder / "metres").is_dir():
        metres(folder / "metres" / "image-depth-m.png")
    if (folder / "mine").is_dir():
        side_by_side([read_rgb(folder / "mine" / "image-panel.png")], "network-predict", 10)
        side_by_side([read_rgb(folder / "look" / "sheet.png")[:746]], "network-sheet", 6)
        side_by_side([read_rgb(folder / "run" / "curve.png")], "network-curve", 7)
        side_by_side([read_rgb(folder / "report" / "robustness.png")[:410]], "network-robustness", 10)


def metres(path: Path) -> None:
    """Draw a depth map in metres with its scale; unknown pixels stay white."""
    depth_m = read_depth16(path) / 1000
    figure, axis = plt.subplots(figsize=(6, 3.1), **STYLE)
    drawn = axis.imshow(np.where(depth_m > 0, depth_m, np.nan), cmap="turbo_r")
    figure.colorbar(drawn, label="metres")
    axis.axis("off")
    save(figure, "shelf-metres")


def side_by_side(pictures: list[np.ndarray], name: str, width_in: float) -> None:
    """Save pictures beside each other, `width_in` inches wide in all."""
    height, width = pictures[0].shape[:2]
    size = width_in, width_in * height / width / len(pictures)
    figure, axes = plt.subplots(1, len(pictures), figsize=size, squeeze=False, **STYLE)
    for axis, picture in zip(axes[0], pictures, strict=True):
        axis.imshow(picture)
        axis.axis("off")
    save(figure, name)


def save(figure: plt.Figure, name: str) -> None:
    figure.savefig(OUT / f"{name}.jpg", pil_kwargs={"quality": 85})
    plt.close(figure)


if __name__ == "__main__":
    for word in sys.argv[1:]:
        main(Path(word))
