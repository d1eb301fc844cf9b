"""`teacher: layered`: a network predicts the depth of each background and each cut-out once, into a cache.

The cache is in $XDG_CACHE_HOME/mdeas/depth or ~/.cache/mdeas/depth. A prediction depends on the picture and
the network alone, so data sets with other seeds, sizes or recipes use it, too. The cache may be deleted.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mdeas.create.assets import LONG_SIDE, Asset, Pool, load_cutout, load_photo, read_only
from mdeas.create.depth.model import DepthModel
from mdeas.errors import InputError
from mdeas.images.codec import decode_depth16, encode_png
from mdeas.system.files import (
    json_bytes,
    quoted,
    read_json_if_any,
    remove_temporaries,
    sha256_bytes,
    write_bytes,
    write_json,
)
from mdeas.system.lock import locked
from mdeas.system.progress import progress
from mdeas.system.signals import stop_requests

_CACHED = 320  # depth maps in the memory of a process
_MAX_UINT16 = 65535
_GREY = 128  # the backdrop on which the network sees a cut-out
_MARGIN = 0.25  # of the cut-out's long side, on every side


@dataclass(frozen=True)
class PredictionCache:
    """Predictions of one network: per picture a 16-bit PNG, and a record with its scale and sha256."""

    folder: Path

    def write(self, name: str, depth: np.ndarray) -> None:
        """Store float32 (h, w) >= 0. The record is written last; a PNG without its record is ignored."""
        scale = float(depth.max()) / _MAX_UINT16 or 1.0
        levels = np.rint(depth / scale).astype(np.uint16)
        record = write_bytes(self._png(name), encode_png(levels), force=True)
        write_json(self._json(name), {**record, "scale": scale}, force=True)

    def record(self, name: str) -> dict[str, Any] | None:
        """Return {"name", "bytes", "sha256", "scale"} of a complete prediction, else None."""
        record = read_json_if_any(self._json(name))
        return record if record and sha256_bytes(self._bytes(name)) == record["sha256"] else None

    def read(self, name: str) -> np.ndarray:
        """Return float32 (h, w); InputError E-DEPTH-CACHE when it is missing or damaged."""
        if not (record := self.record(name)):
            advice = "Run the same command again to predict it again."
            raise InputError("E-DEPTH-CACHE", f"{quoted(self._png(name))}: missing or damaged. {advice}")
        return decode_depth16(self._bytes(name), name).astype(np.float32) * np.float32(record["scale"])

    def _bytes(self, name: str) -> bytes:
        return self._png(name).read_bytes() if self._png(name).is_file() else b""

    def _png(self, name: str) -> Path:
        return self.folder / f"{name}.png"

    def _json(self, name: str) -> Path:
        return self.folder / f"{name}.json"


class TeacherDepths:
    """Depth of photos and cut-outs by a network, from the cache; see LayerDepths."""

    def __init__(self, model: DepthModel, pools: tuple[Pool, Pool]):
        """Predict all pictures of the pools (backgrounds, foregrounds) that the cache lacks.

        Errors: StorageError E-LOCKED while another process writes this cache, E-FULL, ...; ModelError;
            Stopped; InputError when a picture does not decode.
        """
        self.kind, self._model = model.kind, model
        root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        self._cache = PredictionCache(root / "mdeas" / "depth" / f"{model.sha256[:16]}-{LONG_SIDE}")
        pictures: dict[str, Callable[[], np.ndarray]] = {}
        pictures |= {_photo_name(asset): partial(load_photo, asset) for asset in pools[0].assets}
        pictures |= {_cutout_name(asset): partial(on_grey, asset) for asset in pools[1].assets}
        _predict_missing(model, self._cache, pictures)
        self._sha256 = sha256_bytes(json_bytes([self._cache.record(name) for name in pictures]))

    def of_photo(self, asset: Asset) -> np.ndarray:
        """Return float32 (h, w) of the network's kind; InputError E-DEPTH-CACHE if the cache was changed."""
        return _of_photo(self._cache, asset)

    def of_cutout(self, asset: Asset) -> np.ndarray:
        """Return float32 (h, w), larger = nearer; InputError E-DEPTH-CACHE if the cache was changed."""
        return _of_cutout(self._cache, asset, self.kind)

    def of_composites(self, images: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Predict finished composites, uint8 RGB (h, w, 3) each: float32 (h, w) of the network's kind."""
        names = [f"{sha256_bytes(image.tobytes())}-composite" for image in images]
        pictures = {name: image.copy for name, image in zip(names, images, strict=True)}
        _predict_missing(self._model, self._cache, pictures)
        return [self._cache.read(name) for name in names]

    def describe(self) -> dict[str, Any]:
        """Describe the network and the sha256 of its predictions, whose last bits differ among machines."""
        return self._model.describe() | {"predictions": self._sha256}

    def provenance(self) -> list[dict[str, Any]]:
        """List the network's row."""
        return [self._model.provenance()]


def _predict_missing(
    model: DepthModel, cache: PredictionCache, pictures: Mapping[str, Callable[[], np.ndarray]]
) -> None:
    """Predict the pictures that the cache lacks, one per batch.

    In a batch of its own a picture gets the same bits whatever else is in the folder.
    Input: pictures: by their name in the cache, a function that loads uint8 RGB (h, w, 3).
    """
    missing = [name for name in pictures if not cache.record(name)]
    if not missing:
        return
    from mdeas.create.depth.teacher import load_network

    done = len(pictures) - len(missing)
    with (
        locked(cache.folder),
        stop_requests() as stop,
        progress("predicting depth", len(pictures), done) as advance,
    ):
        remove_temporaries(cache.folder)
        for name in missing:
            stop.check()
            cache.write(name, load_network(model).predict(pictures[name]()[None])[0])
            advance()


def on_grey(asset: Asset) -> np.ndarray:
    """Show a cut-out on grey with a margin m, as the network sees it: uint8 RGB (h + 2 m, w + 2 m, 3)."""
    rgba = load_cutout(asset)
    behind = np.rint((255 - rgba[..., 3]) * (_GREY / 255)).astype(np.uint8)
    picture = cv2.add(rgba[..., :3], cv2.merge([behind] * 3))
    margin = (_margin(rgba),) * 2
    return np.pad(picture, (margin, margin, (0, 0)), constant_values=_GREY)


def _margin(rgba: np.ndarray) -> int:
    return max(1, round(_MARGIN * max(rgba.shape[:2])))


def _photo_name(asset: Asset) -> str:
    return f"{asset.sha256}-photo"


def _cutout_name(asset: Asset) -> str:
    return f"{asset.sha256}-cutout"


@lru_cache(maxsize=_CACHED)
def _of_photo(cache: PredictionCache, asset: Asset) -> np.ndarray:
    return read_only(cache.read(_photo_name(asset)))


@lru_cache(maxsize=_CACHED)
def _of_cutout(cache: PredictionCache, asset: Asset, kind: str) -> np.ndarray:
    margin = _margin(load_cutout(asset))
    depth = cache.read(_cutout_name(asset))[margin:-margin, margin:-margin]
    return read_only(depth.copy() if kind == "relative" else 1 / np.maximum(depth, 1e-3))
