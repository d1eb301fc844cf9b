"""A sample: a pair of photos with its true mask and depth. These four names mean the same everywhere."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mdeas.depth_fit import inverse
from mdeas.errors import InputError

DEPTH_KINDS = ("metric", "relative", "none")
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One pair of photos with its truth."""

    background: np.ndarray
    """uint8 (H, W, 3) RGB: the scene with nothing in it."""
    image: np.ndarray
    """uint8 (H, W, 3) RGB: the same view with something in it."""
    mask: np.ndarray | None
    """float32 (H, W), alpha in [0, 1] of what is new in `image`; None = unknown (evaluation only)."""
    depth: np.ndarray | None
    """float32 (H, W) of `image`. metric: metres, 0 = unknown. relative: inverse depth, larger = nearer."""
    depth_kind: str
    """One of DEPTH_KINDS; "none" exactly when `depth` is None."""
    meta: dict[str, Any] = field(default_factory=dict)
    """id, source, split, background_id: str; seed, index: int; foreground_ids: list[str]."""
    encoded: dict[str, Any] = field(default_factory=dict)
    """Picture files that are stored as they are: name -> bytes; with `depth` also its `depth_scale`."""

    @property
    def inverse_depth(self) -> np.ndarray | None:
        """float32 (H, W), larger = nearer, 0 = unknown; None without depth."""
        if self.depth is None or self.depth_kind == "relative":
            return self.depth
        return inverse(self.depth)

    @property
    def depth_known(self) -> np.ndarray:
        """bool (H, W): where `depth` may be used."""
        if self.depth is None:
            return np.zeros(self.image.shape[:2], bool)
        return self.depth > 0 if self.depth_kind == "metric" else np.ones_like(self.depth, bool)


def spread(count: int, most: int) -> list[int]:
    """Choose at most `most` of the numbers 0 to count - 1, evenly spaced, rising.

    Example:
        >>> spread(9, 3)
        [0, 4, 8]
    """
    return np.linspace(0, count - 1, min(count, most)).round().astype(int).tolist()


def check(sample: Sample) -> Sample:
    """Return `sample` unchanged, or raise InputError E-SAMPLE, which names the first broken rule."""
    name = sample.meta.get("id", "sample")
    for rule, holds in _rules(sample):
        if not holds:
            raise InputError("E-SAMPLE", f"{name}: {rule}. Make the data set again.")
    return sample


def _rules(s: Sample) -> Iterator[tuple[str, bool]]:
    size = s.image.shape[:2]
    yield "image must be uint8 (H, W, 3)", s.image.dtype == np.uint8 and s.image.shape[2:] == (3,)
    yield (
        "background must be like image",
        s.background.dtype == np.uint8 and s.background.shape == s.image.shape,
    )
    yield f"depth_kind must be one of {DEPTH_KINDS}, got {s.depth_kind!r}", s.depth_kind in DEPTH_KINDS
    yield "depth_kind is 'none' exactly when there is no depth", (s.depth is None) == (s.depth_kind == "none")
    if s.mask is not None:
        yield "mask must be float32 (H, W)", s.mask.dtype == np.float32 and s.mask.shape == size
        yield "mask must lie in [0, 1]", bool(np.all((s.mask >= 0) & (s.mask <= 1)))
    if s.depth is not None:
        yield "depth must be float32 (H, W)", s.depth.dtype == np.float32 and s.depth.shape == size
        yield "depth must be finite and >= 0", bool(np.all(np.isfinite(s.depth) & (s.depth >= 0)))
