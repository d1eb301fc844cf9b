"""The perceptual hash and the search among hashes."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mdeas.dataset.show.hashes import nearest, perceptual_hash
from mdeas.images.codec import decode_rgb, encode_jpeg


def photo(seed: int, side: int = 96) -> np.ndarray:
    """Smooth surfaces in the large, noise in the small."""
    rng = np.random.default_rng(seed)
    layers = [rng.uniform(0, 255, (cells, cells, 3)).astype(np.float32) for cells in (3, 8, side)]
    sized = [cv2.resize(layer, (side, side), interpolation=cv2.INTER_CUBIC) for layer in layers]
    return np.average(sized, axis=0, weights=(5, 3, 1)).clip(0, 255).astype(np.uint8)


def distance(one: np.ndarray, other: np.ndarray) -> int:
    return int(np.bitwise_count(perceptual_hash(one) ^ perceptual_hash(other)))


CHANGES = {
    "smaller": lambda a: cv2.resize(a, (64, 64), interpolation=cv2.INTER_AREA),
    "jpeg": lambda a: decode_rgb(encode_jpeg(a, 30), ""),
    "brighter": lambda a: cv2.convertScaleAbs(a, alpha=1.1, beta=8),
    "noise": lambda a: cv2.add(a, np.random.default_rng(0).integers(0, 12, a.shape, np.uint8)),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_picture_has_nearly_the_same_hash(name):
    assert max(distance(photo(seed), CHANGES[name](photo(seed))) for seed in range(5)) <= 4


def test_other_pictures_have_far_hashes():
    assert min(distance(photo(a), photo(b)) for a in range(12) for b in range(a)) > 10


@settings(deadline=None)  # a busy machine is no error
@given(st.integers(0, 2**32 - 1), st.integers(0, 7), st.integers(1, 40), st.integers(1, 40))
def test_nearest_is_what_comparing_all_finds(seed, max_distance, num_queries, num_hashes):
    rng = np.random.default_rng(seed)
    # Few centres and few flipped bits, so that there are neighbours and ties.
    centres = rng.integers(0, 2**64, 4, np.uint64, endpoint=False)
    flips = (np.uint64(1) << rng.integers(0, 64, (80, 4), np.uint64)) * rng.integers(0, 2, (80, 4), np.uint64)
    values = rng.choice(centres, 80) ^ np.bitwise_xor.reduce(flips, axis=1)
    queries, hashes = values[:num_queries], values[40 : 40 + num_hashes]
    found, distances = nearest(queries, hashes, max_distance)
    bits = np.bitwise_count(queries[:, None] ^ hashes[None])
    least = bits.min(1)
    np.testing.assert_array_equal(found >= 0, least <= max_distance)
    hits = np.flatnonzero(found >= 0)
    np.testing.assert_array_equal(distances[hits], least[hits])
    np.testing.assert_array_equal(bits[hits, found[hits]], least[hits])
