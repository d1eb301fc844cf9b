"""Photographed pairs: every layout, sizes, metres, errors when pictures do not match."""

import json
import pickle

import numpy as np
import pytest

from mdeas.create.pairs import PairsMaker
from mdeas.errors import InputError
from mdeas.images.codec import write_jpeg, write_png
from mdeas.sample import check


def grey(value, height=6, width=9):
    return np.full((height, width, 3), value, np.uint8)


def full(folder):
    folder.mkdir(parents=True)
    write_png(folder / "bg.png", grey(10))
    write_png(folder / "image.png", grey(200))
    mask = np.zeros((6, 9), np.uint8)
    mask[1:3, 2:5] = 255
    mask[4, 4] = 51
    write_png(folder / "mask_pseudo.png", mask)
    depth = np.full((6, 9), 1500, np.uint16)
    depth[0, :3] = 0, 65535, 250
    write_png(folder / "depth.png", depth)
    (folder / "meta.json").write_text(json.dumps({"licence": "MIT"}))
    return folder


def test_a_full_pair(tmp_path):
    full(tmp_path / "one")
    maker = PairsMaker(tmp_path)
    sample = check(maker.make(0))
    assert (sample.background[0, 0, 0], sample.image[0, 0, 0]) == (10, 200)
    assert sample.mask[1, 2] == 1 and sample.mask[4, 4] == np.float32(0.2)
    assert np.count_nonzero(sample.mask) == 7
    assert sample.depth_kind == "metric"
    assert sample.depth[0, :4].tolist() == [0.0, 0.0, 0.25, 1.5]
    assert sample.meta["id"] == "one" and sample.meta["mask_kind"] == "pseudo"
    assert (maker.count, maker.seed, maker.split_of(0)) == (1, 0, "test")
    assert {row["kind"]: row["licence"] for row in maker.provenance()} == dict.fromkeys(
        ("image", "background", "mask", "depth"), "MIT"
    )


def test_a_given_mask_is_preferred_to_a_pseudo_mask(tmp_path):
    write_png(full(tmp_path / "one") / "mask.png", np.full((6, 9), 255, np.uint8))
    sample = PairsMaker(tmp_path).make(0)
    assert sample.mask.min() == 1 and sample.meta["mask_kind"] == "given"


def test_without_background_the_image_stands_in_and_nothing_is_new(tmp_path):
    (tmp_path / "a").mkdir()
    write_jpeg(tmp_path / "a" / "image.jpg", grey(90))
    sample = check(PairsMaker(tmp_path).make(0))
    assert np.array_equal(sample.background, sample.image) and not sample.mask.any()
    assert sample.depth is None and sample.depth_kind == "none" and sample.meta["mask_kind"] == "empty"


def test_without_mask_beside_a_background_the_mask_is_unknown(tmp_path):
    (full(tmp_path / "one") / "mask_pseudo.png").unlink()
    sample = check(PairsMaker(tmp_path).make(0))
    assert sample.mask is None and sample.meta["mask_kind"] == "unknown"


def test_folders_nest_and_sizes_vary(tmp_path):
    for name, size in (("b/2", (6, 9)), ("b/1", (12, 7)), ("a", (5, 5))):
        (tmp_path / name).mkdir(parents=True)
        write_png(tmp_path / name / "image.png", grey(1, *size))
    (tmp_path / "nothing").mkdir()
    maker = PairsMaker(tmp_path)
    assert [pair.id for pair in maker.pairs] == ["a", "b--1", "b--2"]
    assert [maker.make(i).image.shape[:2] for i in range(3)] == [(5, 5), (12, 7), (6, 9)]


def test_the_folder_may_be_a_pair_itself(tmp_path):
    full(tmp_path / "one")
    assert PairsMaker(tmp_path / "one").make(0).meta["id"] == "one"


def test_a_smaller_depth_grid_is_enlarged_without_new_values(tmp_path):
    depth = np.array([[1000, 2000], [0, 4000]], np.uint16)
    (tmp_path / "a").mkdir()
    write_png(tmp_path / "a" / "image.png", grey(1, 6, 6))
    write_png(tmp_path / "a" / "depth.png", depth)
    out = PairsMaker(tmp_path).make(0).depth
    assert np.array_equal(out, np.kron(depth, np.ones((3, 3))).astype(np.float32) / 1000)


@pytest.mark.parametrize("name", ["bg", "mask_pseudo", "depth"])
def test_pictures_of_other_sizes_are_refused(tmp_path, name):
    folder = full(tmp_path / "a b")
    picture = np.zeros((7, 5), np.uint16 if name == "depth" else np.uint8)
    write_png(folder / f"{name}.png", picture, force=True)
    with pytest.raises(InputError, match=rf"a b/{name}.png' is 5 x 7, the image is 9 x 6"):
        PairsMaker(tmp_path).make(0)


def test_an_empty_folder_says_what_was_looked_for(tmp_path):
    with pytest.raises(InputError, match=r"no folder in it holds an image.jpg or image.png"):
        PairsMaker(tmp_path)


def test_description_follows_content_and_holds_no_path(tmp_path):
    folder = full(tmp_path / "one")
    before = PairsMaker(tmp_path).describe()
    assert str(tmp_path) not in json.dumps(before)
    write_png(folder / "bg.png", grey(11), force=True)
    assert PairsMaker(tmp_path).describe() != before


def test_a_maker_travels_to_another_process(tmp_path):
    full(tmp_path / "one")
    maker = pickle.loads(pickle.dumps(PairsMaker(tmp_path)))
    assert maker.make(0).image[0, 0, 0] == 200
