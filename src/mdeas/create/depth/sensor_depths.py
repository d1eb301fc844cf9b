"""Depth of backgrounds as a sensor measured it: a depth.png beside each."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from mdeas.camera.sensor import read_depth_m
from mdeas.create.assets import Asset, Pool, frozen, photo
from mdeas.errors import InputError
from mdeas.system.files import json_bytes, quoted, sha256_bytes, sha256_file

_DEPTH_NAME = "depth.png"
_CACHED = 160  # depth maps a process keeps: at most 300 MB at assets.LONG_SIDE


class RgbdDepths:
    """Backgrounds with a sensor's depth.png beside them; their cut-outs are flat."""

    kind = "metric"

    def __init__(self, backgrounds: Pool):
        """InputError E-NO-DEPTH when a background has no depth.png, E-FILE when one cannot be read."""
        _refuse_missing(backgrounds)
        rows = zip(backgrounds.assets, backgrounds.provenance(), strict=True)
        self._rows = [_row(asset, row) for asset, row in rows]

    def of_photo(self, asset: Asset) -> np.ndarray:
        """float32 (h, w) metres; InputError E-PAIR-SIZE or E-IMG-... when the file does not fit."""
        return _sensor_depth(asset)

    def of_cutout(self, asset: Asset) -> None:
        """Flat: a sensor saw the backgrounds alone."""

    def describe(self) -> dict[str, Any]:
        """The files by content."""
        content = sha256_bytes(json_bytes([row["sha256"] for row in self._rows]))
        return {"kind": self.kind, "num": len(self._rows), "sha256": content}

    def provenance(self) -> list[dict[str, Any]]:
        """One row per depth file."""
        return self._rows


@lru_cache(maxsize=_CACHED)
def _sensor_depth(asset: Asset) -> np.ndarray:
    return frozen(read_depth_m(_depth_path(asset), photo(asset).shape[:2]))


def _depth_path(asset: Asset) -> Path:
    return asset.path.with_name(_DEPTH_NAME)


def _refuse_missing(backgrounds: Pool) -> None:
    missing: Sequence[Asset] = [a for a in backgrounds.assets if not _depth_path(a).is_file()]
    if missing:
        what = f"{len(missing)} of {len(backgrounds.assets)} backgrounds have no {_DEPTH_NAME} beside them"
        layout = f"Put each into a folder of its own: image.jpg and {_DEPTH_NAME}, 16-bit millimetres."
        first = f"the first is {quoted(missing[0].path)}"
        raise InputError("E-NO-DEPTH", f"{quoted(backgrounds.folder)}: {what}, {first}. {layout}")


def _row(asset: Asset, of_photo: dict[str, Any]) -> dict[str, Any]:
    """The provenance of a depth file, which shares the photo's folder, split and licence."""
    name = of_photo["name"].removesuffix(asset.path.name) + _DEPTH_NAME
    return {**of_photo, "kind": "depth", "name": name, "sha256": sha256_file(_depth_path(asset))}
