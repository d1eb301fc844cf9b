"""What `mdeas show` finds in a data set and writes about it."""

import dataclasses
import re

import numpy as np
import pytest
import tiny_data

from mdeas.cli import main
from mdeas.dataset.dataset import INDEX, Dataset, read_index, seal
from mdeas.dataset.show.examine import examine
from mdeas.dataset.show.histograms import AREA_EDGES, DEPTH_EDGES_M, SHARE_EDGES
from mdeas.images.codec import read_rgb
from mdeas.sample import Sample
from mdeas.system.files import write_json


def noise(seed: int, index: int, split: str, **changes) -> Sample:
    """A pair of unlike photos."""
    rng = np.random.default_rng(seed)
    photos = {name: rng.integers(0, 256, (40, 48, 3), np.uint8) for name in ("background", "image")}
    made = tiny_data.sample(index, **{**photos, **changes})
    return dataclasses.replace(made, meta=made.meta | {"split": split})


@pytest.fixture(scope="module")
def leaky(tmp_path_factory):
    """Four test pairs: one from the train split, one nearly, one with a background from it, one new."""
    train = [noise(seed, seed, "train") for seed in range(4)]
    nearly = np.clip(train[1].image.astype(int) + 3, 0, 255).astype(np.uint8)
    test = [
        noise(0, 10, "test"),
        noise(20, 11, "test", image=nearly),
        noise(21, 12, "test", background=train[2].background),
        noise(22, 13, "test"),
    ]
    return tiny_data.write(tmp_path_factory.mktemp("show") / "set", train=train, test=test)


def test_what_two_splits_share_is_counted(leaky):
    background, image = examine(Dataset(leaky)).overlaps
    assert (background.kind, background.split, background.other) == ("background", "test", "train")
    assert (background.num, background.num_equal, background.num_near) == (4, 2, 0)
    assert (image.num, image.num_equal, image.num_near) == (4, 1, 1)
    assert {pair[:2] for pair in image.pairs} == {(4, 0), (5, 1)}


def test_one_split_shares_nothing(tmp_path):
    assert examine(Dataset(tiny_data.write(tmp_path / "set"))).overlaps == []


def test_histograms_by_hand(tmp_path):
    """48 pixels of 1,920 are mask, in a box of 12 x 4; depth 2 m there and 8 m elsewhere, a row unknown."""
    mask = np.zeros((40, 48), np.float32)
    mask[10:14, 12:24] = 1
    depth = np.where(mask > 0, 2, 8).astype(np.float32)
    depth[0] = 0
    relative = np.full((40, 48), 3, np.float32)
    relative[:20] = 1.5
    one = tiny_data.sample(0, mask=mask, depth=depth)
    other = tiny_data.sample(1, filled=False, depth=relative, depth_kind="relative")
    histograms = examine(Dataset(tiny_data.write(tmp_path / "set", test=[one, other]))).histograms
    assert where(histograms.area["test"], AREA_EDGES, 48 / 1920) == 1 == histograms.area["test"].sum()
    assert where(histograms.scale["test"], SHARE_EDGES, 12 / 48) == 1 == histograms.scale["test"].sum()
    assert where(histograms.depth_m, DEPTH_EDGES_M, 2) == 48
    assert where(histograms.depth_m, DEPTH_EDGES_M, 8) == 1920 - 48 - 48 == histograms.depth_m.sum() - 48
    assert where(histograms.inverse_depth["metric"], SHARE_EDGES, 0.25) == 1920 - 48 - 48
    assert where(histograms.inverse_depth["metric"], SHARE_EDGES, 1) == 48
    assert histograms.inverse_depth["relative"][[25, -1]].tolist() == [960, 960]
    assert histograms.num_masks == 2
    # 40 x 48 onto 64 x 64: rows 16 to 22.4, columns 16 to 32
    assert histograms.heat_map[18:22, 17:31].min() == 1 and not histograms.heat_map[26:].any()
    np.testing.assert_allclose(histograms.heat_map.sum() / 64**2, 48 / 1920, rtol=0.2)


def where(counts: np.ndarray, edges: np.ndarray, value: float) -> int:
    """The count of the bin of `value`, or of the next when it lies on their edge."""
    number = np.searchsorted(edges, value * (1 - 1e-6), side="right") - 1
    return int(counts[number : number + 2].max())


