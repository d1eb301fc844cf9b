"""`teacher: layered`: a network sees each background and each cut-out once, and what it said is kept.

Kept for the user, not for the data set, in $XDG_CACHE_HOME/mdeas/depth or ~/.cache/mdeas/depth: a prediction
depends on the picture and the network alone, so that the next data set from the same pictures, of another
seed, size or recipe, needs no run at all. Deleting it costs time and nothing else.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mdeas.create.assets import LONG_SIDE, Asset, Pool, cutout, frozen, photo
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

_CACHED = 320  # depth maps a process keeps, as many as assets.photo and cutout
_MAX_UINT16 = 65535
_GREY = 128  # what a cut-out is shown on
_MARGIN = 0.25  # of its long side, all around


@dataclass(frozen=True)
class Cache:
    """Predictions of one network: a 16-bit PNG each, and a record with its scale and sha256."""

    folder: Path

    def write(self, name: str, depth: np.ndarray) -> None:
        """Keep float32 (h, w) >= 0. The record is last: without it, or of other bytes, nothing is there."""
        scale = float(depth.max()) / _MAX_UINT16 or 1.0
        record = write_bytes(
            self._png(name), encode_png(np.rint(depth / scale).astype(np.uint16)), force=True
        )
        write_json(self._json(name), {**record, "scale": scale}, force=True)

    def record(self, name: str) -> dict[str, Any] | None:
        """{"name", "bytes", "sha256", "scale"} of a prediction that is whole, else None."""
        record = read_json_if_any(self._json(name))
        return record if record and sha256_bytes(self._bytes(name)) == record["sha256"] else None

    def read(self, name: str) -> np.ndarray:
        """float32 (h, w); InputError E-DEPTH-CACHE when it is not there or was changed."""
        if not (record := self.record(name)):
            again = "Run the same command again to have it predicted again."
            raise InputError("E-DEPTH-CACHE", f"{quoted(self._png(name))}: missing or damaged. {again}")
        return decode_depth16(self._bytes(name), name).astype(np.float32) * np.float32(record["scale"])

    def _bytes(self, name: str) -> bytes:
        return self._png(name).read_bytes() if self._png(name).is_file() else b""

    def _png(self, name: str) -> Path:
        return self.folder / f"{name}.png"

    def _json(self, name: str) -> Path:
        return self.folder / f"{name}.json"


@dataclass(frozen=True)
class _View:
    """One picture for the network."""

    name: str
    show: Callable[[], np.ndarray]


class TeacherDepths:
    """Depths of a network, from its cache."""

    def __init__(self, model: DepthModel, pools: tuple[Pool, Pool]):
        """Show the network what it has not seen yet of the (backgrounds, foregrounds).

        Errors: StorageError E-LOCKED while another process does the same, E-FULL, ...; ModelError; Stopped;
        InputError when a picture does not decode.
        """
        self.kind, self._model = model.kind, model
        self._cache = Cache(cache_root() / f"{model.sha256[:16]}-{LONG_SIDE}")
        views = [_View(_photo_name(asset), partial(photo, asset)) for asset in pools[0].assets]
        views += [_View(_cutout_name(asset), partial(staged, asset)) for asset in pools[1].assets]
        see(model, self._cache, views)
        records = [self._cache.record(view.name) for view in views]
        self._sha256 = sha256_bytes(json_bytes(records))

    def of_photo(self, asset: Asset) -> np.ndarray:
        """float32 (h, w) of the network's kind; InputError E-DEPTH-CACHE when the cache was changed."""
        return _of_photo(self._cache, asset)

    def of_cutout(self, asset: Asset) -> np.ndarray:
        """float32 (h, w), larger = nearer; InputError E-DEPTH-CACHE when the cache was changed."""
        return _of_cutout(self._cache, asset, self.kind)

    def of_composites(self, images: Sequence[np.ndarray]) -> list[np.ndarray]:
        """What the network says of whole pictures, uint8 RGB (h, w, 3): float32 (h, w) each, of its kind."""
        views = [_View(f"{sha256_bytes(image.tobytes())}-composite", image.copy) for image in images]
        see(self._model, self._cache, views)
        return [self._cache.read(view.name) for view in views]

    def describe(self) -> dict[str, Any]:
        """The network, and the sha256 of all that it said: other machines round a little differently."""
        return self._model.describe() | {"predictions": self._sha256}

    def provenance(self) -> list[dict[str, Any]]:
        """The network's row."""
        return [self._model.provenance()]


def see(model: DepthModel, cache: Cache, views: list[_View]) -> None:
    """Show the network the views that are not in its cache, one at a time.

    By itself a picture gets the same bits whatever else is in the folder and whatever was interrupted.
    """
    missing = [view for view in views if not cache.record(view.name)]
    if not missing:
        return
    from mdeas.create.depth.teacher import network

    done = len(views) - len(missing)
    with (
        locked(cache.folder),
        stop_requests() as stop,
        progress("predicting depth", len(views), done) as advance,
    ):
        remove_temporaries(cache.folder)
        for view in missing:
            stop.check()
            cache.write(view.name, network(model).predict(view.show()[None])[0])
            advance()


def cache_root() -> Path:
    """Where predictions are kept; the XDG base directory specification names the place."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mdeas" / "depth"


def staged(asset: Asset) -> np.ndarray:
    """A cut-out as the network sees it: uint8 RGB (h + 2 m, w + 2 m, 3), on grey with a margin."""
    rgba = cutout(asset)
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
def _of_photo(cache: Cache, asset: Asset) -> np.ndarray:
    return frozen(cache.read(_photo_name(asset)))


@lru_cache(maxsize=_CACHED)
def _of_cutout(cache: Cache, asset: Asset, kind: str) -> np.ndarray:
    margin = _margin(cutout(asset))
    depth = cache.read(_cutout_name(asset))[margin:-margin, margin:-margin]
    return frozen(depth.copy() if kind == "relative" else 1 / np.maximum(depth, 1e-3))
