"""Contact sheets: samples with all four pictures, and samples of two splits that are alike."""

from collections.abc import Sequence

import numpy as np

from mdeas.dataset.dataset import Dataset
from mdeas.dataset.show.statistics import Look
from mdeas.images.codec import colorize, contact_sheet
from mdeas.images.levels import to_uint8
from mdeas.sample import Sample, spread

TITLES = ("background", "image", "mask", "depth")
_ROWS = 10
_PAIRS_OF_A_KIND = 6
_UNKNOWN = 64  # grey of a mask or a depth that is not known


def sheet(dataset: Dataset) -> np.ndarray:
    """Contact sheet of up to 10 samples, evenly spread: uint8 (H, W, 3) RGB."""
    samples = [dataset[number] for number in spread(len(dataset), _ROWS)]
    captions = [f"{sample.meta['split']}  {sample.meta['id']}" for sample in samples]
    return contact_sheet([_pictures(sample) for sample in samples], TITLES, captions=captions)


def _pictures(sample: Sample) -> list[np.ndarray]:
    unknown = np.full_like(sample.image, _UNKNOWN)
    mask = unknown if sample.mask is None else np.dstack([to_uint8(sample.mask)] * 3)
    inverse_depth = sample.inverse_depth
    depth = unknown if inverse_depth is None else colorize(inverse_depth, sample.depth_known)
    return [sample.background, sample.image, mask, depth]


def twin_sheet(dataset: Dataset, found: Look) -> np.ndarray | None:
    """The nearest pairs of every two splits: uint8 (H, W, 3) RGB; None when there are none."""
    rows: list[Sequence[np.ndarray]] = []
    captions = []
    for twins in found.twins:
        for *places, distance in twins.pairs[:_PAIRS_OF_A_KIND]:
            one, other = (dataset[int(found.numbers[place])] for place in places)
            rows.append([one.background, one.image, other.background, other.image])
            names = f"{twins.split} {one.meta['id']} and {twins.other} {other.meta['id']}"
            captions.append(f"{twins.kind}: {names}, {distance} of 64 bits")
    titles = ("background", "image", "the other's background", "image")
    return contact_sheet(rows, titles, captions=captions) if rows else None
