"""Other people's data: every layout, bytes that stay, splits that keep apart, clear words for the rest."""

import csv
import io
import json
import pickle
import tarfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mdeas.cli import main
from mdeas.create.imports.entry import Blob, entry_of
from mdeas.create.imports.maker import ImportMaker
from mdeas.create.imports.sources import read_source
from mdeas.create.imports.splits import ImportRecipe, splits_of
from mdeas.dataset import Dataset
from mdeas.errors import InputError, UsageError
from mdeas.images import encode_jpeg, encode_png
from mdeas.rows import encode_row
from mdeas.sample import check

HEIGHT, WIDTH = 6, 9
SHARED_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)


def photo(value):
    return np.full((HEIGHT, WIDTH, 3), value, np.uint8)


def levels(dtype, seed=0):
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max, (HEIGHT, WIDTH), dtype, endpoint=True)


def pictures(seed=0):
    """File contents by name: photos as JPEG, mask PNG-8, depth PNG-16."""
    return {
        "background.jpg": encode_jpeg(photo(20 + seed)),
        "image.jpg": encode_jpeg(photo(200 - seed)),
        "mask.png": encode_png(levels(np.uint8, seed)),
        "depth.png": encode_png(levels(np.uint16, seed)),
    }


def put(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def write_csv(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def table(folder, num=1, **columns):
    """A label_data.csv of `num` rows in our words, and its pictures."""
    rows = []
    for index in range(num):
        row = {}
        for name, data in pictures(index).items():
            put(folder / f"{index}-{name}", data)
            row[name.partition(".")[0]] = f"{index}-{name}"
        rows.append(row | {key: value[index] for key, value in columns.items()})
    return write_csv(folder / "label_data.csv", rows)


def write_tar(path, members):
    with tarfile.open(path, "w") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def maker(source, seed=0, **recipe):
    return ImportMaker(read_source(source), ImportRecipe(**{"split": "rows", **recipe}), seed)


def fails(source, match, code="E-IMPORT", **recipe):
    with pytest.raises(InputError, match=match) as caught:
        made = maker(source, **recipe)
        for index in range(made.count):
            made.make(index)
    assert caught.value.code == code


class TestLayouts:
    def test_the_published_table(self, tmp_path):
        for name, data in (
            ("b/bg.jpg", encode_jpeg(photo(9))),
            ("o/ov.jpg", encode_jpeg(photo(99))),
            ("m.jpg", encode_jpeg(np.full((HEIGHT, WIDTH), 255, np.uint8))),
            ("d.png", encode_png(levels(np.uint8))),
        ):
            put(tmp_path / name, data)
        write_csv(
            tmp_path / "label_data.csv",
            [{"bg": "b/bg.jpg", "overlay": "o/ov.jpg", "mask": "m.jpg", "depth": "d.png"}],
        )
        sample = check(maker(tmp_path).make(0))
        assert (sample.background[0, 0, 0], sample.image[0, 0, 0]) == (9, 99)
        assert sample.mask.min() == 1
        assert sample.depth_kind == "relative"
        np.testing.assert_allclose(sample.depth, levels(np.uint8) / 255, atol=1e-7)
        assert (sample.meta["id"], sample.meta["source"]) == ("ov", "import")

    def test_other_columns_are_used(self, tmp_path):
        columns = {
            "id": ["x"], "split": ["val"], "depth_kind": ["metric"], "depth_scale": ["0.001"],
            "background_id": ["room"], "foreground_ids": ['["cat 1", "dog"]'], "source": ["lab"],
            "meta": ['{"camera": 3}'],
        }  # fmt: skip
        sample = check(maker(table(tmp_path, **columns), split="given").make(0))
        wanted = {"id": "x", "split": "validation", "background_id": "room", "source": "lab", "camera": 3}
        wanted |= {"foreground_ids": ["cat 1", "dog"], "seed": 0, "index": 0}
        assert sample.meta == wanted
        np.testing.assert_allclose(sample.depth, levels(np.uint16) / 1000, rtol=1e-6)

    def test_folders_of_equal_names(self, tmp_path):
        names = {"bg": "background.jpg", "fg_bg": "image.jpg", "fg_bg_mask": "mask.png"}
        for index in range(3):
            for folder, name in names.items():
                put(tmp_path / folder / f"{index}{Path(name).suffix}", pictures(index)[name])
        made = maker(tmp_path)
        assert [made.make(i).background[0, 0, 0] for i in range(3)] == [20, 21, 22]
        assert made.make(1).depth_kind == "none" and made.make(1).depth is None

    @pytest.mark.parametrize(
        ("image", "background"),
        [("fg3_bg12_7", "bg12"), ("bg1-fg12", "bg1"), ("bg_1_x", "bg_1"), ("x_bg1_bg12", "bg12")],
    )
    def test_one_background_serves_many_images(self, tmp_path, image, background):
        for value, name in enumerate(("bg1", "bg12", "bg_1", "bg")):
            put(tmp_path / "bg" / f"{name}.png", encode_png(photo(value)))
        put(tmp_path / "fg_bg" / f"{image}.png", encode_png(photo(200)))
        files = read_source(tmp_path).entries[0].files
        assert Path(files["background"].path).stem == background

    @pytest.mark.parametrize(
        ("names", "match"),
        [
            (["bg/a.png", "bg/b.png", "fg_bg/a_b.png"], "both 'a' and 'b' may be its background"),
            (["bg/a.png", "fg_bg/c.png"], "no background is called like it"),
            (["bg/a.png", "fg_bg/a.png", "fg_bg_mask/b.png"], "no mask is called like it"),
            (["bg/a.png", "bg/a.jpg", "fg_bg/a.png"], "another picture has this name"),
            (["bg/a.png", "elsewhere/a.png"], "holds none of label_data.csv"),
        ],
    )
    def test_folders_that_do_not_match(self, tmp_path, names, match):
        for name in names:
            put(tmp_path / name, encode_png(photo(1)))
        fails(tmp_path, match)

    def test_an_imagefolder_with_splits(self, tmp_path):
        for split in ("train", "test"):
            row = {"file_name": f"{split}-i.jpg", "background_file_name": "b.jpg", "mask_file_name": "m.png"}
            put(tmp_path / split / f"{split}-i.jpg", pictures()["image.jpg"])
            put(tmp_path / split / "b.jpg", pictures()["background.jpg"])
            put(tmp_path / split / "m.png", pictures()["mask.png"])
            put(tmp_path / split / "metadata.jsonl", (json.dumps(row) + "\n").encode())
        made = maker(tmp_path, split="given")
        assert [made.split_of(i) for i in range(2)] == ["train", "test"]
        assert [made.make(i).meta["id"] for i in range(2)] == ["train-i", "test-i"]

    def test_tars(self, tmp_path):
        for number in range(2):
            facts = {"depth_scale": 0.5, "foreground_ids": ["f"]}
            members = {f"a/7.{name}": data for name, data in pictures(number).items()}
            write_tar(tmp_path / f"test-{number}.tar", {**members, "a/7.json": json.dumps(facts).encode()})
        made = maker(tmp_path, split="given")
        samples = [check(made.make(i)) for i in range(made.count)]
        assert [s.meta["id"] for s in samples] == ["test-0-a-7", "test-1-a-7"]
        assert [s.meta["split"] for s in samples] == ["test", "test"]
        np.testing.assert_array_equal(samples[1].depth, levels(np.uint16, 1) * np.float32(0.5))


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
            "1 of 3 rows left out: they would join two splits",
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
    files = dict.fromkeys(("background", "image"), Blob("x"))
    return entry_of("x", files, {"background_id": background, "foreground_ids": foregrounds}, "row")


class TestBroken:
    @pytest.mark.parametrize("path", ["/etc/passwd", "../a.png", "a/../../b.png"])
    def test_no_path_leaves_the_folder(self, tmp_path, path):
        put(tmp_path / "a.png", encode_png(photo(1)))
        table = write_csv(tmp_path / "in" / "label_data.csv", [{"image": "i.png", "background": path}])
        fails(table, rf"row 1: path '{path}' leaves the folder")

    @pytest.mark.parametrize(
        ("columns", "match"),
        [
            ({"split": ["dev"]}, "row 1: split 'dev'"),
            ({"depth_kind": ["far"]}, "row 1: depth_kind 'far'"),
            ({"depth_scale": ["-1"]}, "row 1: depth_scale '-1'"),
            ({"meta": ["[1]"]}, "row 1: meta"),
            ({"foreground_ids": ["[1"]}, "row 1: not valid JSON"),
            ({"background": [""]}, "row 1: no background"),
        ],
    )
    def test_facts(self, tmp_path, columns, match):
        fails(table(tmp_path, **columns), match)

    def test_ids_that_meet(self, tmp_path):
        fails(table(tmp_path, 2, id=["a", "a"]), "2 rows have the id 'a'")

    @SHARED_FOLDER
    @given(text=st.one_of(st.binary(), st.text('image,background"\n\r\0{}[]:1', max_size=60).map(str.encode)))
    @pytest.mark.parametrize("name", ["label_data.csv", "metadata.jsonl"])
    def test_any_table_is_read_or_refused(self, tmp_path, name, text):
        (tmp_path / name).write_bytes(text)
        with pytest.raises(InputError):
            read_source(tmp_path / name).entries[0].files["image"].read()

    @SHARED_FOLDER
    @given(data=st.data())
    def test_a_cut_tar_is_refused(self, tmp_path, data):
        path = write_tar(tmp_path / "a.tar", {f"1.{name}": body for name, body in pictures().items()})
        whole = path.read_bytes()
        path.write_bytes(whole[: data.draw(st.integers(0, len(whole.rstrip(b"\0"))))])
        fails(path, "a.tar")

    @SHARED_FOLDER
    @given(data=st.data())
    def test_no_member_is_lost_behind_a_damaged_header(self, tmp_path, data):
        members = {f"{i}.{name}": body for i in range(2) for name, body in pictures(i).items()}
        path = write_tar(tmp_path / "a.tar", members)
        flipped = bytearray(path.read_bytes())
        with tarfile.open(path) as tar:
            headers = [member.offset for member in tar]
        at = data.draw(st.sampled_from(headers)) + data.draw(st.integers(0, 511))
        flipped[at] ^= data.draw(st.integers(1, 255))
        path.write_bytes(flipped)
        try:
            entries = read_source(path).entries
        except InputError:
            return
        assert sum(len(e.files) for e in entries) == len(members)

    @pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
    def test_links_and_devices_are_refused(self, tmp_path, kind):
        with tarfile.open(tmp_path / "a.tar", "w") as tar:
            info = tarfile.TarInfo("1.image.png")
            info.type, info.linkname = kind, "/etc/passwd"
            tar.addfile(info)
        fails(tmp_path / "a.tar", "'1.image.png' is a link or device")

    def test_a_compressed_tar_is_refused(self, tmp_path):
        with tarfile.open(tmp_path / "a.tar", "w:gz"):
            pass
        fails(tmp_path / "a.tar", "not a whole, uncompressed tar")


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
