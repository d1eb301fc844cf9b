"""Pools: the split follows from the content, cut-outs are trimmed and premultiplied, licences are found."""

import os
import pickle

import cv2
import numpy as np
import pytest

from mdeas.create.assets import LONG_SIDE, load_cutout, load_photo, load_pool, split_of
from mdeas.errors import InputError
from mdeas.images.codec import write_png

SHARES = {"validation": 0.1, "test": 0.3}


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "bg"
    folder.mkdir()
    for k in range(30):
        write_png(folder / f"{k:02d}.png", np.full((4, 6, 3), k, np.uint8))
    return folder


def names(pool, split):
    return {asset.path.name for asset in pool.of(split)}


def test_every_asset_is_in_one_split_and_the_shares_are_about_kept(photos):
    pool = load_pool(photos, "background", SHARES)
    parts = [names(pool, split) for split in ("train", "validation", "test")]
    assert sum(map(len, parts)) == 30 == len(set().union(*parts))
    assert len(parts[0]) >= 10 and len(parts[2]) >= 4


def test_split_follows_content_not_name(photos):
    before = {a.sha256: a.split for a in load_pool(photos, "background", SHARES).assets}
    for path in sorted(photos.iterdir()):
        os.rename(path, path.with_name(f"z{99 - int(path.stem)}.png"))
    after = {a.sha256: a.split for a in load_pool(photos, "background", SHARES).assets}
    assert before == after and list(before) == list(after)


@pytest.mark.parametrize(
    ("sha256", "split"),
    [("0" * 64, "test"), ("4" + "c" * 63, "test"), ("4" + "d" * 63, "train"), ("f" * 64, "validation")],
)
def test_split_of_by_hand(sha256, split):
    assert split_of(sha256, SHARES) == split  # 0x4ccc... / 16 ** 16 = 0.29999, 0x4ddd... = 0.304


def test_without_shares_everything_is_train():
    assert split_of("0" * 64, {"validation": 0.0, "test": 0.0}) == "train"
    assert split_of("f" * 64, {"validation": 0.0, "test": 0.0}) == "train"


def test_the_row_split_gives_every_asset_to_every_split(photos):
    pool = load_pool(photos, "background", None)
    assert pool.of("train") == pool.of("test") == pool.assets
    assert {row["split"] for row in pool.provenance()} == {"all"}


def test_a_larger_test_share_keeps_what_a_smaller_one_had(photos):
    small, large = (
        names(load_pool(photos, "background", {"validation": 0.1, "test": s}), "test") for s in (0.3, 0.6)
    )
    assert small < large


def test_copies_are_one_asset(photos):
    os.link(photos / "07.png", photos / "copy.png")
    pool = load_pool(photos, "background", SHARES)
    assert len(pool.assets) == 30
    assert "07.png" in {asset.path.name for asset in pool.assets}  # the first name stands for it


def test_empty_split_says_what_to_do(photos):
    pool = load_pool(photos, "background", {"validation": 0.0, "test": 1.0})
    with pytest.raises(InputError, match=r"none of its 30 backgrounds falls to 'train'.*test_share"):
        pool.of("train")


def test_cutout_is_trimmed_and_premultiplied(tmp_path):
    rgba = np.zeros((10, 12, 4), np.uint8)
    rgba[..., :3] = 200
    rgba[3:6, 2:9, 3] = 255
    rgba[3, 2, 3] = 51
    rgba[9, 11, 3] = 4  # haze
    write_png(tmp_path / "a.png", rgba)
    out = load_cutout(load_pool(tmp_path, "foreground", SHARES).assets[0])
    assert out.shape == (3, 7, 4)
    assert out[0, 0].tolist() == [40, 40, 40, 51]
    assert out[1, 1].tolist() == [200, 200, 200, 255]
    assert not out.flags.writeable


@pytest.mark.parametrize(("alpha", "words"), [(255, "no transparent pixel"), (0, "nothing opaque")])
def test_a_picture_that_is_no_cutout_is_refused(tmp_path, alpha, words):
    write_png(tmp_path / "a b.png", np.full((5, 5, 4), alpha, np.uint8))
    with pytest.raises(InputError, match=f"'a b.png' has {words}"):
        load_cutout(load_pool(tmp_path, "foreground", SHARES).assets[0])


def test_large_photos_are_kept_small(tmp_path):
    cv2.imwrite(str(tmp_path / "a.jpg"), np.zeros((40, 2 * LONG_SIDE, 3), np.uint8))
    assert load_photo(load_pool(tmp_path, "background", SHARES).assets[0]).shape == (20, LONG_SIDE, 3)


def test_provenance_names_the_licence_from_a_table_beside_the_folder(photos):
    table = "| file | at | licence |\n|---|---|---|\n| bg/03.png | a/b | MIT |\n| fg/04.png | c/d | GPL |\n"
    (photos.parent / "SOURCES.md").write_text(table)
    rows = {row["name"]: row for row in load_pool(photos, "background", SHARES).provenance()}
    assert rows["03.png"]["licence"] == "MIT"
    assert "licence" not in rows["04.png"]  # that line is about another folder
    assert set(rows["04.png"]) == {"kind", "name", "sha256", "split"}


def test_a_pool_travels_to_another_process(photos):
    pool = load_pool(photos, "background", SHARES)
    assert pickle.loads(pickle.dumps(pool)) == pool
