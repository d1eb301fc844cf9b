"""The depth of what composites are made of: of each background and of each cut-out by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from mdeas.create.assets import Asset

if TYPE_CHECKING:
    pass

_DEPTH_NAME = "depth.png"
_CACHED = 160  # depth maps a process keeps: at most 300 MB at assets.LONG_SIDE


class LayerDepths(Protocol):
    """Depth of photos and cut-outs; picklable, for every worker gets a copy."""

    kind: str
    """relative: inverse depth, larger = nearer, >= 0. metric: metres, 0 = unknown."""

    def of_photo(self, asset: Asset) -> np.ndarray:
        """float32 (h, w) of that kind, aligned to assets.photo; read only."""

    def of_cutout(self, asset: Asset) -> np.ndarray | None:
        """float32 (h, w) aligned to assets.cutout: larger = nearer, whatever the kind, and of no known unit.

        Only differences inside the alpha mean something. None = flat.
        """

    def describe(self) -> dict[str, Any]:
        """What decides the depths, as JSON, for the recipe in index.json; nothing about where files are."""

    def provenance(self) -> list[dict[str, Any]]:
        """Rows for index.json: the model, or one per depth file."""
