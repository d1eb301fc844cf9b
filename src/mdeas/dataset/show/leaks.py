"""Pictures of one split that are also, or nearly, in another: then a test is no test."""

import itertools
from dataclasses import dataclass

import numpy as np

from mdeas.dataset.show.hashes import nearest, perceptual_hash
from mdeas.sample import SPLITS, Sample

KINDS = ("background", "image")
MAX_DISTANCE = 4
"""Bits in which hashes of near-duplicates differ at most; docs/LOG.md has the experiment."""
_SHOWN = 100


@dataclass(frozen=True, kw_only=True)
class Twins:
    """What two splits have in common."""

    kind: str
    """One of KINDS."""
    split: str
    other: str
    num: int
    """Samples of `split`."""
    num_equal: int
    """Those of them whose picture has the bytes of one in `other`."""
    num_near: int
    """Those whose picture is not equal but near to one in `other`."""
    pairs: list[tuple[int, int, int]]
    """(place in the prints of a sample of `split`, of one of `other`, bits): nearest first, no two alike."""


class Prints:
    """Digest and perceptual hash of both photos of every sample that was added: 33 bytes a sample.

    Input: num_samples: as many as will be added.
    """

    def __init__(self, num_samples: int):
        self.num = 0
        self.splits = np.zeros(num_samples, np.uint8)
        self.digests = {kind: np.zeros(num_samples, np.uint64) for kind in KINDS}
        self.hashes = {kind: np.zeros(num_samples, np.uint64) for kind in KINDS}

    def add(self, sample: Sample, digests: dict[str, int]) -> None:
        """Count `sample` in. Input: digests: 64 bits of each of KINDS, equal for equal bytes."""
        self.splits[self.num] = SPLITS.index(sample.meta["split"])
        for kind in KINDS:
            self.digests[kind][self.num] = digests[kind]
            self.hashes[kind][self.num] = perceptual_hash(getattr(sample, kind))
        self.num += 1

    def twins(self) -> list[Twins]:
        """For every two splits and each of KINDS what the later split has in common with the earlier."""
        there = np.unique(self.splits).tolist()
        pairs = itertools.combinations(there, 2)
        return [self._between(kind, late, early) for early, late in pairs for kind in KINDS]

    def _between(self, kind: str, late: int, early: int) -> Twins:
        own, theirs = (np.flatnonzero(self.splits == split) for split in (late, early))
        digests, hashes = self.digests[kind], self.hashes[kind]
        equal = np.isin(digests[own], digests[theirs])
        # Samples share backgrounds: each hash is looked up once.
        asked, first, back = np.unique(hashes[own], return_index=True, return_inverse=True)
        offered, place = np.unique(hashes[theirs], return_index=True)
        found, distances = nearest(asked, offered, MAX_DISTANCE)
        order = np.argsort(distances, kind="stable")[: np.count_nonzero(found >= 0)]
        return Twins(
            kind=kind,
            split=SPLITS[late],
            other=SPLITS[early],
            num=len(own),
            num_equal=int(equal.sum()),
            num_near=int(((found >= 0)[back] & ~equal).sum()),
            pairs=[
                (int(own[first[n]]), int(theirs[place[found[n]]]), int(distances[n])) for n in order[:_SHOWN]
            ],
        )
