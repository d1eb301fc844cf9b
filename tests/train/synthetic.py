"""A small source in memory: a bright square on noise, nearer than the wall behind it."""

import numpy as np

from mdeas.sample import Sample


class Squares:
    """`count` samples of `size` pixels; sample i depends on (seed, i). Every fifth pair is empty."""

    def __init__(self, count: int, size: int = 32, seed: int = 0, change=None):
        self.count, self.size, self.seed, self.change = count, size, seed, change
        self.fingerprint = f"squares-{count}-{size}-{seed}"

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Sample:
        sample = square(index, self.size, self.seed)
        return self.change(index, sample) if self.change else sample


def square(index: int, size: int, seed: int) -> Sample:
    """One sample."""
    rng = np.random.default_rng([seed, index])
    background = rng.integers(0, 150, (size, size, 3), dtype=np.uint8)
    image, mask = background.copy(), np.zeros((size, size), np.float32)
    depth = np.repeat(np.linspace(4, 2, size, dtype=np.float32)[:, None], size, 1)
    if index % 5:
        y, x = rng.integers(0, size // 2, 2)
        area = slice(y, y + size // 2), slice(x, x + size // 2)
        image[area], mask[area], depth[area] = 230, 1, 1.5
    meta = {"id": f"square-{index}", "split": "train"}
    return Sample(background=background, image=image, mask=mask, depth=depth, depth_kind="metric", meta=meta)
