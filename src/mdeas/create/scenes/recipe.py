"""The recipe of rendered pairs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mdeas.create.scenes.draw.places import PLACES
from mdeas.create.splits import SplitRecipe


@dataclass(frozen=True, kw_only=True)
class ScenesRecipe(SplitRecipe):
    """What rendered pairs are made of. Every share is a probability in [0, 1]."""

    split: Literal["identity", "rows"] = "identity"
    """identity: each cut-out, texture photo and mesh belongs to one split. rows: splits share all of them."""
    cutouts: Path | None = None
    """Folder of RGBA cut-outs that stand in scenes as billboards."""
    textures: Path | None = None
    """Folder of photographs that cover surfaces, beside the procedural textures."""
    assets: Path | None = None
    """Folder of GLB meshes that furnish scenes and are added to them, see draw/mesh_things.py."""
    mesh_share: float = 0.6
    """Share of the things, in the background or added, that are meshes, where there is a folder of them."""
    tiles: int = 240
    """Procedural textures in the bank."""
    places: tuple[str, ...] = ()
    """Kinds of places that are drawn, see draw/places.py; () = all."""
    apparent: tuple[float, float] = (0.12, 1.1)
    """Height of what is added, as a share of the picture's height."""
    area: tuple[float, float] = (0.003, 0.6)
    """Least and greatest share of the picture in which something added is visible."""
    most_added: int = 4
    """Things added to a scene: from 1 to this."""
    empty_share: float = 0.05
    """Share of the pairs to which nothing is added."""
    billboard_share: float = 0.3
    """Share of the added things that are cut-outs, where there is a folder of them."""
    camouflage_share: float = 0.12
    """Share of the added things that take a surface of the background."""
    calm_share: float = 0.3
    """Share of the pairs with an unmoved camera and steady light."""
    nuisances: bool = True
    """Exposure, white balance, gamma, noise, blur, JPEG and vignetting, see images/camera_faults.py."""

    def _rules(self) -> Iterator[tuple[str, bool]]:
        yield from super()._rules()
        unknown = [name for name in self.places if name not in PLACES]
        yield f"places are {unknown}; known are {', '.join(PLACES)}", not unknown
