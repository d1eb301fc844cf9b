"""Standing foregrounds: on level surfaces, at true size, hidden by nearer surfaces, with contact shadows."""

import cv2
import numpy as np
import pytest
from asset_folders import GreyDepths, make_folders
from plain_recipe import PLAIN
from room_view import POST_M, SIDE, room_depth

from mdeas.cli import main
from mdeas.create.photos import base_maker, standing
from mdeas.create.photos.canvas import FOCAL
from mdeas.create.photos.maker import PhotosMaker
from mdeas.create.photos.recipe import PhotosRecipe
from mdeas.dataset.dataset import Dataset
from mdeas.errors import UsageError
from mdeas.images.codec import write_png
from mdeas.sample import check


@pytest.fixture(scope="session")
def room(tmp_path_factory):
    """A folder of rooms with a sensor's depth, and cut-outs."""
    root = tmp_path_factory.mktemp("room")
    folders = make_folders(root, 0, 3)
    for k, grey in enumerate((120, 140)):
        write_png(root / "bg" / f"room{k}" / "image.png", np.full((SIDE, SIDE, 3), grey, np.uint8))
        write_png(root / "bg" / f"room{k}" / "depth.png", np.rint(room_depth() * 1000).astype(np.uint16))
    return folders


def stand(room, **fields) -> PhotosMaker:
    plain = PLAIN | {"count": 40, "size": 80, "split": "rows", "teacher": "rgbd", "placement": "standing"}
    return PhotosMaker(PhotosRecipe(**room, **(plain | fields)), seed=3)


def test_things_stand_on_the_floor_at_its_depth_and_in_their_size(room):
    maker, num = stand(room), 0
    for index in range(maker.count):
        sample = check(maker.make(index))
        own = sample.mask >= 0.5
        if not own.any():
            assert sample.meta["foreground_ids"] == []
            continue
        num += 1
        rows = np.flatnonzero(own.any(axis=1))
        depth_m = float(np.median(sample.depth[own]))
        height_m = (np.ptp(rows) + 1) * depth_m / (FOCAL * SIDE * 80 / (SIDE * 0.94))
        assert 0.08 < height_m < 2.1
        assert np.ptp(sample.depth[own]) < 1e-6  # a sensor knows nothing of cut-outs: flat
        below = sample.depth[min(rows[-1] + 2, 79), own[rows[-1]]]
        if rows[-1] < 75:
            assert (below <= depth_m * 1.02).any()  # the floor below its foot is nearer
            assert below.max() > 0.9 * depth_m  # and not by much: it does not float
    assert num > 20


def test_what_is_nearer_hides(room, tmp_path):
    """Wide things on a narrow foot, so that some reach behind the post."""
    table = np.zeros((40, 60, 4), np.uint8)
    table[:12] = table[:, 28:32] = 255
    write_png(tmp_path / "fg" / "table.png", table)
    maker, num_cut = stand(room | {"foregrounds": tmp_path / "fg"}, crop_min=1.0), 0
    for index in range(maker.count):
        sample = maker.make(index)
        own = sample.mask >= 0.5
        if own.any():
            top = own[np.flatnonzero(own.any(axis=1))[1]]
            reach = slice(*(np.flatnonzero(top)[[0, -1]] + (0, 1)))
            post = np.abs(sample.depth - POST_M) < 0.01
            assert (
                not (own & post).any() and sample.depth[own].min() > POST_M
            )  # all of the floor is behind it
            num_cut += not top[reach].all()
    assert num_cut > 2


def test_an_occluder_cuts_the_layer():
    front = np.full((20, 20), 0.5, np.float32)
    inverse = np.full((20, 20), 0.3, np.float32)
    inverse[:, 8:14] = 0.9
    inverse[3, 3] = 0.9  # a single wrong pixel of a sensor hides nothing
    hidden = standing._hidden(front, inverse)
    assert hidden[:, 8:14].all() and not hidden[:, :8].any() and not hidden[:, 14:].any()


