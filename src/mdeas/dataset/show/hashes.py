"""Which pictures look alike: a perceptual hash and a search among many of them."""

from collections.abc import Iterator

import cv2
import numpy as np

_SIDE, _KEPT = 32, 8  # the picture is seen at 32 x 32, of which the 8 x 8 slowest waves are kept
_BITS = 64
_CHUNK = 2**22  # comparisons at once: 64 MB


def perceptual_hash(photo: np.ndarray) -> np.uint64:
    """64 bits that change little when a picture is scaled, compressed, brightened or gets noise.

    Whether each of the 8 x 8 lowest coefficients of the cosine transform is above their median (the pHash of
    Zauner 2010, "Implementation and Benchmarking of Perceptual Image Hash Functions").
    Input: uint8 (H, W, 3) RGB.
    """
    small = cv2.resize(photo, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    waves = cv2.dct(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32))[:_KEPT, :_KEPT].ravel()
    return np.packbits(waves > np.median(waves)).view(np.uint64)[0]


def nearest(queries: np.ndarray, hashes: np.ndarray, max_distance: int) -> tuple[np.ndarray, np.ndarray]:
    """For every query the nearest of `hashes` that differs in at most `max_distance` bits.

    Two hashes that near are equal in one of `max_distance` + 1 bands of bits, so that only those which share
    a band are compared.
    Input: uint64 (Q,) and (N,). Output: position int64 (Q,), -1 = none; distance uint8 (Q,).
    """
    found = np.full(len(queries), -1)
    distances = np.full(len(queries), max_distance + 1, np.uint8)
    for shift, mask in _bands(max_distance + 1):
        for asked, offered in _same(queries >> shift & mask, hashes >> shift & mask):
            bits = np.bitwise_count(queries[asked, None] ^ hashes[None, offered])
            best = bits.argmin(1)
            least = bits[np.arange(len(asked)), best]
            better = least < distances[asked]
            found[asked[better]], distances[asked[better]] = offered[best[better]], least[better]
    return found, distances


def _bands(count: int) -> Iterator[tuple[np.uint64, np.uint64]]:
    """How far to shift and what to keep, for each of `count` bands that together are all bits."""
    edges = np.linspace(0, _BITS, count + 1).round().astype(int)
    for low, high in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        yield np.uint64(low), np.uint64(2 ** (high - low) - 1)


def _same(queries: np.ndarray, hashes: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Positions of queries and of hashes with equal values, not too many at once."""
    order, asked_order = np.argsort(hashes, kind="stable"), np.argsort(queries, kind="stable")
    values, starts = np.unique(queries[asked_order], return_index=True)
    ends = np.append(starts[1:], len(queries))
    lows, highs = (np.searchsorted(hashes[order], values, side) for side in ("left", "right"))
    for start, end, low, high in zip(starts, ends, lows, highs, strict=True):
        offered = order[low:high]
        step = max(1, _CHUNK // max(1, len(offered)))
        for first in range(start, end if len(offered) else start, step):
            yield asked_order[first : min(first + step, end)], offered