def test_the_report(leaky, tmp_path, capsys):
    assert main(["show", str(leaky), "-o", str(tmp_path / "out")]) == 0
    assert "train samples: 4\ntest samples: 4\n" in capsys.readouterr().out
    text = (tmp_path / "out" / "report.md").read_text()
    assert "| background | test | 4 | train | 2 | 0 |" in text
    assert "| image | test | 4 | train | 1 | 1 |" in text
    pictures = re.findall(r"!\[.*\]\((.*)\)", text)
    assert set(pictures) == {"distributions.png", "sheet.png", "nearest.png"}
    for name in pictures:
        assert read_rgb(tmp_path / "out" / name).std() > 1
    assert main(["show", str(leaky), "-o", str(tmp_path / "out")]) == 4


def test_every_kind_of_sample_is_shown(tmp_path):
    """Empty, without mask, without depth, relative, of several sizes: each row shows what is known."""
    folder = tiny_data.write(tmp_path / "set")
    assert main(["show", str(folder), "-o", str(tmp_path / "out")]) == 0
    assert not (tmp_path / "out" / "nearest.png").exists()
    rows = cells(
        read_rgb(tmp_path / "out" / "sheet.png"), [round(160 * 40 / 48), 160, *[round(160 * 40 / 48)] * 4]
    )
    masks, depths = ([row[column].mean((0, 1)) for row in rows] for column in (2, 3))
    unknown = np.full(3, 64)
    assert [bool((mask == unknown).all()) for mask in masks] == [False, False, False, True, False, False]
    assert [bool((depth == unknown).all()) for depth in depths] == [False, False, False, False, True, False]
    assert masks[2].max() == 0 < min(masks[0].min(), masks[1].min())  # an empty pair's mask is black
    assert all(np.ptp(depth) > 1 for depth in (depths[0], depths[5]))  # coloured
    for row, sample in zip(rows, tiny_data.samples(), strict=True):
        for shown, picture in zip(row, (sample.background, sample.image), strict=False):
            np.testing.assert_allclose(shown.mean((0, 1)), picture.mean((0, 1)), atol=4)


def cells(sheet: np.ndarray, heights: list[int]) -> list[list[np.ndarray]]:
    """The four pictures in each row of a sheet whose rows have these heights, without margins."""
    found, top = [], 20  # the line of titles
    for height in heights:
        top += 20  # the caption
        width = 160 if height < 160 else round(160 * 33 / 60)
        left = (160 - width) // 2
        found.append([sheet[top : top + height, k * 164 + left : k * 164 + left + width] for k in range(4)])
        top += height + 4
    return found


def test_licences_are_counted_and_their_lack_is_named(tmp_path):
    """Of a data set without any mask and depth."""
    rows = [{"kind": "background", "name": f"{n}.jpg", "licence": "MIT"} for n in range(3)]
    rows += [{"kind": "foreground", "name": "cup.png", "licence": "MIT"}]
    rows += [{"kind": "foreground", "name": f"lamp{n}.png"} for n in range(12)]
    bare = {"mask": None, "depth": None, "depth_kind": "none"}
    folder = tiny_data.write(tmp_path / "set", test=[tiny_data.sample(0, **bare)])
    write_json(folder / INDEX, seal(read_index(folder) | {"provenance": rows}), force=True)
    assert main(["show", str(folder), "-o", str(tmp_path / "out")]) == 0
    text = (tmp_path / "out" / "report.md").read_text()
    assert "| licence | background | foreground |" in text
    assert "| MIT | 3 | 1 |" in text and "| none given | 0 | 12 |" in text
    assert "`lamp0.png`" in text and "`lamp10.png`" not in text and "and 2 more" in text


def test_a_limit_spreads_over_the_data_set(leaky):
    found = examine(Dataset(leaky), limit=3)
    assert found.positions.tolist() == [0, 4, 7]
    assert found.statistics["samples"] == {"train": 4, "test": 4}


def test_without_matplotlib_one_line_says_what_to_install(leaky, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    assert main(["show", str(leaky), "-o", str(tmp_path / "out")]) == 2
    assert "error[E-EXTRA] drawing needs matplotlib" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert main(["show", str(leaky)]) == 0
