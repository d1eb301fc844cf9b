"""Perceptual hashes of pictures, and a search for the nearest among many."""

from collections.abc import Iterator

import cv2
import numpy as np

_SIDE = 32  # the picture is resized to 32 x 32
_LOW = 8  # lowest frequencies in each direction that enter the hash
_BITS = 64
_MAX_COMPARISONS = 2**22  # at once: 64 MB


def perceptual_hash(photo: np.ndarray) -> np.uint64:
    """64 bits that change little when a picture is scaled, compressed, brightened or gets noise.

    Bit: whether one of the 8 x 8 lowest coefficients of the cosine transform is above their median (the pHash
    of Zauner 2010, "Implementation and Benchmarking of Perceptual Image Hash Functions").
    Input: uint8 (H, W, 3) RGB.

    Example:
        >>> photo = np.random.default_rng(0).integers(0, 200, (64, 64, 3), np.uint8)
        >>> bool(perceptual_hash(photo) == perceptual_hash(photo + np.uint8(9)))
        True
    """
    small = cv2.resize(photo, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    frequencies = cv2.dct(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32))
    low = frequencies[:_LOW, :_LOW].ravel()
    return np.packbits(low > np.median(low)).view(np.uint64)[0]


def nearest(queries: np.ndarray, hashes: np.ndarray, max_distance: int) -> tuple[np.ndarray, np.ndarray]:
    """For every query the nearest of `hashes` that differs in at most `max_distance` bits.

    Cut into `max_distance` + 1 bands of bits, two hashes that near are equal in at least one band. So only
    hashes that share a band are compared.
    Input: uint64 (Q,) and (N,).
    Output: position in `hashes`, int64 (Q,), -1 = none; distance in bits, uint8 (Q,), `max_distance` + 1
        where there is none.
    """
    found = np.full(len(queries), -1)
    distances = np.full(len(queries), max_distance + 1, np.uint8)
    for shift, mask in _bands(max_distance + 1):
        for some, others in _equal_values(queries >> shift & mask, hashes >> shift & mask):
            bits = np.bitwise_count(queries[some, None] ^ hashes[None, others])
            best = bits.argmin(1)
            least = bits[np.arange(len(some)), best]
            better = least < distances[some]
            found[some[better]], distances[some[better]] = others[best[better]], least[better]
    return found, distances


def _bands(count: int) -> Iterator[tuple[np.uint64, np.uint64]]:
    """(right shift, mask) of each of `count` bands that cover all 64 bits."""
    edges = np.linspace(0, _BITS, count + 1).round().astype(int)
    for low, high in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        yield np.uint64(low), np.uint64(2 ** (high - low) - 1)


def _equal_values(queries: np.ndarray, hashes: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """For every value, positions of queries and of hashes that have it, in parts of limited size."""
    order, query_order = np.argsort(hashes, kind="stable"), np.argsort(queries, kind="stable")
    values, starts = np.unique(queries[query_order], return_index=True)
    ends = np.append(starts[1:], len(queries))
    lows, highs = (np.searchsorted(hashes[order], values, side) for side in ("left", "right"))
    for start, end, low, high in zip(starts, ends, lows, highs, strict=True):
        others = order[low:high]
        if not len(others):
            continue
        step = max(1, _MAX_COMPARISONS // len(others))
        for first in range(start, end, step):
            yield query_order[first : min(first + step, end)], others
