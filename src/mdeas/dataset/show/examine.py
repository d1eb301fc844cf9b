"""One pass over the samples of a data set: statistics, histograms, and pictures that two splits share."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from mdeas.dataset.dataset import Dataset
from mdeas.dataset.show.histograms import Histograms
from mdeas.dataset.show.leaks import KINDS, Overlap, PhotoHashes
from mdeas.dataset.show.statistics import SampleStatistics
from mdeas.sample import SPLITS, spread
from mdeas.system.files import sha256_bytes
from mdeas.system.progress import progress


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What `examine` found; it needs 41 bytes of memory a sample."""

    statistics: dict[str, Any]
    """{"samples": {split: number}} and the result of SampleStatistics."""
    histograms: Histograms
    overlaps: list[Overlap]
    """Pictures shared by each two splits."""
    positions: np.ndarray
    """int64 (N,): positions in the data set of the examined samples."""


def examine(dataset: Dataset, limit: int | None = None) -> Findings:
    """Examine every sample of `dataset`, or `limit` samples evenly spread.

    Errors: those of Dataset and rows.decode_row.
    """
    count = min(limit or len(dataset), len(dataset))
    positions = np.array(spread(len(dataset), count))
    statistics, histograms, hashes = SampleStatistics(), Histograms(), PhotoHashes(count)
    with progress("examining", count) as advance:
        for position in positions.tolist():
            row = dataset.row(position)
            sample = dataset.decode(row)
            statistics.add(sample)
            histograms.add(sample)
            hashes.add(sample, {kind: int(sha256_bytes(row[kind]["bytes"])[:16], 16) for kind in KINDS})
            advance()
    counts = dataset.index["splits"]
    samples = {split: counts[split] for split in SPLITS if split in counts}
    return Findings(
        statistics={"samples": samples, **statistics.result()},
        histograms=histograms,
        overlaps=hashes.overlaps(),
        positions=positions,
    )
