"""Samples per second of the loader: 224x224, two workers, batches of 16, photos, mask and depth.

Compared with the same pictures as loose files under a plain torch DataLoader (goal 1x), once with a
background of its own for every sample and once with 100 shared backgrounds; and with the samples per second
that training `mdeas` consumes (goal 4x).
"""

import itertools
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from time import perf_counter

import cv2
import numpy as np
import torch
from _timing import verdict
from torch.utils.data import DataLoader

from mdeas.batches.loader import Samples, batch_indices, load
from mdeas.dataset.dataset import FORMAT, INDEX, VERSION, Dataset, encode_row, seal, write_shard
from mdeas.sample import Sample
from mdeas.system.files import write_json
from mdeas.train.guards import make_fabric
from mdeas.train.learner import Learner
from mdeas.train.recipe.load import load_recipe

COUNT, SIZE, BATCH, WORKERS, SHARD = 1000, 224, 16, 2, 250
ROUNDS, STEPS = 5, 100


def picture(*seed: int) -> np.ndarray:
    """A photo-like surface: noise of every size."""
    rng = np.random.default_rng(seed)
    layers = [rng.uniform(0, 255, (side, side, 3)).astype(np.float32) for side in (3, 12, 48, SIZE)]
    sized = [cv2.resize(layer, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC) for layer in layers]
    return np.average(sized, axis=0, weights=(5, 3, 1, 0.5)).clip(0, 255).astype(np.uint8)


def sample(index: int, num_backgrounds: int) -> Sample:
    """A disc from another picture on a background."""
    background, y, x = picture(0, index % num_backgrounds), *np.mgrid[:SIZE, :SIZE]
    distance = np.hypot(y - 60 - index % 97, x - 60 - index % 89)
    mask = (40 - distance).clip(0, 1).astype(np.float32)
    image = np.where(mask[..., None] > 0.5, picture(1, index % 50), background)
    depth = np.where(mask > 0, 1.5, 5 - y / SIZE).astype(np.float32)
    meta = {"id": f"{index:06}", "source": "bench", "split": "train", "seed": 0, "index": index}
    meta |= {"background_id": "", "foreground_ids": []}
    return Sample(background=background, image=image, mask=mask, depth=depth, depth_kind="metric", meta=meta)


def write(folder: Path, num_backgrounds: int) -> None:
    """The samples as a data set, and each picture of them as a file in `loose`."""
    (folder / "loose").mkdir(parents=True)
    shards = []
    for start in range(0, COUNT, SHARD):
        rows = [encode_row(sample(i, num_backgrounds)) for i in range(start, start + SHARD)]
        for row, key in itertools.product(rows, ("background", "image", "mask", "depth")):
            suffix = "jpg" if row[key]["bytes"].startswith(b"\xff\xd8") else "png"
            (folder / "loose" / f"{row['id']}-{key}.{suffix}").write_bytes(row[key]["bytes"])
        record = write_shard(folder / "data" / f"train-{start:05}.parquet", rows)
        shards.append(record | {"split": "train"})
    index = {"format": FORMAT, "version": VERSION, "splits": {"train": COUNT}, "count": COUNT}
    write_json(folder / INDEX, seal(index | {"shards": shards}))


class Loose(torch.utils.data.Dataset):
    """The usual torch data set: one file per picture, read with OpenCV."""

    def __init__(self, folder: Path):
        self.folder = folder

    def __len__(self) -> int:
        return BATCH * STEPS

    def __getitem__(self, index: int) -> list[np.ndarray]:
        stem = str(self.folder / f"{index % COUNT:06}")
        photos = [cv2.imread(f"{stem}-{key}.jpg")[..., ::-1].copy() for key in ("background", "image")]
        mask = cv2.imread(f"{stem}-mask.png", cv2.IMREAD_GRAYSCALE)
        depth = cv2.imread(f"{stem}-depth.png", cv2.IMREAD_UNCHANGED).astype(np.float32)
        return [*photos, mask, depth]


def rate(batches: Iterable) -> float:
    """Samples per second of STEPS batches, after some that warm up."""
    batches = iter(batches)
    for _ in range(20):
        next(batches)
    start = perf_counter()
    for _ in itertools.islice(batches, STEPS - 20):
        pass
    return (STEPS - 20) * BATCH / (perf_counter() - start)


def ours(folder: Path) -> Callable[[], float]:
    """A function that measures the loader of mdeas, samples per second."""
    source = Dataset(folder, "train")
    rows = np.arange(COUNT)
    return lambda: rate(load(Samples([source], SIZE), batch_indices(rows, BATCH, 0, 0, STEPS), WORKERS))


def loose(folder: Path) -> Callable[[], float]:
    """A function that measures a plain DataLoader over the loose files, samples per second."""
    files = Loose(folder / "loose")
    return lambda: rate(
        DataLoader(
            files, BATCH, shuffle=True, num_workers=WORKERS, worker_init_fn=lambda _: cv2.setNumThreads(0)
        )
    )


def training_rate(folder: Path) -> float:
    """Samples per second of training steps, with all threads, fed from memory."""
    recipe = load_recipe("mdeas", [f"data.batch_size={BATCH}", f"data.size={SIZE}"])
    learner = Learner(recipe, make_fabric(recipe, "cpu"))
    batch = next(load(Samples([Dataset(folder, "train")], SIZE), [list(range(BATCH))])).to_batch()
    learner.step(batch, 1e-3, 1)
    start = perf_counter()
    for _ in range(3):
        learner.step(batch, 1e-3, 1)
    return 3 * BATCH / (perf_counter() - start)


def said(ratio: float, goal: float) -> str:
    return f"{ratio:.1f}x (goal {goal:g}x: {verdict(ratio >= goal)})"


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        for num_backgrounds in (COUNT, 100):
            folder = Path(place, str(num_backgrounds))
            write(folder, num_backgrounds)
            contestants = ours(folder), loose(folder)
            pairs = [[contestant() for contestant in contestants] for _ in range(ROUNDS)]
            mine, theirs = map(max, zip(*pairs, strict=True))
            print(
                f"loader, {num_backgrounds} backgrounds: {mine:.0f} samples/s, loose files {theirs:.0f}: "
                f"{said(mine / theirs, 1)}"
            )
        consumed = training_rate(folder)
        print(f"loader against training, {consumed:.1f} samples/s: {said(mine / consumed, 4)}")


if __name__ == "__main__":
    main()
