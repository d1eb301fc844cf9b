"""Rows that are read by byte offsets are the rows that parquet reads."""

import os

import numpy as np
import pyarrow.parquet as parquet
import pytest
import tiny_data

from mdeas.dataset.dataset import Dataset
from mdeas.dataset.offsets import read_offsets
from mdeas.dataset.rows import PICTURES, encode_row, write_shard
from mdeas.errors import InputError, StorageError

NOISE = [np.random.default_rng(seed).integers(0, 256, (96, 128, 3), np.uint8) for seed in range(12)]


def samples():
    """More than a group holds, three in a row with one background, some without mask or depth."""
    fields = {"mask": np.zeros((96, 128), np.float32), "depth": None, "depth_kind": "none"}
    made = [
        tiny_data.sample(i, **fields, background=NOISE[i // 3], image=image) for i, image in enumerate(NOISE)
    ]
    made.insert(5, tiny_data.sample(20, mask=None, background=NOISE[1], image=NOISE[0]))
    return [*made, tiny_data.sample(21), tiny_data.sample(22)]


@pytest.fixture
def dataset(tmp_path):
    return Dataset(tiny_data.write(tmp_path / "set", train=samples()))


def shard(dataset):
    return dataset.path / "data" / "train-00000.parquet"


def test_every_row_of_every_group(dataset):
    assert parquet.ParquetFile(shard(dataset)).num_row_groups > 2
    offsets = read_offsets(shard(dataset))
    for number in range(len(dataset)):
        whole, bare = dataset.row(number), offsets.row(number)
        for name in PICTURES:
            assert (whole[name] and whole[name]["bytes"]) == (bare[name] and bare[name]["bytes"]), number
        assert [bare[key] for key in ("id", "depth_scale")] == [whole[key] for key in ("id", "depth_scale")]


def test_neighbours_with_one_background_store_it_once(tmp_path):
    rows = [encode_row(tiny_data.sample(i, background=NOISE[0], image=NOISE[0]), "png") for i in range(4)]
    picture = len(rows[0]["background"]["bytes"])
    one, four = (write_shard(tmp_path / str(n), rows[:n])["bytes"] for n in (1, 4))
    assert four - one < 3.2 * picture


@pytest.mark.parametrize("change", [lambda path: os.utime(path, (1, 1)), lambda path: path.write_bytes(b"x")])
def test_a_shard_that_changes_is_noticed(dataset, change):
    dataset.bare(0)
    change(shard(dataset))
    with pytest.raises(InputError, match=r"train-00000.parquet': another file than when it was opened"):
        dataset.bare(1)


def test_a_shard_that_is_gone_is_named(dataset):
    dataset.bare(0)
    shard(dataset).unlink()
    with pytest.raises(StorageError, match=r"train-00000.parquet"):
        dataset.bare(1)


def test_a_shard_of_another_writer_is_refused(dataset, tmp_path):
    parquet.write_table(parquet.read_table(shard(dataset)), tmp_path / "a.parquet", compression="gzip")
    with pytest.raises(InputError, match=r"a.parquet': not a shard that mdeas wrote"):
        read_offsets(tmp_path / "a.parquet")
