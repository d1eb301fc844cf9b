"""How many samples a recipe makes, how large, and which split each belongs to."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal

import numpy as np

from mdeas.errors import UsageError
from mdeas.sample import SPLITS


@dataclass(frozen=True, kw_only=True)
class Shares:
    """Size of the pictures, and what is kept out of training. Fields `..._share` are shares in [0, 1]."""

    size: int = 160
    """Side of the square pictures in pixels."""
    split: Literal["identity", "rows"] = "identity"
    """identity: no asset of one split is in another. rows: all are in all, as it was published."""
    validation_share: float = 0.05
    """Share of the assets and of the samples."""
    test_share: float = 0.2
    """Likewise, for the test split."""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.name.endswith("_share") and not 0 <= value <= 1:
                raise UsageError("E-RECIPE", f"{field.name} is {value}; a share lies between 0 and 1.")
        for rule, holds in self._rules():
            if not holds:
                raise UsageError("E-RECIPE", f"{rule}.")

    def _rules(self):
        """Pairs of what is wrong, in words, and whether it is right; subclasses add theirs."""
        yield f"size is {self.size}; from 16 to 2048", 16 <= self.size <= 2048

    @property
    def shares(self) -> dict[str, float] | None:
        """Shares of the assets that are kept out of training, for assets.load_pool; None = keeps none."""
        if self.split == "rows":
            return None
        return {"validation": self.validation_share, "test": self.test_share}


@dataclass(frozen=True, kw_only=True)
class SplitRecipe(Shares):
    """What the recipes of all makers that draw their samples have in common."""

    count: int = 1000
    """Samples: first those of train, then validation, then test."""
    validation_count: int | None = None
    """Samples of the validation split; None = `validation_share` of all."""
    test_count: int | None = None
    """Samples of the test split."""

    def _rules(self):
        yield from super()._rules()
        yield f"count is {self.count}; at least 1", self.count >= 1
        counts = self.counts
        yield f"validation and test make {counts}; more than count {self.count}", min(counts.values()) >= 0

    @property
    def counts(self) -> dict[str, int]:
        """Samples per split."""
        validation, test = (
            round(share * self.count) if number is None else number
            for number, share in (
                (self.validation_count, self.validation_share),
                (self.test_count, self.test_share),
            )
        )
        return {"train": self.count - validation - test, "validation": validation, "test": test}

    def split_of(self, index: int) -> str:
        """The split of a sample: index ranges in the order of SPLITS."""
        ends = np.cumsum([self.counts[split] for split in SPLITS])
        return SPLITS[int(np.searchsorted(ends, index, side="right"))]
