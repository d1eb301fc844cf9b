"""The recipe fields that makers share: picture size, number of samples, shares of the splits."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from mdeas.errors import UsageError
from mdeas.sample import SPLITS


@dataclass(frozen=True, kw_only=True)
class Shares:
    """Size of the pictures and shares of the splits. Every field `..._share` is in [0, 1]."""

    size: int = 160
    """Side of the square pictures in pixels."""
    split: Literal["identity", "foregrounds", "rows"] = "identity"
    """identity: each asset belongs to one split. foregrounds: each cut-out does; backgrounds are shared.
    rows: splits share all assets, as in the published systems."""
    validation_share: float = 0.05
    """Share of the assets, and of the samples, in the validation split."""
    test_share: float = 0.2
    """Share of the assets, and of the samples, in the test split."""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.name.endswith("_share") and not 0 <= value <= 1:
                raise UsageError("E-RECIPE", f"{field.name} is {value}; give a share from 0 to 1.")
        for message, holds in self._rules():
            if not holds:
                raise UsageError("E-RECIPE", f"{message}.")

    def _rules(self) -> Iterator[tuple[str, bool]]:
        """Yield (message for a broken rule, whether the rule holds); subclasses add their own."""
        yield f"size is {self.size}; give 16 to 2048", 16 <= self.size <= 2048

    @property
    def shares(self) -> dict[str, float] | None:
        """Shares of the assets in validation and test, for assets.load_pool; None = splits share all."""
        if self.split == "rows":
            return None
        return {"validation": self.validation_share, "test": self.test_share}


@dataclass(frozen=True, kw_only=True)
class SplitRecipe(Shares):
    """Fields of every recipe whose samples are drawn at random.

    Example:
        >>> SplitRecipe(count=100).counts
        {'train': 75, 'validation': 5, 'test': 20}
        >>> SplitRecipe(count=100).split_of(99)
        'test'
    """

    count: int = 1000
    """Number of samples; train comes first, then validation, then test."""
    validation_count: int | None = None
    """Samples in the validation split; None = `validation_share` of `count`."""
    test_count: int | None = None
    """Samples in the test split; None = `test_share` of `count`."""

    def _rules(self) -> Iterator[tuple[str, bool]]:
        yield from super()._rules()
        yield f"count is {self.count}; give at least 1", self.count >= 1
        _, validation, test = self.counts.values()
        asked = f"validation {validation} and test {test} are more than count {self.count}"
        yield f"{asked}; give a larger count, or fewer of both", validation + test <= self.count
        yield f"validation is {validation} and test is {test}; give at least 0", min(validation, test) >= 0

    @property
    def counts(self) -> dict[str, int]:
        """Number of samples per split."""
        validation, test = self.validation_count, self.test_count
        validation = round(self.validation_share * self.count) if validation is None else validation
        test = round(self.test_share * self.count) if test is None else test
        return {"train": self.count - validation - test, "validation": validation, "test": test}

    def split_of(self, index: int) -> str:
        """Return the split of sample `index`: train comes first, then validation, then test."""
        ends = np.cumsum([self.counts[split] for split in SPLITS])
        return SPLITS[int(np.searchsorted(ends, index, side="right"))]
