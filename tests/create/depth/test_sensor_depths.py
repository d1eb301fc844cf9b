"""Backgrounds with a sensor's depth, each in its own folder: aligned, in metres, listed in the provenance."""

import pickle

import numpy as np
import pytest

from mdeas.create.assets import load_photo, load_pool
from mdeas.create.depth.choose import open_depths
from mdeas.create.depth.sensor_depths import SensorDepths
from mdeas.create.photos.recipe import PhotosRecipe
from mdeas.errors import InputError
from mdeas.images.codec import write_png
from mdeas.system.files import write_json


@pytest.fixture
def rooms(tmp_path):
    """Two photos of 8 x 6 in folders of their own, with depth grids of 8 x 6 and 4 x 3, in millimetres."""
    folder = tmp_path / "rgbd"
    for k, step in enumerate((1, 2)):
        write_png(folder / f"room{k}" / "image.png", np.full((6, 8, 3), 40 * k, np.uint8))
        depth_mm = np.arange(1000, 1048, dtype=np.uint16).reshape(6, 8)[::step, ::step].copy()
        depth_mm[0, :2] = 0, 65535
        write_png(folder / f"room{k}" / "depth.png", depth_mm)
    write_json(folder / "room1" / "meta.json", {"licence": "MIT"})
    return folder


def by_folder(pool):
    return {asset.path.parent.name: asset for asset in pool.assets}


def test_depth_is_metres_aligned_to_the_photo_and_unknown_where_the_sensor_was_blind(rooms):
    pool = load_pool(rooms, "background", None)
    depths, assets = pickle.loads(pickle.dumps(SensorDepths(pool))), by_folder(pool)
    full, half = depths.of_photo(assets["room0"]), depths.of_photo(assets["room1"])
    assert full.dtype == half.dtype == np.float32 and full.shape == half.shape == (6, 8)
    assert full[0].tolist() == pytest.approx([0, 0, 1.002, 1.003, 1.004, 1.005, 1.006, 1.007])
    assert half[5, 6:].tolist() == pytest.approx([1.038, 1.038]) and not half[:2, :4].any()
    assert depths.kind == "metric" and depths.of_cutout(assets["room0"]) is None


def test_every_depth_file_is_in_the_provenance_with_its_photo(rooms):
    pool = load_pool(rooms, "background", None)
    rows = {row["name"]: row for row in [*pool.provenance(), *SensorDepths(pool).provenance()]}
    assert set(rows) == {f"room{k}/{name}.png" for k in (0, 1) for name in ("image", "depth")}
    assert rows["room1/depth.png"] | {"sha256": ""} == {
        "kind": "depth", "name": "room1/depth.png", "sha256": "", "split": "all", "licence": "MIT",
    }  # fmt: skip
    assert rows["room1/image.png"]["licence"] == "MIT" and "licence" not in rows["room0/depth.png"]


def test_the_recipe_changes_with_a_depth_file_and_not_with_the_place(rooms, tmp_path):
    before = SensorDepths(load_pool(rooms, "background", None)).describe()
    moved = rooms.rename(tmp_path / "elsewhere")
    assert SensorDepths(load_pool(moved, "background", None)).describe() == before
    write_png(moved / "room0" / "depth.png", np.full((6, 8), 9, np.uint16), force=True)
    assert SensorDepths(load_pool(moved, "background", None)).describe() != before


def test_a_photo_without_depth_and_one_of_another_shape_are_told(rooms):
    write_png(rooms / "room0" / "depth.png", np.ones((6, 6), np.uint16), force=True)
    pool = load_pool(rooms, "background", None)
    with pytest.raises(InputError, match="6 x 6, the image is 8 x 6"):
        SensorDepths(pool).of_photo(by_folder(pool)["room0"])
    (rooms / "room0" / "depth.png").unlink()
    with pytest.raises(InputError, match=r"1 of 2 backgrounds have no depth.png.*room0"):
        SensorDepths(pool)


def test_pictures_in_the_folder_itself_are_what_it_holds(rooms):
    write_png(rooms / "flat.png", np.zeros((2, 2, 3), np.uint8))
    assert [asset.path.name for asset in load_pool(rooms, "background", None).assets] == ["flat.png"]
    assert load_photo(load_pool(rooms, "background", None).assets[0]).shape == (2, 2, 3)


@pytest.mark.parametrize(("teacher", "opened"), [("none", False), ("composite", False), ("rgbd", True)])
def test_which_teachers_know_layers(rooms, teacher, opened):
    recipe = PhotosRecipe(backgrounds=rooms, foregrounds=rooms, teacher=teacher)
    pool = load_pool(rooms, "background", None)
    assert isinstance(open_depths(recipe.teacher, recipe.depth_model, (pool, pool)), SensorDepths) == opened
