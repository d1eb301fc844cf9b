"""The contract of depths that are known for each background and each cut-out by itself."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from mdeas.create.assets import Asset


class LayerDepths(Protocol):
    """Depth of photos and cut-outs. It can be pickled, because every worker gets a copy."""

    kind: str
    """relative: inverse depth, larger = nearer, >= 0. metric: metres, 0 = unknown."""

    def of_photo(self, asset: Asset) -> np.ndarray:
        """Return float32 (h, w) of that kind, aligned to assets.load_photo; read only."""

    def of_cutout(self, asset: Asset) -> np.ndarray | None:
        """Return float32 (h, w), aligned to assets.load_cutout; larger = nearer for both kinds; no unit.

        Only differences inside the alpha have a meaning. None = the cut-out is flat.
        """

    def describe(self) -> dict[str, Any]:
        """Return a JSON object that identifies the depths, for the recipe in index.json; without paths."""

    def provenance(self) -> list[dict[str, Any]]:
        """Return the rows for index.json: one for the model, or one per depth file."""
