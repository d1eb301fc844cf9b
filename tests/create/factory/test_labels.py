"""Depth of finished composites from a network: each picture is predicted once, also after interruptions."""

import json

import numpy as np
import pytest
from tiny_teacher import COUNT, SIZE, create

from mdeas.create.depth import teacher
from mdeas.create.depth.model import find_model
from mdeas.create.factory.labels import LabelledMaker, label_shard
from mdeas.dataset.dataset import Dataset, read_index
from mdeas.errors import InputError

pytestmark = pytest.mark.usefixtures("cache")


def tree(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class TestLabels:
    def test_every_picture_that_is_stored_is_seen_once(self, network_folder, pictures, runs, tmp_path):
        options = ["--set", "teacher=composite", "--set", f"depth_model={network_folder}"]
        assert create(pictures, tmp_path / "with", *options) == 0 == create(pictures, tmp_path / "without")
        assert sum(shape[0] for shape in runs) == COUNT
        labelled, plain = Dataset(tmp_path / "with"), Dataset(tmp_path / "without")
        network = teacher.load_network(find_model(str(network_folder)))
        for index in range(COUNT):
            sample = labelled[index]
            assert labelled.row(index)["image"] == plain.row(index)["image"]
            assert sample.depth_kind == "relative" and sample.meta["depth_source"] == "composite"
            said = network.predict(sample.image[None])[0]
            assert np.abs(sample.depth - said).max() <= said.max() / 65535
        index = read_index(tmp_path / "with")
        row = next(row for row in index["provenance"] if row["kind"] == "model")
        assert row["name"] == "tiny-relative" and row["licence"] == "apache-2.0" and len(row["sha256"]) == 64
        assert str(network_folder.parent) not in json.dumps(index)

    def test_interrupted_in_the_middle_of_a_shard_it_ends_the_same(
        self, network_folder, pictures, runs, tmp_path
    ):
        options = ["--set", "teacher=composite", "--set", f"depth_model={network_folder}"]
        assert create(pictures, tmp_path / "whole", *options) == 0
        runs.fails_at = COUNT + 3
        assert create(pictures, tmp_path / "cut", *options) == 6
        runs.fails_at = None
        assert create(pictures, tmp_path / "cut", *options, "--workers=2") == 0
        assert tree(tmp_path / "cut") == tree(tmp_path / "whole")

    def test_what_was_left_out_stays_out_and_every_label_can_be_stopped_at(
        self, network_folder, pictures, runs
    ):
        from mdeas.create.photos.maker import PhotosMaker
        from mdeas.create.photos.recipe import PhotosRecipe
        from mdeas.dataset.rows import encode_row

        recipe = PhotosRecipe(**pictures, count=COUNT, size=SIZE, split="rows", teacher="composite")
        maker, ticks = LabelledMaker(PhotosMaker(recipe, 0), find_model(str(network_folder)), {}), []
        bad = InputError("E-IMG-DECODE", "bad.")
        made = {4: encode_row(maker.make(4)), 1: bad, 2: encode_row(maker.make(2))}
        labelled = label_shard(maker, made, lambda: ticks.append(1))
        assert labelled[1] is bad and len(ticks) == 2 == len(runs)
        assert all(labelled[i]["id"] == made[i]["id"] and labelled[i]["depth"] for i in (2, 4))
