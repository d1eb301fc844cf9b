"""One pass over a data set: its statistics, how they are spread, and prints of its photos."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from mdeas.dataset.dataset import Dataset
from mdeas.dataset.show.leaks import KINDS, Prints, Twins
from mdeas.dataset.show.moments import SampleStatistics
from mdeas.dataset.show.spreads import Spreads
from mdeas.sample import SPLITS, spread
from mdeas.system.files import sha256_bytes
from mdeas.system.progress import progress


@dataclass(frozen=True, kw_only=True)
class Look:
    """What was found; its memory does not grow with the number of samples but for 41 bytes each."""

    statistics: dict[str, Any]
    """{"samples": {split: number}} and what `moments.SampleStatistics` says."""
    spreads: Spreads
    twins: list[Twins]
    """What every two splits have in common."""
    numbers: np.ndarray
    """int64 (N,): the samples that were looked at, by their place in the data set."""


def look(dataset: Dataset, limit: int | None = None) -> Look:
    """Look at every sample of `dataset`, or at `limit` that are evenly spread."""
    count = min(limit or len(dataset), len(dataset))
    numbers = np.array(spread(len(dataset), count))
    statistics, spreads, prints = SampleStatistics(), Spreads(), Prints(count)
    with progress("looking at samples", count) as advance:
        for number in numbers.tolist():
            row = dataset.row(number)
            sample = dataset.decode(row)
            statistics.add(sample)
            spreads.add(sample)
            prints.add(sample, {kind: _digest(row[kind]["bytes"]) for kind in KINDS})
            advance()
    counts = dataset.index["splits"]
    ordered = {split: counts[split] for split in SPLITS if split in counts}
    found = {"samples": ordered, **statistics.result()}
    return Look(statistics=found, spreads=spreads, twins=prints.twins(), numbers=numbers)


def _digest(data: bytes) -> int:
    return int(sha256_bytes(data)[:16], 16)
