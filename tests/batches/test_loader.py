"""Order, decoding and errors of the loader."""

import dataclasses
import subprocess
import sys

import numpy as np
import pytest
import tiny_data
import torch
from synthetic import Squares

from mdeas.batches.loader import (
    Samples,
    batch_indices,
    chunks,
    collate,
    load,
    resized,
    steps_per_epoch,
)
from mdeas.batches.part import Part
from mdeas.dataset import dataset
from mdeas.dataset.dataset import Dataset, decode_row
from mdeas.errors import InputError, WorkerError
from mdeas.images.codec import decode_rgb

torch.set_num_threads(1)
ROWS = np.arange(23)


def test_an_epoch_shows_every_sample_once():
    lists = list(batch_indices(ROWS[:20], 5, seed=3, first_step=0, last_step=8))
    for epoch in (lists[:4], lists[4:]):
        assert sorted(row for rows in epoch for row in rows) == list(range(20))
    assert lists[:4] != lists[4:]


@pytest.mark.parametrize("start", range(9))
def test_any_step_can_be_the_first(start):
    lists = list(batch_indices(ROWS, 5, seed=3, first_step=0, last_step=9))
    assert list(batch_indices(ROWS, 5, 3, start, 9)) == lists[start:]


def test_the_seed_decides_the_order():
    one, other = (list(batch_indices(ROWS, 5, seed, 0, 4)) for seed in (0, 1))
    assert one != other


def test_a_set_smaller_than_a_batch_is_one_batch():
    assert steps_per_epoch(3, 8) == 1
    assert [sorted(rows) for rows in batch_indices(ROWS[:3], 8, 0, 0, 2)] == [[0, 1, 2]] * 2


def test_repeats_show_a_source_more_often():
    samples = Samples([Squares(2), Squares(3, seed=1)], 32, repeats=[3, 1])
    assert len(samples) == 5
    assert samples.epoch_rows.tolist() == [0, 1, 0, 1, 0, 1, 2, 3, 4]


def test_sources_stand_behind_one_index():
    first, second = Squares(2), Squares(3, seed=1)
    samples = Samples([first, second], 32)
    assert np.array_equal(samples.sample(1).image, first[1].image)
    assert np.array_equal(samples.sample(2).image, second[0].image)
    assert samples.fingerprint != Samples([second, first], 32).fingerprint


def test_a_batch_holds_what_the_samples_hold():
    samples = Samples([Squares(8)], 32)
    batch = next(load(samples, [[3, 0]])).to_batch()
    sample = samples.sample(3)
    assert batch.ids == ("square-3", "square-0")
    np.testing.assert_array_equal(batch.image[0].permute(1, 2, 0) * 255, sample.image)
    np.testing.assert_array_equal(batch.background[0].permute(1, 2, 0) * 255, sample.background)
    np.testing.assert_array_equal(batch.mask[0, 0], sample.mask)
    np.testing.assert_array_equal(batch.inverse_depth[0, 0], sample.inverse_depth)
    assert batch.image.is_contiguous(memory_format=torch.channels_last)
    assert batch.depth_known.all() and not batch.mask[1].any()


def test_workers_give_the_same_batches():
    samples = Samples([Squares(8)], 32)
    lists = [[3, 0], [1, 7], [2, 2]]
    plain = list(load(samples, lists))
    for one, two in zip(plain, load(samples, lists, workers=2), strict=True):
        assert one.ids == two.ids
        for name in ("background", "image", "mask", "inverse_depth", "depth_known"):
            assert torch.equal(getattr(one, name), getattr(two, name))


def test_unknown_depth_stays_unknown_when_resized():
    sample = Squares(2)[1]
    sample.depth[:, :16] = 0
    row = resized(sample, 16)
    assert row["image"].shape == (16, 16, 3) and row["mask"].dtype == np.uint8
    assert not row["depth_known"][:, :8].any() and row["depth_known"][:, 8:].all()
    assert set(np.unique(row["inverse_depth"])) <= {0.0, *np.unique(sample.inverse_depth)}


def test_without_depth_nothing_is_known():
    """A sample without depth: nothing known, zeros in place."""
    sample = dataclasses.replace(Squares(2)[1], depth=None, depth_kind="none")
    batch = collate([resized(sample, 32)]).to_batch()
    assert not batch.depth_known.any() and not batch.inverse_depth.any()


def without_mask(index, sample):
    return dataclasses.replace(sample, mask=None) if index == 5 else sample


@pytest.mark.parametrize("workers", [0, 1])
def test_a_sample_without_mask_is_refused_by_name(workers):
    samples = Samples([Squares(8, change=without_mask)], 32)
    with pytest.raises(InputError, match="'square-5' has no mask"):
        list(load(samples, [[0, 1], [5]], workers))


def die(index, sample):
    import os

    os._exit(3)


def test_a_dead_worker_is_said_to_be_dead():
    with pytest.raises(WorkerError, match="exited"):
        list(load(Samples([Squares(8, change=die)], 32), [[0]], workers=1))


@pytest.fixture
def shared_background(tmp_path):
    """Six samples with and without depth, of which five share a background."""
    own = np.random.default_rng(1).integers(0, 256, (40, 48, 3), np.uint8)
    made = [tiny_data.sample(0), tiny_data.sample(1, depth=None, depth_kind="none"), tiny_data.sample(2)]
    made += [tiny_data.sample(3, background=own), tiny_data.sample(4, filled=False), tiny_data.sample(5)]
    return tiny_data.write(tmp_path / "set", train=made)


@pytest.mark.parametrize("size", [40, 32])
@pytest.mark.parametrize("workers", [0, 2])
def test_a_data_set_gives_what_its_rows_hold(shared_background, size, workers):
    source = Dataset(shared_background, "train")
    lists = [[5, 0, 3], [1, 2, 4], [0, 3, 5], [0, 1, 2]]
    found = list(load(Samples([Part(source, (0, 1))], size), lists, workers))
    for batch, rows in zip(found, lists, strict=True):
        wanted = collate([resized(decode_row(source.row(row)), size) for row in rows])
        assert batch.ids == wanted.ids
        for name in ("background", "image", "mask", "inverse_depth", "depth_known"):
            assert torch.equal(getattr(batch, name), getattr(wanted, name)), name


def test_a_background_is_decoded_once_and_kept(shared_background, monkeypatch):
    decoded = []
    monkeypatch.setattr(
        dataset, "decode_rgb", lambda data, name: decoded.append(name) or decode_rgb(data, name)
    )
    samples = Samples([Dataset(shared_background, "train")], 40)
    list(load(samples, chunks(6, 2) * 3))
    # Once to see it, once to keep it, and so for the two that there are.
    assert decoded.count("background of 'tiny-003'") == 2
    assert len(decoded) == 4


def test_a_process_ends_after_an_unexpected_error_in_a_worker(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(
        "from mdeas.batches.loader import Samples, load\n"
        "class Faulty(list):\n"
        "    fingerprint = 'faulty'\n"
        "    def __getitem__(self, index): raise AttributeError('lost')\n"
        "kept = []\n"
        "try: next(load(Samples([Faulty([0, 1])], 8), [[0, 1], [1, 0]], workers=1))\n"
        "except AttributeError as error: kept.append(error)\n"  # as the command line keeps what it reports
        "print('reported', flush=True)\n"
    )
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "reported\n"), done.stderr
