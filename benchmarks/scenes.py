"""Samples per second of the scene renderer, two processes, without encoding. Goals: 25 at 128, 10 at 224."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import torch
from _timing import seconds, verdict

from mdeas.create.scenes.maker import ScenesMaker, ScenesRecipe

GOALS = {128: 25, 224: 10}
WORKERS, COUNT = 2, 48
_maker: ScenesMaker


def start(size: int) -> None:
    """Prepare a worker as `mdeas create scenes --workers 2` does: one thread, textures built."""
    global _maker
    torch.set_num_threads(1)
    _maker = ScenesMaker(ScenesRecipe(count=2 * COUNT, size=size), seed=0)
    _maker.make(COUNT)


def make(index: int) -> None:
    _maker.make(index)


def samples_per_second(size: int) -> float:
    with ProcessPoolExecutor(WORKERS, get_context("spawn"), start, (size,)) as pool:
        list(pool.map(make, range(COUNT, COUNT + 2 * WORKERS)))  # both workers are up
        return COUNT / seconds(lambda: list(pool.map(make, range(COUNT))))


if __name__ == "__main__":
    for size, goal in GOALS.items():
        rate = samples_per_second(size)
        print(f"scenes at {size}x{size}: {rate:.1f} samples/s (goal {goal}: {verdict(rate >= goal)})")
