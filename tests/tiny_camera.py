"""A view whose metres are known, a thing in it, and the commands that measure it: depth is brightness."""

import json
from pathlib import Path

import numpy as np
import tiny_model

from mdeas.cli import main
from mdeas.images.codec import read_depth16, write_png

HEIGHT, WIDTH = 96, 64
NEAR, FAR = 2.0, 8.0


def folder(path: Path, monkeypatch) -> Path:
    """`path` with model.onnx, background.png, map.png and image.png, as the working directory."""
    monkeypatch.chdir(path)
    Path("model.onnx").write_bytes(tiny_model.model_bytes())
    write_png("background.png", scene())
    write_png("map.png", millimetres(empty_m()))
    write_png("image.png", with_thing())
    return path


def scene(drift=0) -> np.ndarray:
    """Brighter, that is nearer, from the top to the bottom; `drift`: all of it, by so many levels."""
    photo = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    photo[:] = np.round(np.linspace(40, 200, HEIGHT) + drift)[:, None, None]
    return photo


def with_thing(drift=0, rows=slice(20, 61), columns=slice(20, 40)) -> np.ndarray:
    photo = scene(drift)
    photo[rows, columns] = 255
    return photo


def empty_m() -> np.ndarray:
    """(H, W) metres of the scene: inverse depth is affine in brightness."""
    grey = scene()[..., 0].astype(float)
    return 1 / (1 / FAR + (1 / NEAR - 1 / FAR) * (grey - 40) / 160)


def millimetres(depth_m: np.ndarray) -> np.ndarray:
    return np.rint(depth_m * 1000).astype(np.uint16)


def calibrate(*words) -> int:
    return main(
        ["calibrate", "--background", "background.png", "-o", "camera.json", "--model", "model.onnx", *words]
    )


def by_points(*points: str) -> int:
    return calibrate(*[f"--point={point}" for point in points])


def point(row: int, column: int = 5, factor: float = 1.0) -> str:
    return f"{column},{row}={factor * empty_m()[row, column]:.4f}"


def measure(image="image.png", background="background.png", out="out", *words) -> int:
    model = ["--model", "model.onnx", "--calibration", "camera.json"]
    return main(["predict", image, "--background", background, "-o", out, *model, *words])


def found(name="image", out="out") -> tuple[np.ndarray, dict]:
    """The metres that were written, 0 = unknown, and what is said of them."""
    facts = json.loads(Path(out, f"{name}-depth-m.json").read_text())
    return facts["offset"] + facts["scale"] * read_depth16(Path(out, f"{name}-depth-m.png")), facts


def inner(array: np.ndarray) -> np.ndarray:
    """Away from the rims of the thing, where the mask is soft."""
    return array[26:56, 24:36]
