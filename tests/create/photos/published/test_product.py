"""The published data sets: counts, places, masks and files are as published."""

import json
import pickle

import cv2
import numpy as np
import pytest
from asset_folders import GreyDepths, make_folders
from hypothesis import given
from hypothesis import strategies as st

from mdeas.cli import main
from mdeas.create.photos import base_maker
from mdeas.create.photos.published.masks import MASK_RULES
from mdeas.create.photos.published.positions import POSITIONS
from mdeas.create.photos.published.product import ProductMaker
from mdeas.create.photos.published.product_recipe import ProductRecipe
from mdeas.create.photos.recipe_files import read_recipe, recipe_names
from mdeas.dataset.dataset import Dataset
from mdeas.errors import InputError, UsageError
from mdeas.images.codec import decode_rgb
from mdeas.sample import check

SYSTEMS = [f"system-{k}" for k in range(1, 6)]


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    return make_folders(tmp_path_factory.mktemp("product"), 3, 4)


@pytest.fixture(scope="session")
def many(tmp_path_factory):
    return make_folders(tmp_path_factory.mktemp("many"), 12, 16)


def maker(folders, seed=0, **fields) -> ProductMaker:
    small = {"size": 32, "split": "rows", "long_side_px": (12, 12)}
    return ProductMaker(ProductRecipe(**folders, **(small | fields)), seed)


def made_of(sample):
    meta = sample.meta
    return (meta["background_id"], *meta["foreground_ids"], meta["mirrored"], meta["place"])


def test_every_combination_is_made_once(folders):
    whole = maker(folders, places=5)
    assert whole.count == 3 * 4 * 2 * 5
    assert len({made_of(check(whole.make(i))) for i in range(whole.count)}) == whole.count


def test_the_published_numbers_come_out(folders):
    """100 x 100 x 2 x 20 and 102 x 104 x 2 x 20, by the arithmetic that 3 x 4 goes through."""
    for name in SYSTEMS:
        kind, make, fields = read_recipe(name)
        assert (kind, make) == (ProductRecipe, ProductMaker)
        assert ProductRecipe(**folders, **fields).places == 20
    assert maker(folders).count == 3 * 4 * 2 * 20


def test_identity_splits_are_products_of_their_own(many):
    shares = {"split": "identity", "validation_share": 0.2, "test_share": 0.3}
    parts = maker(many, places=1, **shares)
    seen, numbers = {}, {}
    for index in range(parts.count):
        meta = parts.make(index).meta
        assert meta["split"] == parts.split_of(index)
        seen.setdefault(meta["split"], set()).update([meta["background_id"], *meta["foreground_ids"]])
        numbers[meta["split"]] = numbers.get(meta["split"], 0) + 1
    for split, number in numbers.items():
        backgrounds, foregrounds = (len(pool.of(split)) for pool in parts.pools)
        assert number == backgrounds * foregrounds * 2
    assert not seen["train"] & seen["test"] and not seen["train"] & seen["validation"]
    assert "of 384 composites" in parts.warnings()[0] and not maker(many).warnings()


def test_row_splits_have_about_their_shares(many):
    rows = maker(many, validation_share=0.1, test_share=0.3)
    splits = [rows.split_of(i) for i in range(rows.count)]
    shares = {split: splits.count(split) / rows.count for split in set(splits)}
    assert shares == pytest.approx({"train": 0.6, "validation": 0.1, "test": 0.3}, abs=0.02)


def test_a_count_takes_a_random_part_of_the_whole(folders):
    whole, part = maker(folders, places=2), maker(folders, places=2, count=12)
    by_content = {made_of(sample): sample for sample in map(whole.make, range(whole.count))}
    samples = [part.make(i) for i in range(12)]
    assert len({made_of(sample) for sample in samples}) == 12
    for sample in samples:
        assert np.array_equal(sample.image, by_content[made_of(sample)].image)
        assert sample.meta["split"] == by_content[made_of(sample)].meta["split"]
    assert len({sample.meta["background_id"] for sample in samples}) > 1
    with pytest.raises(UsageError, match="there are 48 composites"):
        maker(folders, places=2, count=49)


