"""Contact sheets: samples with their four pictures, and near-duplicates in two splits."""

from collections.abc import Sequence

import numpy as np

from mdeas.dataset.dataset import Dataset
from mdeas.dataset.show.leaks import Overlap
from mdeas.images.levels import to_uint8
from mdeas.images.sheets import colorize, contact_sheet
from mdeas.sample import Sample, spread

TITLES = ("background", "image", "mask", "depth")
_MAX_ROWS = 10
_MAX_PAIRS = 6  # of an overlap
_UNKNOWN = 64  # grey of an unknown mask or depth


def sample_sheet(dataset: Dataset) -> np.ndarray:
    """Contact sheet of up to 10 samples, evenly spread: uint8 (H, W, 3) RGB."""
    samples = [dataset[number] for number in spread(len(dataset), _MAX_ROWS)]
    captions = [f"{sample.meta['split']}  {sample.meta['id']}" for sample in samples]
    return contact_sheet([_pictures(sample) for sample in samples], TITLES, captions=captions)


def _pictures(sample: Sample) -> list[np.ndarray]:
    unknown = np.full_like(sample.image, _UNKNOWN)
    mask = unknown if sample.mask is None else np.dstack([to_uint8(sample.mask)] * 3)
    inverse_depth = sample.inverse_depth
    depth = unknown if inverse_depth is None else colorize(inverse_depth, sample.depth_known)
    return [sample.background, sample.image, mask, depth]


def overlap_sheet(dataset: Dataset, overlaps: Sequence[Overlap], positions: np.ndarray) -> np.ndarray | None:
    """The most alike pairs of every two splits: uint8 (H, W, 3) RGB; None when there are none.

    Input: positions: int (N,), in the data set, of the samples that the numbers of the pairs count.
    """
    rows: list[Sequence[np.ndarray]] = []
    captions = []
    for overlap in overlaps:
        for *numbers, distance in overlap.pairs[:_MAX_PAIRS]:
            one, other = (dataset[int(positions[number])] for number in numbers)
            rows.append([one.background, one.image, other.background, other.image])
            names = f"{overlap.split} {one.meta['id']} and {overlap.other} {other.meta['id']}"
            captions.append(f"{overlap.kind}: {names}, {distance} of 64 bits")
    titles = ("background", "image", "the other's background", "image")
    return contact_sheet(rows, titles, captions=captions) if rows else None
