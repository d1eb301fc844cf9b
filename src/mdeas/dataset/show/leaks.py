"""Find pictures of one split that are also, or nearly, in another: such a test split measures nothing."""

import itertools
from dataclasses import dataclass

import numpy as np

from mdeas.dataset.show.hashes import nearest, perceptual_hash
from mdeas.sample import SPLITS, Sample

KINDS = ("background", "image")
MAX_DISTANCE = 4
"""Greatest number of bits in which the hashes of near-duplicates differ; see docs/experiments/2026-11.md."""
_MAX_PAIRS = 100


@dataclass(frozen=True, kw_only=True)
class Overlap:
    """Photos of one kind that two splits share."""

    kind: str
    """One of KINDS."""
    split: str
    other: str
    num: int
    """Samples of `split`."""
    num_equal: int
    """Samples of `split` whose photo has the same bytes as one in `other`."""
    num_near: int
    """Samples of `split` whose photo is not equal to one in `other`, but a near-duplicate of one."""
    pairs: list[tuple[int, int, int]]
    """(number of a sample of `split`, of one of `other`, bits that differ), the most alike first. Numbers
    count the samples in the order of `PhotoHashes.add`. Each photo of `split` occurs once."""


class PhotoHashes:
    """Digest and perceptual hash of both photos of each added sample: 33 bytes a sample.

    Input: num_samples: how many will be added.
    """

    def __init__(self, num_samples: int):
        self.num = 0
        self.splits = np.zeros(num_samples, np.uint8)
        self.digests = {kind: np.zeros(num_samples, np.uint64) for kind in KINDS}
        self.hashes = {kind: np.zeros(num_samples, np.uint64) for kind in KINDS}

    def add(self, sample: Sample, digests: dict[str, int]) -> None:
        """Add a sample. Input: digests: for each of KINDS a 64-bit digest of the photo's encoded bytes."""
        self.splits[self.num] = SPLITS.index(sample.meta["split"])
        for kind in KINDS:
            self.digests[kind][self.num] = digests[kind]
            self.hashes[kind][self.num] = perceptual_hash(getattr(sample, kind))
        self.num += 1

    def overlaps(self) -> list[Overlap]:
        """What each split shares with each earlier split, for each of KINDS."""
        present = np.unique(self.splits).tolist()
        pairs = itertools.combinations(present, 2)
        return [self._overlap(kind, late, early) for early, late in pairs for kind in KINDS]

    def _overlap(self, kind: str, late: int, early: int) -> Overlap:
        own, theirs = (np.flatnonzero(self.splits == split) for split in (late, early))
        digests, hashes = self.digests[kind], self.hashes[kind]
        equal = np.isin(digests[own], digests[theirs])
        # Samples share backgrounds, so each hash is looked up once.
        queries, first_own, inverse = np.unique(hashes[own], return_index=True, return_inverse=True)
        stored, first_theirs = np.unique(hashes[theirs], return_index=True)
        found, distances = nearest(queries, stored, MAX_DISTANCE)
        order = np.argsort(distances, kind="stable")[: np.count_nonzero(found >= 0)]
        return Overlap(
            kind=kind,
            split=SPLITS[late],
            other=SPLITS[early],
            num=len(own),
            num_equal=int(equal.sum()),
            num_near=int(((found >= 0)[inverse] & ~equal).sum()),
            pairs=[
                (int(own[first_own[n]]), int(theirs[first_theirs[found[n]]]), int(distances[n]))
                for n in order[:_MAX_PAIRS]
            ],
        )