def test_a_shadow_darkens_the_floor_at_the_foot(room):
    maker = stand(room)
    for index in range(10):
        sample = maker.make(index)
        own = sample.mask > 0
        if not own.any():
            continue
        darker = (sample.image.astype(int) < sample.background.astype(int) - 2).any(axis=2) & ~own
        rows = np.flatnonzero(own.any(axis=1))
        assert darker.any()
        assert np.flatnonzero(darker.any(axis=1)).min() > rows[0] + 0.4 * np.ptp(rows)


def test_without_ground_nothing_is_added(tmp_path):
    folders = make_folders(tmp_path, 0, 2)
    write_png(tmp_path / "bg" / "wall" / "image.png", np.full((SIDE, SIDE, 3), 99, np.uint8))
    write_png(tmp_path / "bg" / "wall" / "depth.png", np.full((SIDE, SIDE), 2000, np.uint16))
    sample = stand(folders).make(0)
    assert not sample.mask.any() and sample.meta["foreground_ids"] == []


def test_relative_depth_has_a_ground_too(room, monkeypatch):
    class Scaled(GreyDepths):
        def of_photo(self, asset):
            return 500 / room_depth()

    monkeypatch.setattr(base_maker, "open_depths", lambda *_: Scaled("relative"))
    maker = stand(room, teacher="layered")
    samples = [check(maker.make(i)) for i in range(8)]
    assert sum(bool(sample.mask.any()) for sample in samples) >= 5
    assert all(sample.depth_kind == "relative" for sample in samples)


def test_standing_needs_depth(room):
    with pytest.raises(UsageError, match="teacher"):
        PhotosRecipe(**room, placement="standing")


def test_the_recipe_works_from_the_command_line(room, tmp_path):
    folders = ["--backgrounds", str(room["backgrounds"]), "--foregrounds", str(room["foregrounds"])]
    words = ["create", "photos", "standing", "-o", str(tmp_path / "set"), *folders]
    assert main([*words, "--count", "3", "--size", "64", "--set", "split=rows"]) == 0
    index = Dataset(tmp_path / "set").index
    assert index["recipe"]["placement"] == "standing"
    assert {row["kind"] for row in index["provenance"]} == {"background", "foreground", "depth"}


@pytest.mark.parametrize("kind", ["relative", "metric"])
def test_depth_moves_with_its_photo(tmp_path, monkeypatch, kind):
    """After crop, mirroring and camera motion, grey is still the inverse depth where nothing was added."""
    monkeypatch.setattr(base_maker, "open_depths", lambda *_: GreyDepths(kind))
    folders = make_folders(tmp_path, 3, 3)
    fields = {"placement": "random", "teacher": "layered", "crop_min": 0.6, "camera_share": 0.5}
    maker, moved = stand(folders, **fields, aspect_jitter=0.2, furniture_share=0.3), 0
    for index in range(20):
        sample = check(maker.make(index))
        added = ((sample.mask > 0) | (sample.image.max(axis=2) > 110)).astype(np.uint8)
        free = cv2.dilate(added, np.ones((5, 5))) == 0
        error = np.abs(sample.inverse_depth - sample.image[..., 0] / 100)[free]
        assert np.percentile(error, 99) < 0.06
        moved += sample.meta["camera_moved"]
    assert 0 < moved < 20


def test_photos_are_the_same_with_and_without_a_teacher(room, monkeypatch):
    monkeypatch.setattr(base_maker, "open_depths", lambda *_: None)
    without = [stand(room, placement="random").make(i) for i in range(3)]
    monkeypatch.undo()
    for index, sample in enumerate(without):
        with_depth = stand(room, placement="random").make(index)
        assert np.array_equal(sample.image, with_depth.image) and with_depth.depth is not None


def test_unknown_depth_stays_unknown(tmp_path, monkeypatch):
    depths = GreyDepths("metric", far=60)
    monkeypatch.setattr(base_maker, "open_depths", lambda *_: depths)
    maker = stand(make_folders(tmp_path, 3, 3), placement="random", teacher="layered")
    holes = 0
    for index in range(10):
        sample = maker.make(index)
        dark = (sample.background[..., 0] < 57) & (sample.mask == 0)
        holes += int(dark.sum())
        assert not sample.depth[dark].any()
    assert holes > 100