def test_a_sample_depends_on_recipe_seed_and_index_alone(folders):
    one, two = maker(folders), pickle.loads(pickle.dumps(maker(folders)))
    one.make(3)
    assert one.make(7).encoded == two.make(7).encoded
    assert one.make(7).encoded["image"] != maker(folders, seed=1).make(7).encoded["image"]


def test_image_and_background_differ_where_the_mask_is(folders):
    plain = maker(folders, mask="nonzero")
    for index in range(0, plain.count, 37):
        sample = plain.make(index)
        changed = (sample.image != sample.background).any(axis=2)
        assert np.array_equal(changed, sample.mask == 1)


def test_mirrored_things_are_mirrored(folders):
    at_corners = maker(folders, places=4, position="grid", grid=(2, 2))
    plain, mirrored = at_corners.make(0), at_corners.make(5)  # place 0 is upper left, place 1 upper right
    assert not plain.meta["mirrored"] and mirrored.meta["mirrored"]
    assert np.array_equal(plain.mask, mirrored.mask[:, ::-1])


def test_scales_share_the_places(folders):
    sized = maker(folders, places=4, scales=(1.0, 0.5), long_side_px=(20, 20))
    tall = [int((sized.make(place).mask > 0.5).any(axis=1).sum()) for place in range(4)]
    assert tall[0] == tall[1] and tall[2] == tall[3] == pytest.approx(tall[0] / 2, abs=1)


def test_a_cutout_has_one_size_within_its_limits(many):
    sized = maker(many, places=1, long_side_px=(8, 24))
    tall = {}
    for index in range(sized.count):
        sample = sized.make(index)
        tall.setdefault(made_of(sample)[1], set()).add(int((sample.mask > 0.5).any(axis=1).sum()))
    assert all(len(sizes) == 1 for sizes in tall.values())
    assert len(set.union(*tall.values())) > 4 and max(map(max, tall.values())) <= 24


def test_through_other_sizes_softens(folders):
    direct, detour = maker(folders), maker(folders, through_px=((32, 32), (16, 12)))
    assert detour.make(0).image.shape == (32, 32, 3)
    sharpness = [np.abs(np.diff(m.make(0).mask)).max() for m in (direct, detour)]
    assert sharpness[1] < sharpness[0]


def test_files_have_the_quality_of_the_recipe_and_backgrounds_are_encoded_once(folders):
    fine, coarse = maker(folders, photo_quality=95).make(1), maker(folders, photo_quality=25).make(1)
    assert len(coarse.encoded["image"]) < len(fine.encoded["image"])
    read = decode_rgb(fine.encoded["image"], "image")
    assert np.abs(read.astype(int) - fine.image).mean() < 4
    again = maker(folders, photo_quality=95).make(2)
    assert again.encoded["background"] is fine.encoded["background"]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("alpha", [0, 1, 149, 150, 254]),
        ("sure", [0, 1, 149, 255, 255]),
        ("nonzero", [0, 255, 255, 255, 255]),
    ],
)
def test_mask_rules(rule, expected):
    coverage = np.array([[0, 1, 149, 150, 254]], np.uint8)
    assert MASK_RULES[rule](coverage).tolist() == [expected]


def test_morphology_removes_hairs_and_fills_pinholes():
    coverage = np.zeros((40, 40), np.uint8)
    cv2.circle(coverage, (20, 24), 14, 255, -1)
    disc = coverage.copy()
    coverage[24, 20] = 0  # a pinhole
    coverage[:10, 20] = 255  # a hair
    cleaned = MASK_RULES["morphological"](coverage)
    assert cleaned[24, 20] == 255 and not cleaned[:8, 20].any()
    assert (cleaned != disc).mean() < 0.01


@given(st.sampled_from(sorted(POSITIONS)), st.integers(0, 19), st.integers(0, 90), st.integers(0, 90))
def test_positions_keep_the_thing_whole(name, place, down, right):
    recipe = ProductRecipe(backgrounds=".", foregrounds=".", size=224)
    top, left = POSITIONS[name](recipe, np.random.default_rng(place), place, (down, right))
    assert 0 <= top <= down and 0 <= left <= right


def test_the_grid_spans_the_free_space():
    recipe = ProductRecipe(backgrounds=".", foregrounds=".", size=224, position="grid")
    rng = np.random.default_rng(0)
    found = {POSITIONS["grid"](recipe, rng, place, (60, 80)) for place in range(20)}
    assert found == {(top, left) for top in (0, 20, 40, 60) for left in (0, 20, 40, 60, 80)}


