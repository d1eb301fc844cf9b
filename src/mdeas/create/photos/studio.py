"""What one composite is drawn with, and what is known of a picture while it is under work."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from mdeas.create.assets import Asset
from mdeas.create.photos.lens import Lens
from mdeas.create.photos.recipe import PhotosRecipe

if TYPE_CHECKING:
    from mdeas.create.depth.layer_depths import LayerDepths


@dataclass(kw_only=True)
class View:
    """A picture under work, changed in place."""

    picture: np.ndarray
    """float32 RGB (H, W, 3) in 0 ... 255."""
    inverse: np.ndarray | None
    """float32 (H, W) inverse depth, see layered.py; None where no depth is known."""
    lens: Lens
    """Of the camera that sees it, as far as one can tell."""


@dataclass(frozen=True, kw_only=True)
class Studio:
    """What one sample may use, its generators, and notes for its meta."""

    recipe: PhotosRecipe
    backgrounds: tuple[Asset, ...]
    foregrounds: tuple[Asset, ...]
    depths: LayerDepths | None
    rng: np.random.Generator
    depth_rng: np.random.Generator
    """For what only depth needs."""
    camera_m: float
    """Height of the camera above every surface, where depth has no unit of its own."""
    notes: dict[str, Any] = field(default_factory=lambda: {"foreground_ids": []})

    @property
    def stands(self) -> bool:
        """Whether things stand on surfaces."""
        return self.recipe.placement == "standing"

    def metres(self, nearness: float) -> float:
        """Inverse metres in one unit of inverse depth; `nearness` of a surface as in ground.Ground."""
        assert self.depths is not None
        return 1.0 if self.depths.kind == "metric" else 1 / (nearness * self.camera_m)

    def happens(self, share: float) -> bool:
        """True with that chance."""
        return bool(self.rng.random() < share)

    def pick(self, assets: tuple[Asset, ...]) -> Asset:
        """One of them."""
        return assets[int(self.rng.integers(len(assets)))]
