"""Small photos and their structure, compared tile by tile."""

import numpy as np
import pytest
from tiny_pair import scene

from mdeas.pairing.structure import TILE_PX, compare_tiles, small_photo, small_size

ROWS, COLUMNS = 6, 10  # tiles
NOISE = np.random.default_rng(0).normal(0, 0.1, (ROWS * TILE_PX, COLUMNS * TILE_PX)).astype(np.float32)
EVERYWHERE = np.ones_like(NOISE)


def tile(row, column):
    """Where a tile is in the array."""
    return np.s_[row * TILE_PX : (row + 1) * TILE_PX, column * TILE_PX : (column + 1) * TILE_PX]


def only(row, column):
    """bool (ROWS, COLUMNS), true at one tile."""
    found = np.zeros((ROWS, COLUMNS), bool)
    found[row, column] = True
    return found


@pytest.mark.parametrize(
    ("full", "small"),
    [
        ((480, 640), (480, 640)),
        ((30, 40), (30, 40)),
        ((960, 1280), (480, 640)),
        ((3000, 1000), (640, 213)),
        ((1, 5000), (1, 640)),
    ],
)
def test_the_long_side_is_640_at_most(full, small):
    assert small_size(*full) == small


def test_another_light_moves_the_logarithm_and_leaves_the_structure():
    photo = scene()
    first, second = (
        small_photo(one, (480, 640), (240, 320)) for one in (photo, (photo * 0.6).astype(np.uint8))
    )
    assert first.size == (240, 320) and first.scale == 2
    assert np.median(second.log - first.log) == pytest.approx(np.log(0.6), abs=0.06)
    assert np.corrcoef(first.structure.ravel(), second.structure.ravel())[0, 1] > 0.99
    assert abs(first.structure.mean()) < 0.02 < first.structure.std()
    levels = first.structure_levels()
    assert levels.dtype == np.uint8 and levels[first.structure > 0.1].min() > 127 + 0.1 * 255 - 1


def test_equal_structures_agree_everywhere():
    tiles = compare_tiles(NOISE, NOISE, EVERYWHERE)
    assert tiles.agreement.shape == (ROWS, COLUMNS) and tiles.same.all()
    assert tiles.mean == pytest.approx(1, abs=1e-3)


def test_a_small_change_is_seen_in_its_tile_alone():
    image = NOISE.copy()
    image[tile(1, 7)] *= -1
    tiles = compare_tiles(NOISE, image, EVERYWHERE)
    np.testing.assert_array_equal(tiles.same, ~only(1, 7))
    assert tiles.both.all() and tiles.agreement[1, 7] == pytest.approx(-1, abs=1e-2)
    assert tiles.mean == pytest.approx(1 - 2 / (ROWS * COLUMNS), abs=1e-2)


def test_a_tile_without_structure_is_told_apart_by_the_photo_that_lacks_it():
    smooth = NOISE.copy()
    smooth[tile(4, 2)] = 0.3
    lacking, having = compare_tiles(smooth, NOISE, EVERYWHERE), compare_tiles(NOISE, smooth, EVERYWHERE)
    np.testing.assert_array_equal(lacking.background, ~only(4, 2))
    np.testing.assert_array_equal(having.image, ~only(4, 2))
    assert lacking.image.all() and having.background.all()
    np.testing.assert_array_equal(lacking.both, having.both)


def test_a_tile_that_the_background_does_not_cover_does_not_count():
    valid = EVERYWHERE.copy()
    valid[5 * TILE_PX - 1, 3 * TILE_PX : 3 * TILE_PX + 2] = 0  # two pixels in the lowest row of tile (4, 3)
    tiles = compare_tiles(NOISE, NOISE, valid)
    np.testing.assert_array_equal(tiles.same, ~only(4, 3))


def test_nothing_to_compare_is_no_agreement():
    flat = np.zeros_like(NOISE)
    tiles = compare_tiles(flat, NOISE, EVERYWHERE)
    assert not tiles.both.any() and tiles.mean == 0
