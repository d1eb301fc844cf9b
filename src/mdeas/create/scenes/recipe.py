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
    """How pairs are rendered. Every field `..._share` is a probability in [0, 1]."""

    split: Literal["identity", "rows"] = "identity"
    """identity: each cut-out, texture photo and mesh belongs to one split. rows: splits share all of them."""
    cutouts: Path | None = None
    """Folder of RGBA cut-outs that stand in scenes as billboards."""
    textures: Path | None = None
    """Folder of photographs that cover surfaces, beside the procedural textures."""
    assets: Path | None = None
    """Folder of GLB meshes, used as furniture and as foregrounds; see draw/mesh_things.py."""
    mesh_share: float = 0.6
    """Share of the things, in the background or added, that are meshes; only with `assets`."""
    tiles: int = 240
    """Number of procedural textures of each split."""
    places: tuple[str, ...] = ()
    """Names of the places to draw from, see PLACES in draw/places.py; () = all."""
    apparent: tuple[float, float] = (0.12, 1.1)
    """Least and greatest size of an added thing, as a share of the picture's height."""
    area: tuple[float, float] = (0.003, 0.6)
    """Least and greatest share of the picture that shows added things; a scene outside is drawn again, up to
    maker.TRIES times in all."""
    most_added: int = 4
    """Greatest number of things added to a scene; the least is 1."""
    empty_share: float = 0.05
    """Share of the pairs to which nothing is added."""
    billboard_share: float = 0.3
    """Share of the added things that are cut-outs; only with `cutouts`."""
    camouflage_share: float = 0.12
    """Share of the added things that take a surface of the background."""
    calm_share: float = 0.3
    """Share of the pairs with an unmoved camera and steady light."""
    nuisances: bool = True
    """Add the faults of cameras to both photos, see images/camera_faults.py."""

    def _rules(self) -> Iterator[tuple[str, bool]]:
        yield from super()._rules()
        unknown = [name for name in self.places if name not in PLACES]
        yield f"places are {unknown}; known are {', '.join(PLACES)}", not unknown
        yield f"tiles is {self.tiles}; give at least 1", self.tiles >= 1
        yield f"most_added is {self.most_added}; give at least 1", self.most_added >= 1
        low, high = self.apparent
        yield f"apparent is {self.apparent}; give 0 < least <= greatest", 0 < low <= high
        low, high = self.area
        yield f"area is {self.area}; give 0 <= least <= greatest <= 1", 0 <= low <= high <= 1
