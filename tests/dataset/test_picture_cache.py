"""Equal pictures are decoded once, within a number of bytes."""

import pickle

import numpy as np
import pytest

from mdeas.dataset.picture_cache import PictureCache


class Decoder:
    """Counts how often it is asked; a picture is 100 bytes that say which one it is."""

    def __init__(self):
        self.asked = []

    def __call__(self, data, name):
        self.asked.append(data)
        return np.full(100, data[0], np.uint8)


def test_the_third_time_it_is_the_same_array():
    decode = Decoder()
    cache = PictureCache(decode)
    pictures = [cache(data, "") for data in (b"a", b"b", b"a", b"a", b"b", b"b")]
    assert decode.asked == [b"a", b"b", b"a", b"b"]
    assert pictures[2] is pictures[3] and pictures[4] is pictures[5]
    assert [int(picture[0]) for picture in pictures] == list(b"abaabb")


def test_what_is_shared_cannot_be_changed():
    cache = PictureCache(Decoder())
    for _ in range(3):
        with pytest.raises(ValueError, match="read-only"):
            cache(b"a", "")[0] = 1


def test_the_one_asked_for_longest_ago_goes_first():
    decode = Decoder()
    cache = PictureCache(decode, max_bytes=200)
    for data in (b"a", b"a", b"b", b"b", b"a", b"c", b"c"):  # keeps a and b, uses a, keeps c
        cache(data, "")
    decode.asked.clear()
    for data in (b"a", b"c", b"b"):
        cache(data, "")
    assert decode.asked == [b"b"]


def test_a_picture_larger_than_all_room_is_still_given():
    cache = PictureCache(Decoder(), max_bytes=50)
    assert [cache(b"a", "").size for _ in range(3)] == [100] * 3


def test_pickled_it_is_empty():
    cache = PictureCache(decoded, 10_000_000)
    size = len(pickle.dumps(cache))
    for _ in range(3):
        cache(bytes(100_000), "")
    copy = pickle.loads(pickle.dumps(cache))
    assert len(pickle.dumps(cache)) == size
    assert copy(b"xy", "").tolist() == list(b"xy")


def decoded(data, name):
    return np.frombuffer(data, np.uint8).copy()
