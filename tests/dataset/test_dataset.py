"""A data set reads back as it was made, and no damage to it goes unnoticed."""

import json
import multiprocessing
import os
import pickle
import random
import shutil

import numpy as np
import pytest

from mdeas.dataset.dataset import Dataset, decode_row, encode_row, read_index, seal, verify, write_shard
from mdeas.dataset.show.examine import examine
from mdeas.errors import InputError
from mdeas.sample import Sample, check
from mdeas.system.files import write_json

SIZE = (8, 12)
ROWS = 7


def sample(index, **changes):
    rng = np.random.default_rng(index)
    empty = index % 4 == 0
    values = {
        "background": np.full((*SIZE, 3), (10, 20, 30), np.uint8),
        "image": np.full((*SIZE, 3), (40, 50, 60 + index), np.uint8),
        "mask": np.zeros(SIZE, np.float32) if empty else rng.random(SIZE, np.float32),
        "depth": rng.random(SIZE, np.float32) * 80,
        "depth_kind": "metric",
        "meta": {"id": f"s-{index}", "source": "test", "split": "test" if index > 14 else "train"}
        | {
            "seed": 1,
            "index": index,
            "background_id": "b",
            "foreground_ids": ["f"][empty:],
            "camera": {"f": 1.5},
        },
    }
    return Sample(**{**values, **changes})


def make(folder, samples, photo_format="png"):
    """Shards of up to ROWS samples of one split and the index, as `create.build` writes them."""
    shards = []
    for split in ("train", "test"):
        rows = [encode_row(s, photo_format) for s in samples if s.meta["split"] == split]
        for at in range(0, len(rows), ROWS):
            name = f"{split}-{at // ROWS:05d}.parquet"
            shards.append({**write_shard(folder / "data" / name, rows[at : at + ROWS]), "split": split})
    splits = {split: sum(s["rows"] for s in shards if s["split"] == split) for split in ("train", "test")}
    index = {
        "format": "mdeas-dataset",
        "version": 1,
        "count": len(samples),
        "splits": splits,
        "shards": shards,
    }
    write_json(folder / "index.json", seal(index))
    return folder


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    return make(tmp_path_factory.mktemp("original"), [sample(i) for i in range(20)])


@pytest.fixture
def copy(original, tmp_path):
    return shutil.copytree(original, tmp_path / "copy")


def same(a, b):
    np.testing.assert_array_equal(a.background, b.background)
    np.testing.assert_array_equal(a.image, b.image)
    assert a.meta == b.meta and a.depth_kind == b.depth_kind
    np.testing.assert_allclose(a.mask, b.mask, atol=0.5 / 255 + 1e-6)
    np.testing.assert_allclose(a.depth, b.depth, atol=0.5 * 80 / 65535 + 1e-5)


def test_reads_back_in_order_and_at_random(original):
    dataset = Dataset(original)
    assert len(dataset) == 20 and dataset.ids() == [f"s-{i}" for i in range(20)]
    for index in [19, 0, 7, 14, 6, *range(20)]:
        same(check(dataset[index]), sample(index))
    with pytest.raises(IndexError):
        dataset[20]


def test_one_split(original):
    dataset = Dataset(original, "test")
    assert [s.meta["index"] for s in dataset] == [15, 16, 17, 18, 19]
    assert dataset.fingerprint != Dataset(original).fingerprint == verify(original)["fingerprint"]
    with pytest.raises(InputError, match="it has test, train") as caught:
        Dataset(original, "validation")
    assert caught.value.code == "E-DATASET-MISSING"


def test_absent_mask_and_depth_and_relative_depth():
    bare = check(sample(1, mask=None, depth=None, depth_kind="none"))
    read = check(decode_row(encode_row(bare)))
    assert read.mask is None and read.depth is None and read.depth_kind == "none"
    relative = sample(1, depth_kind="relative", depth=np.zeros(SIZE, np.float32))
    np.testing.assert_array_equal(decode_row(encode_row(relative)).depth, 0)


def test_known_metric_depth_stays_known_and_unknown_stays_unknown():
    depth = np.full(SIZE, 80, np.float32)
    depth[0, :3] = 0, 1e-6, 0.3
    read = decode_row(encode_row(sample(1, depth=depth)))
    np.testing.assert_array_equal(read.depth_known, depth > 0)
    np.testing.assert_allclose(read.depth[0, 2:], depth[0, 2:], atol=0.5 * 80 / 65535)


def test_jpeg_photos_are_close_and_equal_rows_give_equal_bytes(tmp_path):
    rows = [encode_row(sample(i)) for i in range(3)]
    assert rows[0]["image"]["bytes"][:2] == b"\xff\xd8"
    assert np.abs(decode_row(rows[0]).image.astype(int) - sample(0).image).max() <= 3
    first, second = (write_shard(tmp_path / name, rows) for name in ("a", "b"))
    assert first["sha256"] == second["sha256"] and first["rows"] == 3


def test_pickle_and_fork(original):
    dataset = Dataset(original)
    dataset[3]
    same(pickle.loads(pickle.dumps(dataset))[8], sample(8))
    child = multiprocessing.get_context("fork").Process(target=lambda: os._exit(dataset[4].meta["index"]))
    child.start()
    child.join(20)
    assert child.exitcode == 4


