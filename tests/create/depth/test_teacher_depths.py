"""Depth of layers from a network: each picture is predicted once; interruptions change no byte."""

import json
import pickle
import shutil

import numpy as np
import pytest
from tiny_teacher import NUM_CUTOUTS, NUM_PHOTOS, create, save_network

from mdeas.create.assets import load_cutout, load_photo
from mdeas.create.depth import teacher
from mdeas.create.depth.model import find_model
from mdeas.create.depth.teacher_depths import PredictionCache, TeacherDepths, on_grey
from mdeas.dataset.dataset import Dataset, read_index
from mdeas.errors import InputError, NonFiniteError

pytestmark = pytest.mark.usefixtures("cache")


class TestLayered:
    def test_each_picture_is_seen_once_and_never_again(self, network_folder, pools, runs):
        model = find_model(str(network_folder))
        first = TeacherDepths(model, pools)
        assert len(runs) == NUM_PHOTOS + NUM_CUTOUTS
        again = TeacherDepths(model, pools)
        assert len(runs) == NUM_PHOTOS + NUM_CUTOUTS and again.describe() == first.describe()

    def test_depth_is_what_the_network_said_in_16_bits_aligned_to_the_pictures(self, network_folder, pools):
        model = find_model(str(network_folder))
        depths = pickle.loads(pickle.dumps(TeacherDepths(model, pools)))
        for asset in pools[0].assets:
            said = teacher.load_network(model).predict(load_photo(asset)[None])[0]
            assert np.abs(depths.of_photo(asset) - said).max() <= said.max() / 65535
            assert len(np.unique(depths.of_photo(asset))) > 256
        for asset in pools[1].assets:
            assert depths.of_cutout(asset).shape == load_cutout(asset).shape[:2]

    def test_a_cutout_is_shown_on_grey(self, pools):
        rgba = load_cutout(pools[1].assets[0])
        shown = on_grey(pools[1].assets[0])
        margin = (shown.shape[0] - rgba.shape[0]) // 2
        inside = shown[margin:-margin, margin:-margin]
        assert margin > 0 and shown[0, 0].tolist() == [128] * 3
        assert np.array_equal(inside[rgba[..., 3] == 255], rgba[rgba[..., 3] == 255][:, :3])
        assert (inside[rgba[..., 3] == 0] == 128).all()

    def test_metres_of_a_cutout_become_larger_for_nearer(self, tmp_path, pools):
        model = find_model(str(save_network(tmp_path / "metric", "metric")))
        depths, asset = TeacherDepths(model, pools), pools[1].assets[0]
        said = teacher.load_network(model).predict(on_grey(asset)[None])[0]
        margin = (said.shape[0] - load_cutout(asset).shape[0]) // 2
        metres = said[margin:-margin, margin:-margin].ravel()
        assert depths.kind == "metric" and 0 < metres.min() < metres.max() < 20
        assert np.corrcoef(depths.of_cutout(asset).ravel(), metres)[0, 1] < -0.9

    def test_interrupted_and_damaged_it_ends_the_same(self, network_folder, pools, runs, cache):
        model = find_model(str(network_folder))
        whole = TeacherDepths(model, pools).describe()
        shutil.rmtree(cache)
        runs.clear()
        runs.fails_at = 2
        with pytest.raises(NonFiniteError):
            TeacherDepths(model, pools)
        runs.fails_at = None
        assert TeacherDepths(model, pools).describe() == whole
        assert len(runs) == NUM_PHOTOS + NUM_CUTOUTS
        one, two = sorted(cache.rglob("*.png"))[:2]
        one.write_bytes(one.read_bytes()[:-1])
        two.unlink()
        with pytest.raises(InputError, match="missing or damaged"):
            PredictionCache(one.parent).read(one.stem)
        assert TeacherDepths(model, pools).describe() == whole
        assert len(runs) == NUM_PHOTOS + NUM_CUTOUTS + 2


def test_layered_samples_have_depth_and_say_whose(network_folder, pictures, runs, tmp_path):
    options = ["--set", "teacher=layered", "--set", f"depth_model={network_folder}"]
    assert create(pictures, tmp_path / "d", *options) == 0
    samples, index = Dataset(tmp_path / "d"), read_index(tmp_path / "d")
    found = index["recipe"]["depth_model"]["agreement"]
    assert len(runs) == NUM_PHOTOS + NUM_CUTOUTS + found["samples"]
    assert 0 < found["samples"] == sum(bool(sample.mask.any()) for sample in samples)
    assert found["abs_rel"] > 0 and 0 <= found["delta1"] <= 1
    assert found["boundary_recall_layered"] > 0
    assert {sample.meta["depth_source"] for sample in samples} == {"layered"}
    assert all(sample.depth_kind == "relative" and sample.depth.max() > 0 for sample in samples)
    assert [row["name"] for row in index["provenance"] if row["kind"] == "model"] == ["tiny-relative"]
    assert index["recipe"]["depth_model"]["kind"] == "relative"
    assert str(network_folder.parent) not in json.dumps(index)