def test_offsets_reach_from_their_least_to_their_greatest():
    recipe = ProductRecipe(backgrounds=".", foregrounds=".", size=224, position="offset")
    rng = np.random.default_rng(0)
    found = np.array([POSITIONS["offset"](recipe, rng, 0, (99, 99)) for _ in range(2000)])
    assert found.min() == 1 and found.max() == 80


@pytest.mark.parametrize("kind", ["relative", "metric"])
def test_depth_is_the_photos_and_nearer_where_the_mask_is(folders, monkeypatch, kind):
    monkeypatch.setattr(base_maker, "open_depths", lambda *_: GreyDepths(kind))
    deep = maker(folders, teacher="layered", long_side_px=(20, 20))
    for index in range(0, deep.count, 61):
        sample = check(deep.make(index))
        inverse, own = sample.inverse_depth, sample.mask >= 0.5
        np.testing.assert_allclose(inverse[~own], sample.background[~own][:, 0] / 100, atol=0.06)
        assert inverse[own].min() > sample.background[own].max() / 100 - 0.06
        columns = np.flatnonzero(own.any(axis=0))
        left, right = (inverse[own[:, c], c].mean() for c in (columns[1], columns[-2]))
        assert (left > right) if sample.meta["mirrored"] else (left < right)  # its relief is mirrored, too
        assert sample.depth_kind == kind and sample.meta["depth_source"] == "layered"
    assert deep.describe()["depth_model"].items() >= {"kind": kind}.items()
    assert {"kind": "model", "name": "grey", "sha256": "0" * 64} in deep.provenance()


def options(folders, out):
    named = zip(("--backgrounds", "--foregrounds"), folders.values(), strict=True)
    return ["-o", str(out), *(str(word) for pair in named for word in pair)]


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_system_makes_a_data_set(folders, tmp_path, name):
    assert name in recipe_names()
    assert main(["create", "photos", name, *options(folders, tmp_path / "set"), "--count", "3"]) == 0
    made = Dataset(tmp_path / "set")
    assert len(made) == 3 and made.index["recipe"]["maker"] == "product"
    assert made[0].image.shape[0] == {"system-2": 250, "system-4": 200}.get(name, 224)


def test_all_is_the_default_and_says_what_identity_splits_leave_out(many, tmp_path, capsys):
    recipe = "maker: product\nsize: 16\nplaces: 1\nlong_side_px: [8, 8]\nvalidation_share: 0.2\n"
    (tmp_path / "tiny.yaml").write_text(recipe + "test_share: 0.3\n")
    words = ["create", "photos", str(tmp_path / "tiny.yaml"), *options(many, tmp_path / "set")]
    assert main(words) == 0
    assert "of 384 composites keep each background and foreground in one split" in capsys.readouterr().err
    index = json.loads((tmp_path / "set" / "index.json").read_text())
    assert index["count"] == sum(index["splits"].values()) < 384


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("maker: films", "films"),
        ("maker: [films]", "films"),
        ("- 1", "None"),
        ("a: [", "recipe"),
        (None, "system-1"),
    ],
)
def test_what_is_no_recipe_is_refused(tmp_path, text, match):
    if text:
        (tmp_path / "r.yaml").write_text(text)
    with pytest.raises(UsageError, match=match):
        read_recipe(str(tmp_path / "r.yaml"))


@pytest.mark.parametrize(
    "fields",
    [
        {"count": 0},
        {"places": 7, "scales": (1.0, 0.5)},
        {"scales": ()},
        {"grid": (3, 3), "position": "grid"},
        {"long_side_px": (10, 200)},
        {"offset_px": (5, 2)},
        {"photo_quality": 0},
        {"through_px": ((100, 100), (0, 60))},
    ],
)
def test_impossible_recipes_are_refused(folders, fields):
    with pytest.raises(UsageError, match=next(iter(fields))):
        maker(folders, **fields)


def test_a_split_without_assets_is_refused_at_once(folders):
    with pytest.raises(InputError, match="Add files"):
        maker(folders, split="identity", test_share=0.001, validation_share=0.001)
