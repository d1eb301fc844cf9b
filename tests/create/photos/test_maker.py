"""Composites: the mask is exact; splits; seeds."""

import pickle
from dataclasses import replace

import cv2
import numpy as np
import pytest
from plain_recipe import PLAIN

from mdeas.create.photos.maker import PhotosMaker
from mdeas.create.photos.recipe import PhotosRecipe
from mdeas.errors import InputError, UsageError
from mdeas.images.codec import write_png
from mdeas.sample import check

SIZE = 48


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    """Dark noisy photographs and bright cut-outs, so that added pixels show."""
    root, rng = tmp_path_factory.mktemp("assets"), np.random.default_rng(0)
    for name in ("bg", "fg"):
        (root / name).mkdir()
    for k in range(24):
        small = rng.integers(0, 90, (5, 6, 3)).astype(np.uint8)
        write_png(root / "bg" / f"{k}.png", cv2.resize(small, (120, 90), interpolation=cv2.INTER_CUBIC) // 2)
        rgba = np.zeros((40, 50, 4), np.uint8)
        rgba[..., :3] = rng.integers(200, 256, 3)
        alpha = np.zeros((40, 50), np.uint8)
        cv2.ellipse(alpha, (25, 20), (10 + k % 9, 8 + k % 7), 0, 0, 360, 255, -1)
        rgba[..., 3] = alpha
        write_png(root / "fg" / f"{k}.png", rgba)
    return {"backgrounds": root / "bg", "foregrounds": root / "fg"}


def recipe(folders, **fields) -> PhotosRecipe:
    return PhotosRecipe(**folders, **({"count": 40, "size": SIZE, "test_share": 0.4} | fields))


def plain(folders, **fields) -> PhotosMaker:
    return PhotosMaker(recipe(folders, **(PLAIN | fields)), seed=3)


def test_every_sample_keeps_the_contract(folders):
    maker = PhotosMaker(recipe(folders), seed=0)
    for index in range(maker.count):
        sample = check(maker.make(index))
        assert sample.image.shape == (SIZE, SIZE, 3) and sample.depth is None
        assert np.array_equal(np.rint(sample.mask * 255) / np.float32(255), sample.mask)
        assert sample.meta["index"] == index and sample.meta["split"] == maker.split_of(index)


def test_a_sample_depends_on_recipe_seed_and_index_alone(folders):
    one, two = PhotosMaker(recipe(folders), seed=5), PhotosMaker(recipe(folders), seed=5)
    one.make(0)
    a, b = one.make(7), pickle.loads(pickle.dumps(two)).make(7)
    assert np.array_equal(a.image, b.image) and np.array_equal(a.mask, b.mask) and a.meta == b.meta
    other = PhotosMaker(recipe(folders), seed=6).make(7)
    assert not np.array_equal(a.image, other.image)


def test_no_identity_of_one_split_is_in_another(folders):
    maker = PhotosMaker(recipe(folders, count=60), seed=1)
    seen = {}
    for index in range(maker.count):
        meta = maker.make(index).meta
        seen.setdefault(meta["split"], set()).update([meta["background_id"], *meta["foreground_ids"]])
    assert set(seen) == {"train", "validation", "test"}
    assert not seen["train"] & seen["test"] and not seen["train"] & seen["validation"]
    wanted = {row["sha256"][:16]: row["split"] for row in maker.provenance()}
    assert all(wanted[identity] == split for split, ids in seen.items() for identity in ids)


def test_the_row_split_of_the_published_systems_shares_identities(folders):
    maker = PhotosMaker(recipe(folders, split="rows", count=80), seed=1)
    ids = {"train": set(), "test": set(), "validation": set()}
    for index in range(maker.count):
        ids[maker.split_of(index)].add(maker.make(index).meta["background_id"])
    assert ids["train"] & ids["test"]


def test_split_by_foregrounds_trains_on_every_background_and_on_no_other_cut_out(folders):
    fields = {"count": 60, "validation_count": 0, "test_count": 0}
    held_out = [
        {asset.identity for asset in pool.assets if asset.split != "train"}
        for pool in PhotosMaker(recipe(folders, **fields), seed=1).pools
    ]
    maker = PhotosMaker(recipe(folders, split="foregrounds", **fields), seed=1)
    metas = [maker.make(index).meta for index in range(60)]
    assert held_out[0] & {meta["background_id"] for meta in metas}
    assert held_out[1] and not held_out[1] & {name for meta in metas for name in meta["foreground_ids"]}


def test_counts_per_split(folders):
    maker = plain(folders, count=10, validation_share=0.1, test_share=0.2)
    assert [maker.split_of(i) for i in range(10)] == ["train"] * 7 + ["validation"] + ["test"] * 2
    assert recipe(folders, validation_count=3, test_count=4).counts == {
        "train": 33,
        "validation": 3,
        "test": 4,
    }


def test_plain_pair_differs_exactly_where_the_mask_is(folders):
    maker = plain(folders)
    for index in range(20):
        sample = maker.make(index)
        changed = (sample.image != sample.background).any(axis=2)
        assert np.array_equal(changed, sample.mask > 0)  # bright things on dark photos
        assert 0.01 < sample.mask.mean() < 0.5


def test_plain_sizes_are_those_of_the_published_systems(folders):
    """The long side is 150 / 224 of the picture times 1, .8, .6 or .4."""
    maker, sides = plain(folders, count=60), set()
    for index in range(60):
        rows, columns = (np.flatnonzero((maker.make(index).mask > 0.5).any(axis=a)) for a in (1, 0))
        sides.add(max(np.ptp(rows), np.ptp(columns)) + 1)
    expected = np.array([1.0, 0.8, 0.6, 0.4]) * 150 / 224 * SIZE
    assert {int(np.abs(expected - side).argmin()) for side in sides} == {0, 1, 2, 3}
    assert max(np.abs(expected - side).min() for side in sides) <= 1


def test_an_empty_pair_has_an_empty_mask_and_only_light_and_nuisances_differ(folders):
    maker = plain(folders, empty_share=1.0)
    sample = maker.make(0)
    assert not sample.mask.any() and sample.meta["foreground_ids"] == []
    assert np.array_equal(sample.image, sample.background)


def test_shadows_and_light_change_the_image_but_not_the_mask(folders):
    without = plain(folders).make(2)
    shaded = plain(folders, shadow_share=1.0).make(2)
    darker = (shaded.image.astype(int) < shaded.background).any(axis=2) & (shaded.mask == 0)
    assert darker.sum() > 10
    assert np.array_equal(without.background, shaded.background)
    lit = plain(folders, light_share=1.0, empty_share=1.0).make(2)
    assert not lit.mask.any() and not np.array_equal(lit.image, lit.background)


def test_a_moved_camera_moves_the_background_only_a_little(folders):
    maker = plain(folders, camera_share=1.0, empty_share=1.0)
    for index in range(5):
        sample = maker.make(index)
        difference = np.abs(sample.image.astype(int) - sample.background)
        assert 0 < difference.max() < 40  # smooth photographs: a few pixels are a few grey levels
        assert sample.meta["camera_moved"]


def test_furniture_is_in_both_photos_and_not_in_the_mask(folders):
    sample = plain(folders, furniture_share=1.0, empty_share=1.0).make(1)
    assert sample.background.max() > 190 and not sample.mask.any()
    assert np.array_equal(sample.image, sample.background)


def test_description_and_provenance_are_json_and_hold_no_path(folders):
    text = str(PhotosMaker(recipe(folders), seed=0).describe())
    assert str(folders["backgrounds"].parent) not in text and "sha256" in text
    assert len(PhotosMaker(recipe(folders), seed=0).provenance()) == 48


@pytest.mark.parametrize(
    "fields",
    [
        {"count": 0},
        {"size": 4},
        {"area": (0.5, 0.1)},
        {"shadow_share": 1.5},
        {"test_count": 99},
        {"scales": ()},
        {"rotation_deg": -5.0},
        {"aspect_jitter": -0.1},
        {"colour_jitter": -0.1},
    ],
)
def test_impossible_recipes_are_refused(folders, fields):
    with pytest.raises(UsageError, match=next(iter(fields)).split("_")[0]):
        recipe(folders, **fields)


def test_a_pool_without_assets_for_a_split_is_refused_at_once(folders, tmp_path):
    write_png(tmp_path / "only.png", np.zeros((20, 20, 3), np.uint8))
    with pytest.raises(InputError, match="Add files"):
        PhotosMaker(recipe(folders | {"backgrounds": tmp_path}), seed=0)


def test_recipes_can_be_varied_field_by_field(folders):
    small, large = (PhotosMaker(replace(recipe(folders), size=size), seed=3).make(0) for size in (SIZE, 64))
    assert small.image.shape == (SIZE, SIZE, 3) and large.image.shape == large.background.shape == (64, 64, 3)
    assert large.mask.shape == (64, 64) and large.meta["background_id"] == small.meta["background_id"]
    with pytest.raises(UsageError, match="size is 8"):
        replace(recipe(folders), size=8)
