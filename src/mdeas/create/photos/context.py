"""The input of one composite: recipe, assets, depths, random generators, notes for its meta."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from mdeas.create.assets import Asset
from mdeas.create.photos.recipe import PhotosRecipe

if TYPE_CHECKING:
    from mdeas.create.depth.layer_depths import LayerDepths


@dataclass(frozen=True, kw_only=True)
class SampleContext:
    """The input of one composite, and notes that are taken while it is drawn."""

    recipe: PhotosRecipe
    backgrounds: tuple[Asset, ...]
    foregrounds: tuple[Asset, ...]
    depths: LayerDepths | None
    """None = no depth per layer."""
    rng: np.random.Generator
    depth_rng: np.random.Generator
    """For draws that only depth needs, so that the photos are the same with any teacher."""
    camera_m: float
    """Height of the camera in metres above every surface, assumed where depth has no unit."""
    notes: dict[str, Any] = field(default_factory=lambda: {"foreground_ids": []})
    """Entries of the sample's meta."""

    @property
    def is_standing(self) -> bool:
        """Tell whether the recipe puts foregrounds on surfaces of the background."""
        return self.recipe.placement == "standing"

    def inverse_m_per_unit(self, inverse_distance: float) -> float:
        """Return 1/m per unit of inverse depth.

        Input: inverse_distance: of a surface, see ground.Ground; decides where depth has no unit.
        """
        assert self.depths is not None
        return 1.0 if self.depths.kind == "metric" else 1 / (inverse_distance * self.camera_m)

    def happens(self, share: float) -> bool:
        """Return True with probability `share`."""
        return bool(self.rng.random() < share)

    def pick(self, assets: tuple[Asset, ...]) -> Asset:
        """Return one of the assets, each with equal probability."""
        return assets[int(self.rng.integers(len(assets)))]