def test_hugging_face_reads_it(original, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")
    files = {"train": str(original / "data" / "train-*.parquet")}
    read = datasets.load_dataset("parquet", data_files=files, cache_dir=str(tmp_path))["train"]
    assert isinstance(read.features["image"], datasets.Image) and len(read) == 15
    np.testing.assert_array_equal(np.asarray(read[2]["image"]), sample(2).image)
    deep = np.asarray(read[2]["depth"]) * read[2]["depth_scale"]
    np.testing.assert_allclose(deep, sample(2).depth, atol=0.001)


def damage_cut(data, rng):
    return data[: rng.randrange(len(data))]


def damage_flip(data, rng):
    at = rng.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]


def use(folder):
    """What training does: opens the set and reads every row."""
    return [*Dataset(folder)]


@pytest.mark.parametrize("notice", [verify, use])
@pytest.mark.parametrize("damage", [damage_cut, damage_flip])
def test_cuts_and_flips_of_every_file_are_noticed(original, copy, notice, damage):
    rng = random.Random(damage.__name__)
    for file in sorted(path for path in original.rglob("*") if path.is_file()):
        broken = copy / file.relative_to(original)
        for _ in range(8):
            broken.write_bytes(damage(file.read_bytes(), rng))
            with pytest.raises(InputError) as caught:
                notice(copy)
            assert caught.value.code in {"E-DATASET-DAMAGED", "E-DATASET-MISSING", "E-JSON"}, caught.value
        shutil.copy(file, broken)
    notice(copy)


def delete(data):
    (data / "train-00001.parquet").unlink()


def swap(data):
    (data / "train-00000.parquet").rename(data / "x")
    (data / "train-00001.parquet").rename(data / "train-00000.parquet")
    (data / "x").rename(data / "train-00001.parquet")


def double(data):
    shutil.copy(data / "train-00000.parquet", data / "train-00009.parquet")


def replace(data):
    shutil.copy(data / "train-00000.parquet", data / "train-00001.parquet")


def directory(data):
    (data / "train-00001.parquet").unlink()
    (data / "train-00001.parquet").mkdir()


@pytest.mark.parametrize("notice", [verify, use])
@pytest.mark.parametrize("harm", [delete, swap, double, replace, directory])
def test_shards_that_are_not_where_they_belong(copy, notice, harm):
    harm(copy / "data")
    with pytest.raises(InputError, match=r"parquet'") as caught:
        notice(copy)
    assert caught.value.code == "E-DATASET-DAMAGED"


@pytest.mark.parametrize("field", ["count", "shards", "sha256", "format", "version"])
def test_an_edited_index_is_noticed(copy, field):
    index = json.loads((copy / "index.json").read_bytes())
    index[field] = index[field][1:] if isinstance(index[field], (str, list)) else 2
    write_json(copy / "index.json", index, force=True)
    with pytest.raises(InputError, match=r"index|version"):
        Dataset(copy)


def test_an_unfinished_set_says_how_to_finish_it(tmp_path):
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(InputError, match="Run its `mdeas create` command again") as caught:
            read_index(folder)
        assert caught.value.code == "E-DATASET-MISSING"


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        ([sample(1), sample(1)], "s-1' is there twice"),
        ([sample(1), sample(2, meta={**sample(2).meta, "index": 1})], "s-2' is there twice"),
        ([sample(1, background=np.zeros((3, 3, 3), np.uint8))], "background must be like image"),
        ([sample(1, mask=np.zeros((3, 3), np.float32))], "mask must be float32"),
    ],
)
def test_rows_that_break_the_contract(tmp_path, samples, message):
    make(tmp_path, samples)
    with pytest.raises(InputError, match=message):
        verify(tmp_path)
    assert verify(tmp_path, deep=False)["samples"] == len(samples)


def test_a_row_whose_picture_does_not_decode(tmp_path, monkeypatch):
    make(tmp_path, [sample(1)])
    rows = [Dataset(tmp_path).row(0)]
    rows[0]["image"]["bytes"] = rows[0]["image"]["bytes"][:-20]
    record = write_shard(tmp_path / "data" / "train-00000.parquet", rows, force=True)
    index = read_index(tmp_path)
    index["shards"][0].update(record)
    write_json(tmp_path / "index.json", seal(index), force=True)
    with pytest.raises(InputError, match="image of 's-1'") as caught:
        verify(tmp_path)
    assert caught.value.code == "E-IMG-TRUNCATED"


def test_statistics_by_hand(tmp_path):
    half = np.zeros(SIZE, np.float32)
    half[:, :6] = 1
    depth = np.where(half > 0, 2, 0).astype(np.float32)
    bare = {"mask": None, "depth": None, "depth_kind": "none"}
    make(tmp_path, [sample(0), sample(1, mask=half, depth=depth), sample(2, **bare)])
    found = examine(Dataset(tmp_path)).statistics
    assert found["samples"] == {"train": 3, "test": 0}
    np.testing.assert_allclose(found["background"]["mean"], np.array([10, 20, 30]) / 255)
    np.testing.assert_allclose(found["background"]["std"], 0, atol=1e-6)
    np.testing.assert_allclose(found["image"]["mean"][2], 61 / 255)
    np.testing.assert_allclose(found["image"]["std"][2], np.std([60, 61, 62]) / 255)
    np.testing.assert_allclose((found["mask"]["mean"], found["mask"]["std"]), (0.25, np.sqrt(3) / 4))
    both = np.append(sample(0).depth.ravel(), depth[depth > 0])
    known = found["depth"]["metric"]
    np.testing.assert_allclose((known["mean"], known["std"]), (both.mean(), both.std()), rtol=1e-3)
    assert known["samples"] == 2 and found["empty_share"] == 0.5 and found["mask_area"]["0.5"] == 0.5
