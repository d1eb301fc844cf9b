"""Layouts of imported data: each is read, or refused with a clear error."""

import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from import_files import (
    HEIGHT,
    SHARED_FOLDER,
    WIDTH,
    fails,
    levels,
    maker,
    photo,
    pictures,
    put,
    table,
    write_csv,
    write_tar,
)

from mdeas.create.imports.sources import read_source
from mdeas.errors import InputError
from mdeas.images.codec import encode_jpeg, encode_png
from mdeas.sample import check


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
            (["bg/a.png", "bg/b.png", "fg_bg/a_b.png"], "its background may be 'a' or 'b'"),
            (["bg/a.png", "fg_bg/c.png"], "no background has its name"),
            (["bg/a.png", "fg_bg/a.png", "fg_bg_mask/b.png"], "no mask has its name"),
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
