"""Depth of backgrounds as a sensor measured it: a depth.png beside each photo."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from mdeas.camera.sensor import read_depth_m
from mdeas.create.assets import Asset, Pool, load_photo, read_only
from mdeas.errors import InputError
from mdeas.system.files import json_bytes, quoted, sha256_bytes, sha256_file

_DEPTH_NAME = "depth.png"
_CACHED = 160  # depth maps in the memory of a process; at most 300 MB at assets.LONG_SIDE


class SensorDepths:
    """Depth of backgrounds from the depth.png beside each; cut-outs are flat."""

    kind = "metric"

    def __init__(self, backgrounds: Pool):
        """InputError E-NO-DEPTH when a background has no depth.png, E-FILE when one cannot be read."""
        missing = [asset for asset in backgrounds.assets if not _depth_path(asset).is_file()]
        if missing:
            what = (
                f"{len(missing)} of {len(backgrounds.assets)} backgrounds have no {_DEPTH_NAME} beside them"
            )
            first = f"the first is {quoted(missing[0].path)}"
            advice = f"Put each into a folder of its own: image.jpg and {_DEPTH_NAME}, 16-bit millimetres."
            raise InputError("E-NO-DEPTH", f"{quoted(backgrounds.folder)}: {what}, {first}. {advice}")
        rows = zip(backgrounds.assets, backgrounds.provenance(), strict=True)
        self._rows = [_depth_row(asset, photo_row) for asset, photo_row in rows]

    def of_photo(self, asset: Asset) -> np.ndarray:
        """Return float32 (h, w) metres, 0 = unknown; read only.

        Errors: InputError E-PAIR-SIZE when the depth has another aspect than the photo, E-IMG-...
        """
        return _load_depth(asset)

    def of_cutout(self, asset: Asset) -> None:
        """Return None, which means flat: a sensor measures backgrounds only."""

    def describe(self) -> dict[str, Any]:
        """Describe the depth files by content."""
        content = sha256_bytes(json_bytes([row["sha256"] for row in self._rows]))
        return {"kind": self.kind, "num": len(self._rows), "sha256": content}

    def provenance(self) -> list[dict[str, Any]]:
        """List one row per depth file."""
        return self._rows


@lru_cache(maxsize=_CACHED)
def _load_depth(asset: Asset) -> np.ndarray:
    return read_only(read_depth_m(_depth_path(asset), load_photo(asset).shape[:2]))


def _depth_path(asset: Asset) -> Path:
    return asset.path.with_name(_DEPTH_NAME)


def _depth_row(asset: Asset, photo_row: dict[str, Any]) -> dict[str, Any]:
    """Make the provenance row of a depth file; it has its photo's folder, split and licence."""
    name = photo_row["name"].removesuffix(asset.path.name) + _DEPTH_NAME
    return {**photo_row, "kind": "depth", "name": name, "sha256": sha256_file(_depth_path(asset))}
