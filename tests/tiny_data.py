"""A few samples with everything that evaluation tells apart, and the same as a data set on disk."""

from pathlib import Path

import numpy as np

from mdeas.dataset.dataset import FORMAT, INDEX, VERSION, encode_row, seal, write_shard
from mdeas.sample import Sample
from mdeas.system.files import write_json


def sample(index: int, height: int = 40, width: int = 48, *, filled: bool = True, **changes) -> Sample:
    """A floor that nears towards the bottom, with a white box on it; `changes` replace fields."""
    background = np.random.default_rng(0).integers(60, 120, (height, width, 3), np.uint8)
    depth = np.repeat(np.linspace(6, 2, height, dtype=np.float32)[:, None], width, axis=1)
    mask = np.zeros((height, width), np.float32)
    if filled:
        mask[height // 4 : height // 2, 5 + index : 20 + index] = 1
    image = np.where(mask[..., None] > 0, np.uint8(250), background)
    meta = {"id": f"tiny-{index:03}", "source": "test", "split": "test", "seed": 0, "index": index}
    meta |= {"background_id": "floor", "foreground_ids": ["box"] * filled}
    fields = {"background": background, "image": image, "mask": mask, "depth_kind": "metric", "meta": meta}
    fields["depth"] = np.where(mask > 0, np.float32(1.5), depth)
    return Sample(**{**fields, **changes})


def samples() -> list[Sample]:
    """Two filled pairs of two sizes, an empty one, one without mask, one without depth, a teacher's."""
    relative = np.linspace(0, 1, 40 * 48, dtype=np.float32).reshape(40, 48)
    return [
        sample(0),
        sample(1, 60, 33),
        sample(2, filled=False),
        sample(3, mask=None),
        sample(4, depth=None, depth_kind="none"),
        sample(5, depth=relative, depth_kind="relative"),
    ]


def write(folder: Path, **splits: list[Sample]) -> Path:
    """The samples of each split as a data set; without any, `samples()` as test split."""
    (folder / "data").mkdir(parents=True)
    splits = splits or {"test": samples()}
    counts = {split: len(chosen) for split, chosen in splits.items()}
    shards = []
    for split, chosen in splits.items():
        shard = write_shard(
            folder / "data" / f"{split}-00000.parquet", [encode_row(s, "png") for s in chosen]
        )
        shards.append({**shard, "rows": len(chosen), "split": split})
    index = {"format": FORMAT, "version": VERSION, "recipe": {}, "seed": 0, "count": sum(counts.values())}
    index |= {"splits": counts, "shards": shards, "provenance": [], "versions": {}}
    write_json(folder / INDEX, seal(index))
    return folder
