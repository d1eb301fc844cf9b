"""How much of the old backdrop a cut-out carries to a new one, with and without decontamination.

python benchmarks/foreground.py FOREGROUNDS BACKGROUNDS [COUNT]

FOREGROUNDS is a folder of RGBA cut-outs, BACKGROUNDS a folder of photos. Each cut-out is pasted on a photo
(640×480), cut out again and pasted on another photo. The figure is the mean difference, in levels of 255,
from the original cut-out pasted there, over the pixels with alpha between .02 and .98.
"""

import sys
from functools import cache

import cv2
import numpy as np

from mdeas.images.codec import list_images, read_rgb, read_rgba
from mdeas.images.resize import resize
from mdeas.runtime.onnx_predictor import load
from mdeas.runtime.predictor import Predictor
from mdeas.subject.colours import decontaminate

SIZE = 480, 640


def fitted(path) -> tuple[np.ndarray, np.ndarray]:
    """A cut-out in the middle of an empty picture: float32 colours (480, 640, 3) and alpha (480, 640)."""
    rgba = read_rgba(path).astype(np.float32)
    alpha = rgba[..., 3:] / 255
    scale = 0.8 * min(SIZE[0] / len(rgba), SIZE[1] / rgba.shape[1])
    height, width = (max(1, round(length * scale)) for length in rgba.shape[:2])
    small = resize(np.dstack([rgba[..., :3] * alpha, alpha]), height, width, enlarge=cv2.INTER_LINEAR)
    whole = np.zeros((*SIZE, 4), np.float32)
    top, left = (SIZE[0] - height) // 2, (SIZE[1] - width) // 2
    whole[top : top + height, left : left + width] = small
    return whole[..., :3] / np.maximum(whole[..., 3:], 1e-3), whole[..., 3]


def over(colours: np.ndarray, backdrop: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """The colours laid over the backdrop: float32 (480, 640, 3); alpha is (480, 640)."""
    return alpha[..., None] * colours + (1 - alpha[..., None]) * backdrop


def errors(colours, alpha, old, new, rng) -> dict[str, tuple[float, float]]:
    """(error without, error with decontamination) for each case of known or estimated alpha and light."""
    image = over(colours, old, alpha)
    drifted = (old * np.float32([1.11, 1.05, 1.0]) + rng.normal(0, 2, old.shape)).clip(0, 255)
    noisy = (image + rng.normal(0, 2, image.shape)).clip(0, 255)
    soft = cv2.GaussianBlur(alpha, (0, 0), 2)
    cases = {
        "exact alpha": (image, old, alpha),
        "alpha blurred by 2 px": (image, old, soft),
        "exact alpha, drift and noise": (noisy, drifted, alpha),
        "blurred alpha, drift and noise": (noisy, drifted, soft),
        "alpha of the default model": (image, old, predicted(old, image)),
    }
    return {name: one(*case, over(colours, new, alpha), new) for name, case in cases.items()}


@cache
def model() -> Predictor:
    return load(threads=1)


def predicted(background: np.ndarray, image: np.ndarray) -> np.ndarray:
    """The default model's mask: float32 (480, 640)."""
    return model().predict(np.rint(background).astype(np.uint8), np.rint(image).astype(np.uint8)).mask


def one(image, background, alpha, truth, new) -> tuple[float, float]:
    """Mean error on the edge, without and with decontamination; `truth` is the cut-out pasted on `new`."""
    rgba = np.dstack([np.rint(image), np.rint(alpha * 255)]).astype(np.uint8)
    edge = (alpha > 0.02) & (alpha < 0.98)
    plain = np.abs(over(rgba[..., :3], new, alpha) - truth)[edge].mean()
    decontaminate(rgba, np.rint(background).astype(np.uint8))
    return plain, np.abs(over(rgba[..., :3], new, alpha) - truth)[edge].mean()


def main(foregrounds: str, backgrounds: str, count: int = 20) -> None:
    """Print one line per case: both errors, mean over the cut-outs."""
    photos, rng = list_images(backgrounds), np.random.default_rng(0)
    found: dict[str, list] = {}
    for number, path in enumerate(list_images(foregrounds)[:count]):
        old, new = (
            resize(read_rgb(photos[place % len(photos)]), *SIZE, enlarge=cv2.INTER_LINEAR).astype(np.float32)
            for place in (7 * number, 7 * number + 3)
        )
        for name, pair in errors(*fitted(path), old, new, rng).items():
            found.setdefault(name, []).append(pair)
    for name, pairs in found.items():
        plain, clean = np.nanmean(pairs, axis=0)
        print(f"{name:<32} without {plain:5.2f}  with {clean:5.2f}  ({len(pairs)} cut-outs)")


if __name__ == "__main__":
    main(*sys.argv[1:3], *map(int, sys.argv[3:4]))
