"""Imported data: bytes stay unchanged, no identity is in two splits."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from import_files import HEIGHT, WIDTH, fails, levels, maker, photo, pictures, table

from mdeas.cli import main
from mdeas.create.imports.entry import PictureFile, parse_entry
from mdeas.create.imports.recipe import ImportRecipe, splits_of
from mdeas.dataset.dataset import Dataset
from mdeas.dataset.rows import encode_row
from mdeas.errors import UsageError
from mdeas.images.codec import encode_jpeg, encode_png
from mdeas.sample import check


class TestPictures:
    def test_bytes_of_the_right_kind_stay(self, tmp_path):
        row = encode_row(maker(table(tmp_path), depth_scale=0.001).make(0), "png")
        assert {
            f"{n}{Path(row[n]['path']).suffix}": row[n]["bytes"] for n in ("background", "image", "mask")
        } | {"depth.png": row["depth"]["bytes"]} == pictures()
        assert row["depth_scale"] == 0.001

    @pytest.mark.parametrize(
        "data",
        [
            encode_png(photo(7).astype(np.uint16) * 257),
            encode_png(np.dstack([photo(7), photo(9)[..., :1]])),
            encode_png(photo(7)[..., 0]),
        ],
        ids=["16-bit", "alpha", "grey"],
    )
    def test_other_photos_are_stored_without_loss(self, tmp_path, data):
        (table(tmp_path).parent / "0-image.jpg").write_bytes(data)
        row = encode_row(maker(tmp_path, depth_scale=1).make(0), "jpeg")
        assert row["image"]["bytes"] == encode_png(photo(7)) and row["image"]["path"].endswith(".png")

    def test_a_turned_photo_is_stored_upright(self, tmp_path):
        tag = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
        lying = encode_jpeg(np.full((WIDTH, HEIGHT, 3), 50, np.uint8))
        turned = lying[:2] + b"\xff\xe1" + (len(tag) + 2).to_bytes(2, "big") + tag + lying[2:]
        (table(tmp_path).parent / "0-image.jpg").write_bytes(turned)
        sample = check(maker(tmp_path, depth_scale=1).make(0))
        assert sample.image.shape == (HEIGHT, WIDTH, 3)
        assert sample.encoded["image"] == encode_png(sample.image)

    @pytest.mark.parametrize(
        ("dtype", "recipe", "kind", "step"),
        [
            (np.uint8, {}, "relative", 1 / 255),
            (np.uint16, {"depth_kind": "relative"}, "relative", 1 / 65535),
            (np.uint16, {"depth_scale": 0.001}, "metric", 0.001),
            (np.uint8, {"depth_kind": "metric", "depth_scale": 0.04}, "metric", 0.04),
        ],
    )
    def test_depth_in_8_and_16_bits(self, tmp_path, dtype, recipe, kind, step):
        (table(tmp_path).parent / "0-depth.png").write_bytes(encode_png(levels(dtype)))
        sample = check(maker(tmp_path, **recipe).make(0))
        assert sample.depth_kind == kind
        np.testing.assert_array_equal(sample.depth, levels(dtype) * np.float32(step))
        row = encode_row(sample)
        assert row["depth_scale"] == step

    def test_metric_depth_needs_its_scale(self, tmp_path):
        fails(table(tmp_path), "0-depth.png.*Pass --set depth_scale=0.001 for millimetres", "E-DEPTH-SCALE")

    def test_sizes_must_agree(self, tmp_path):
        (table(tmp_path).parent / "0-mask.png").write_bytes(encode_png(np.zeros((4, 5), np.uint8)))
        fails(
            tmp_path, r"0-mask.png' is 5 x 4, the image of '0-image' is 9 x 6", "E-PAIR-SIZE", depth_scale=1
        )

    def test_a_bad_picture_costs_its_row(self, tmp_path, capsys):
        (table(tmp_path / "in", 3).parent / "1-image.jpg").write_bytes(b"")
        (tmp_path / "in" / "2-background.jpg").unlink()
        words = ["import", str(tmp_path / "in"), "-o", str(tmp_path / "out"), "--set", "depth_scale=1"]
        assert main([*words, "--set", "split=rows", "--skip-bad"]) == 3
        lines = (tmp_path / "out" / "errors.jsonl").read_text().splitlines()
        assert [json.loads(line)["code"] for line in lines] == ["E-IMG-TRUNCATED", "E-IMG-MISSING"]
        assert Dataset(tmp_path / "out").ids() == ["0-image"]


class TestSplits:
    @given(
        rows=st.lists(st.tuples(st.integers(0, 20), st.lists(st.integers(0, 20), max_size=2)), min_size=1),
        shares=st.tuples(st.floats(0, 0.5), st.floats(0, 0.5)),
    )
    def test_no_identity_is_in_two_splits(self, rows, shares):
        entries = [entry(f"b{b}", [f"f{f}" for f in fs]) for b, fs in rows]
        recipe = ImportRecipe(validation_share=shares[0], test_share=shares[1])
        home = {}
        for e, split in zip(entries, splits_of(entries, recipe, 0), strict=True):
            for name in (e.background_id, *e.foreground_ids) if split else ():
                assert home.setdefault(name, split) == split

    def test_a_row_of_two_splits_is_left_out(self):
        names = [f"{place:x}" * 16 for place in range(16)]  # a hash's place is its first digits
        recipe = ImportRecipe(test_share=0.5, validation_share=0.0)
        entries = [entry(names[1], [names[2]]), entry(names[9], [names[15]]), entry(names[1], [names[9]])]
        assert splits_of(entries, recipe, 0) == ["test", "train", None]

    @given(num=st.integers(3, 40), seed=st.integers(0, 5), data=st.data())
    def test_rows_are_drawn_in_the_counts_asked_for(self, num, seed, data):
        test = data.draw(st.integers(0, num - 1))
        validation = data.draw(st.integers(0, num - 1 - test))
        recipe = ImportRecipe(split="rows", test_count=test, validation_count=validation)
        splits = splits_of([entry("b", [])] * num, recipe, seed)
        assert (splits.count("test"), splits.count("validation"), len(splits)) == (test, validation, num)

    def test_rows_are_drawn_by_the_seed(self):
        entries, recipe = [entry("b", [])] * 40, ImportRecipe(split="rows")
        assert splits_of(entries, recipe, 0) != splits_of(entries, recipe, 1)

    def test_given_means_all_are_given(self, tmp_path):
        fails(table(tmp_path), "'0-image': no split in the table", split="given")

    def test_nothing_left(self, tmp_path):
        ids = {"background_id": ["1" * 16], "foreground_ids": ["f" * 16]}
        fails(table(tmp_path, **ids), "fall into different splits", split="identity")

    def test_what_the_split_could_not_keep_is_told(self, tmp_path):
        ids = {"background_id": ["1" * 16, "e" * 16, "d" * 16], "foreground_ids": ["e" * 16, "d" * 16, ""]}
        made = maker(table(tmp_path, 3, **ids), split="identity")
        assert made.warnings() == [
            "1 of 3 rows left out: their pictures belong to more than one split",
            "1 rows name no foreground_ids: split by their background alone",
        ]

    @pytest.mark.parametrize(
        "fields",
        [{"test_count": 1}, {"test_share": 2.0}, {"depth_scale": 0.0}, {"depth_scale": float("nan")}],
    )
    def test_recipes_that_make_no_sense(self, fields):
        with pytest.raises(UsageError):
            ImportRecipe(**fields)


def entry(background, foregrounds):
    files = dict.fromkeys(("background", "image"), PictureFile("x"))
    return parse_entry("x", files, {"background_id": background, "foreground_ids": foregrounds}, "row")


def test_description_follows_content_and_holds_no_path(tmp_path):
    source = table(tmp_path / "in", 2)
    before = maker(source).describe()
    assert str(tmp_path) not in json.dumps(before)
    (tmp_path / "in").rename(tmp_path / "moved")
    assert maker(tmp_path / "moved" / "label_data.csv").describe() == before
    (tmp_path / "moved" / "1-mask.png").write_bytes(encode_png(np.zeros((HEIGHT, WIDTH), np.uint8)))
    assert maker(tmp_path / "moved" / "label_data.csv").describe() != before


def test_a_maker_travels_to_another_process(tmp_path):
    made = pickle.loads(pickle.dumps(maker(table(tmp_path), depth_scale=1)))
    assert made.make(0).image[0, 0, 0] == 200
