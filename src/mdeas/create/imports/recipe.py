"""Which split each row of an imported data set belongs to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from mdeas.create.assets import split_of
from mdeas.create.imports.entry import Entry, broken
from mdeas.create.splits import SplitRecipe
from mdeas.errors import UsageError
from mdeas.sample import SPLITS
from mdeas.system.files import sha256_bytes


@dataclass(frozen=True, kw_only=True)
class ImportRecipe:
    """How somebody else's rows become samples."""

    split: Literal["identity", "rows", "given"] = "identity"
    """identity: no background and no named foreground of one split is in another; rows that would join two
    splits are left out. rows: drawn, as it was published. given: what the table says."""
    validation_share: float = 0.05
    """Share of the identities or, with split=rows, of the rows."""
    test_share: float = 0.2
    """Likewise, for the test split."""
    validation_count: int | None = None
    """Rows of the validation split; only with split=rows."""
    test_count: int | None = None
    """Rows of the test split; only with split=rows."""
    depth_kind: Literal["metric", "relative"] | None = None
    """Of rows that do not say theirs; without it 8 bits are relative (larger = nearer) and 16 metric."""
    depth_scale: float | None = None
    """Depth per step, of rows that do not say theirs: 0.001 for millimetres."""

    def __post_init__(self) -> None:
        if self.split != "rows" and (self.validation_count, self.test_count) != (None, None):
            raise UsageError("E-RECIPE", "validation_count and test_count are for split=rows.")
        if self.depth_scale is not None and not 0 < self.depth_scale < float("inf"):
            raise UsageError("E-RECIPE", f"depth_scale is {self.depth_scale}; above 0.")
        SplitRecipe(validation_share=self.validation_share, test_share=self.test_share)  # checks them

    def of_rows(self, count: int) -> SplitRecipe:
        """The split of `count` rows. UsageError E-RECIPE when they are too few."""
        shares = {"validation_share": self.validation_share, "test_share": self.test_share}
        counts = {"validation_count": self.validation_count, "test_count": self.test_count}
        return SplitRecipe(count=count, split="rows", **shares, **counts)  # type: ignore[arg-type]


def splits_of(entries: Sequence[Entry], recipe: ImportRecipe, seed: int) -> list[str | None]:
    """The split of every entry; None = left out. InputError E-IMPORT when `given` is not given."""
    if recipe.split == "rows":
        return _drawn(recipe.of_rows(len(entries)), seed)
    if recipe.split == "given":
        return [_given(entry) for entry in entries]
    shares = {"validation": recipe.validation_share, "test": recipe.test_share}
    return [_by_identity(entry, shares) for entry in entries]


def _drawn(recipe: SplitRecipe, seed: int) -> list[str | None]:
    order = np.random.default_rng([seed]).permutation(recipe.count)
    splits = np.repeat(SPLITS, [recipe.counts[split] for split in SPLITS])
    return splits[np.argsort(order)].tolist()


def _given(entry: Entry) -> str:
    if entry.split is None:
        raise broken(repr(entry.id), "no split in the table", "Pass --set split=identity or split=rows.")
    return entry.split


def _by_identity(entry: Entry, shares: dict[str, float]) -> str | None:
    splits = {split_of(_place(name), shares) for name in (entry.background_id, *entry.foreground_ids)}
    return splits.pop() if len(splits) == 1 else None


def _place(identity: str) -> str:
    """A hash; identities that are one already, as those of mdeas's assets, keep the split they have there."""
    return identity if re.fullmatch("[0-9a-f]{16,64}", identity) else sha256_bytes(identity.encode())
