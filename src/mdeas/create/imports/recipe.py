"""The recipe of an import, and the split of each imported row."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from mdeas.create.assets import split_of
from mdeas.create.imports.entry import ImportEntry, import_error
from mdeas.create.splits import SplitRecipe
from mdeas.errors import UsageError
from mdeas.sample import SPLITS
from mdeas.system.files import sha256_bytes


@dataclass(frozen=True, kw_only=True)
class ImportRecipe:
    """How imported rows become samples."""

    split: Literal["identity", "rows", "given"] = "identity"
    """identity: each background and each named foreground belongs to one split; rows whose pictures belong to
    two splits are left out. rows: rows are drawn, as in the published systems. given: the table's split."""
    validation_share: float = 0.05
    """Share of the identities, or of the rows with split=rows, in the validation split."""
    test_share: float = 0.2
    """Share of the identities, or of the rows with split=rows, in the test split."""
    validation_count: int | None = None
    """Rows in the validation split instead of a share; only with split=rows."""
    test_count: int | None = None
    """Rows in the test split instead of a share; only with split=rows."""
    depth_kind: Literal["metric", "relative"] | None = None
    """Kind of depth for rows without one; None = 8-bit is relative (larger = nearer), 16-bit is metric."""
    depth_scale: float | None = None
    """Depth per level for rows without one: 0.001 for millimetres."""

    def __post_init__(self) -> None:
        if self.split != "rows" and (self.validation_count, self.test_count) != (None, None):
            raise UsageError(
                "E-RECIPE", f"validation_count and test_count need split=rows (got split={self.split})."
            )
        if self.depth_scale is not None and not 0 < self.depth_scale < float("inf"):
            raise UsageError("E-RECIPE", f"depth_scale is {self.depth_scale}; give a number above 0.")
        SplitRecipe(validation_share=self.validation_share, test_share=self.test_share)  # checks the shares

    def of_rows(self, count: int) -> SplitRecipe:
        """Return the split recipe of `count` rows. UsageError E-RECIPE when they are too few."""
        return SplitRecipe(
            count=count,
            split="rows",
            validation_share=self.validation_share,
            test_share=self.test_share,
            validation_count=self.validation_count,
            test_count=self.test_count,
        )


def splits_of(entries: Sequence[ImportEntry], recipe: ImportRecipe, seed: int) -> list[str | None]:
    """Return the split of every entry; None = left out.

    Errors: InputError E-IMPORT with split=given when an entry has no split.
    """
    if recipe.split == "rows":
        return _drawn(recipe.of_rows(len(entries)), seed)
    if recipe.split == "given":
        for entry in entries:
            if entry.split is None:
                advice = "Pass --set split=identity or split=rows."
                raise import_error(repr(entry.id), "no split in the table", advice)
        return [entry.split for entry in entries]
    shares = {"validation": recipe.validation_share, "test": recipe.test_share}
    return [_by_identity(entry, shares) for entry in entries]


def _drawn(recipe: SplitRecipe, seed: int) -> list[str | None]:
    """Draw the split of every row, with exactly the recipe's counts."""
    order = np.random.default_rng([seed]).permutation(recipe.count)
    splits = np.repeat(SPLITS, [recipe.counts[split] for split in SPLITS])
    return splits[np.argsort(order)].tolist()


def _by_identity(entry: ImportEntry, shares: dict[str, float]) -> str | None:
    """Return the one split of all identities of an entry; None if they belong to several."""
    splits = set()
    for identity in (entry.background_id, *entry.foreground_ids):
        # Identities from data sets of mdeas are hashes already; so they keep their split.
        is_hash = re.fullmatch("[0-9a-f]{16,64}", identity)
        splits.add(split_of(identity if is_hash else sha256_bytes(identity.encode()), shares))
    return splits.pop() if len(splits) == 1 else None
