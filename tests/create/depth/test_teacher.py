"""Depth networks: which are known, each picture seen once, the same bytes however it was interrupted."""

import json
import pickle
import shutil

import cv2
import numpy as np
import pytest
from tiny_teacher import NUM_CUTOUTS, NUM_PHOTOS, save_network, save_pictures

from mdeas.cli import main
from mdeas.create.assets import load_cutout, load_photo, load_pool
from mdeas.create.depth import teacher
from mdeas.create.depth.agreement import agreement
from mdeas.create.depth.model import DEFAULT, find_model
from mdeas.create.depth.teacher_depths import PredictionCache, TeacherDepths, on_grey
from mdeas.create.factory.labels import LabelledMaker, label_shard
from mdeas.dataset.dataset import Dataset, read_index
from mdeas.errors import InputError, ModelError, NonFiniteError
from mdeas.system.files import write_json

COUNT, SIZE = 5, 32


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_network(tmp_path_factory.mktemp("networks") / "tiny-relative")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return save_pictures(tmp_path_factory.mktemp("pictures"))


@pytest.fixture
def pools(pictures):
    return tuple(load_pool(pictures[f"{kind}s"], kind, None) for kind in ("background", "foreground"))


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    """An empty cache, no hub, and nothing left in memory from the test before."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def runs(monkeypatch):
    """The shapes of the batches that any network saw; `fails_at` makes one of them fail."""

    class Runs(list):
        fails_at = None

    seen, predict = Runs(), teacher.DepthNetwork.predict

    def counted(self, pictures):
        if len(seen) == seen.fails_at:
            raise NonFiniteError("E-DEPTH", "asked to fail.")
        seen.append(pictures.shape)
        return predict(self, pictures)

    monkeypatch.setattr(teacher.DepthNetwork, "predict", counted)
    return seen


def config(tmp_path, **fields):
    """A folder that looks like a network but for its weights."""
    write_json(tmp_path / "net" / "config.json", fields)
    write_json(tmp_path / "net" / "preprocessor_config.json", {})
    (tmp_path / "net" / "model.safetensors").write_bytes(b"")
    return tmp_path / "net"


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"model_type": "depth_anything"}, "relative"),
        ({"model_type": "depth_anything", "depth_estimation_type": "metric"}, "metric"),
        ({"model_type": "dpt"}, "relative"),
        ({"model_type": "zoedepth"}, "metric"),
    ],
)
def test_what_a_network_predicts_follows_from_its_configuration(tmp_path, capsys, fields, kind):
    assert find_model(str(config(tmp_path, **fields))).kind == kind
    assert "no licence in its README.md" in capsys.readouterr().err


@pytest.mark.parametrize(
    "fields", [{"model_type": "x"}, {"model_type": "dpt", "backbone_config": {"model_type": "dinov2"}}]
)
def test_a_network_whose_numbers_mean_who_knows_what_is_refused(tmp_path, fields):
    with pytest.raises(ModelError, match=r"it is not known whether a .* network predicts metres"):
        find_model(str(config(tmp_path, **fields)))


def test_a_network_is_named_by_its_files(folder, tmp_path, capsys):
    model = find_model(str(folder))
    assert (model.name, model.revision, model.licence) == ("tiny-relative", "local", "apache-2.0")
    assert capsys.readouterr().err == ""
    other = shutil.copytree(folder, tmp_path / "tiny-relative")
    assert find_model(str(other)).describe() == model.describe()
    (other / "README.md").write_text("---\nlicense: cc-by-nc-4.0\n---\n")
    assert find_model(str(other)).sha256 != model.sha256
    assert "licence 'cc-by-nc-4.0'" in capsys.readouterr().err


def test_offline_one_line_says_what_to_download_and_where_to_say_it(pictures, tmp_path, capsys):
    arguments = [f"--{name}={path}" for name, path in pictures.items()]
    assert main(["create", "photos", *arguments, f"--out={tmp_path / 'd'}", "--set", "teacher=layered"]) == 3
    told = capsys.readouterr().err
    assert f"hf download {DEFAULT} --local-dir DIR" in told and "depth_model=DIR" in told
    assert told.count("\n") == 1 and not (tmp_path / "d").exists()


def test_a_folder_with_half_a_network_is_told(folder, tmp_path):
    other = shutil.copytree(folder, tmp_path / "half")
    (other / "model.safetensors").unlink()
    with pytest.raises(InputError, match=r"a .safetensors file are needed"):
        find_model(str(other))


def test_weights_that_are_missing_are_not_noise(folder, tmp_path):
    from safetensors.torch import load_file, save_file

    other = shutil.copytree(folder, tmp_path / "less")
    weights = load_file(other / "model.safetensors")
    del weights["head.conv2.weight"]
    save_file(weights, other / "model.safetensors", {"format": "pt"})
    with pytest.raises(ModelError, match=r"1 weights are missing.*head.conv2.weight"):
        teacher.DepthNetwork(find_model(str(other)))
    (other / "model.safetensors").write_bytes(b"\x80\x04N.")
    with pytest.raises(ModelError, match="does not load"):
        teacher.DepthNetwork(find_model(str(other)))


def test_a_picture_gets_its_depth_wherever_it_stands_in_a_batch(folder):
    batch = np.random.default_rng(0).integers(0, 255, (3, 40, 50, 3), np.uint8)
    network = teacher.load_network(find_model(str(folder)))
    depth = network.predict(batch)
    assert depth.shape == (3, 40, 50) and depth.dtype == np.float32 and depth.min() >= 0
    assert np.array_equal(network.predict(batch[::-1])[::-1], depth)
    assert len({float(one.mean()) for one in depth}) == 3


class TestLayered:
    def test_each_picture_is_seen_once_and_never_again(self, folder, pools, runs):
        model = find_model(str(folder))
        first = TeacherDepths(model, pools)
        assert len(runs) == NUM_PHOTOS + NUM_CUTOUTS
        again = TeacherDepths(model, pools)
        assert len(runs) == NUM_PHOTOS + NUM_CUTOUTS and again.describe() == first.describe()

    def test_depth_is_what_the_network_said_in_16_bits_aligned_to_the_pictures(self, folder, pools):
        model = find_model(str(folder))
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

    def test_interrupted_and_damaged_it_ends_the_same(self, folder, pools, runs, cache):
        model = find_model(str(folder))
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


def create(pictures, out, *more):
    arguments = [
        *(f"--{name}={path}" for name, path in pictures.items()),
        f"--out={out}",
        "--set",
        "split=rows",
    ]
    return main(["create", "photos", *arguments, f"--count={COUNT}", f"--size={SIZE}", *more])


def tree(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class TestComposite:
    def test_every_picture_that_is_stored_is_seen_once(self, folder, pictures, runs, tmp_path):
        options = ["--set", "teacher=composite", "--set", f"depth_model={folder}"]
        assert create(pictures, tmp_path / "with", *options) == 0 == create(pictures, tmp_path / "without")
        assert sum(shape[0] for shape in runs) == COUNT
        labelled, plain = Dataset(tmp_path / "with"), Dataset(tmp_path / "without")
        network = teacher.load_network(find_model(str(folder)))
        for index in range(COUNT):
            sample = labelled[index]
            assert labelled.row(index)["image"] == plain.row(index)["image"]
            assert sample.depth_kind == "relative" and sample.meta["depth_source"] == "composite"
            said = network.predict(sample.image[None])[0]
            assert np.abs(sample.depth - said).max() <= said.max() / 65535
        index = read_index(tmp_path / "with")
        row = next(row for row in index["provenance"] if row["kind"] == "model")
        assert row["name"] == "tiny-relative" and row["licence"] == "apache-2.0" and len(row["sha256"]) == 64
        assert str(folder.parent) not in json.dumps(index)

    def test_interrupted_in_the_middle_of_a_shard_it_ends_the_same(self, folder, pictures, runs, tmp_path):
        options = ["--set", "teacher=composite", "--set", f"depth_model={folder}"]
        assert create(pictures, tmp_path / "whole", *options) == 0
        runs.fails_at = COUNT + 3
        assert create(pictures, tmp_path / "cut", *options) == 6
        runs.fails_at = None
        assert create(pictures, tmp_path / "cut", *options, "--workers=2") == 0
        assert tree(tmp_path / "cut") == tree(tmp_path / "whole")

    def test_what_was_left_out_stays_out_and_every_label_can_be_stopped_at(self, folder, pictures, runs):
        from mdeas.create.photos.maker import PhotosMaker
        from mdeas.create.photos.recipe import PhotosRecipe
        from mdeas.dataset.rows import encode_row

        recipe = PhotosRecipe(**pictures, count=COUNT, size=SIZE, split="rows", teacher="composite")
        maker, ticks = LabelledMaker(PhotosMaker(recipe, 0), find_model(str(folder)), {}), []
        bad = InputError("E-IMG-DECODE", "bad.")
        made = {4: encode_row(maker.make(4)), 1: bad, 2: encode_row(maker.make(2))}
        labelled = label_shard(maker, made, lambda: ticks.append(1))
        assert labelled[1] is bad and len(ticks) == 2 == len(runs)
        assert all(labelled[i]["id"] == made[i]["id"] and labelled[i]["depth"] for i in (2, 4))


def test_layered_samples_have_depth_and_say_whose(folder, pictures, runs, tmp_path):
    options = ["--set", "teacher=layered", "--set", f"depth_model={folder}"]
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
    assert str(folder.parent) not in json.dumps(index)


def test_agreement_of_labels_by_hand():
    mask = np.zeros((20, 24), np.float32)
    mask[5:15, 6:18] = 1
    sharp = np.where(mask > 0, np.float32(4), np.float32(1))
    equal = agreement(3 * sharp + 2, sharp, mask)  # scale and shift of inverse depth are free
    assert equal["abs_rel"] == pytest.approx(0, abs=1e-6) and equal["delta1"] == 1
    assert equal["boundary_recall_layered"] == equal["boundary_recall_composite"] == 1
    soft = agreement(sharp, cv2.GaussianBlur(sharp, (0, 0), 3), mask)
    assert soft["abs_rel"] > 0.05 and soft["boundary_recall_composite"] < soft["boundary_recall_layered"] == 1
