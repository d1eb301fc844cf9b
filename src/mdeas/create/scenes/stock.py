"""The textures, cut-outs and meshes that scenes are drawn with; each split has its own."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch

from mdeas.create.assets import Asset, Pool, load_cutout, load_photo, load_pool
from mdeas.create.scenes.draw.mesh_things import Models
from mdeas.create.scenes.meshes.files import MeshPool, load_meshes
from mdeas.create.scenes.recipe import ScenesRecipe
from mdeas.create.scenes.scene import Palette, Rng
from mdeas.create.scenes.texture import TextureBank, photo_tile, procedural_tile
from mdeas.sample import SPLITS

CUTOUT_SIDE = 160
"""Height and width of a billboard's picture in texels; every cut-out is stretched to this square."""
_STREAM = 7002  # second number of the seed of draws for a split


@dataclass(frozen=True, kw_only=True)
class SceneFiles:
    """The files of the recipe's folders; None where the recipe names no folder."""

    textures: Pool | None
    cutouts: Pool | None
    meshes: MeshPool | None

    @property
    def pools(self) -> list[Pool]:
        """The pools of the folders that the recipe names."""
        pools = (self.textures, self.cutouts, self.meshes and self.meshes.pool)
        return [pool for pool in pools if pool]

    def describe(self) -> dict[str, Any]:
        """Return the description of each folder for index.json, by field of the recipe."""
        fields = {"textures": self.textures, "cutouts": self.cutouts, "assets": self.meshes}
        return {name: source and source.describe() for name, source in fields.items()}


def load_files(recipe: ScenesRecipe, skip_bad: bool) -> SceneFiles:
    """Find the files of the recipe's folders. Errors: those of `load_pool` and `load_meshes`."""
    pool = functools.partial(load_pool, shares=recipe.shares, skip_bad=skip_bad)
    return SceneFiles(
        textures=pool(recipe.textures, "background") if recipe.textures else None,
        cutouts=pool(recipe.cutouts, "foreground") if recipe.cutouts else None,
        meshes=load_meshes(recipe.assets, recipe.shares, skip_bad) if recipe.assets else None,
    )


class Stock:
    """The textures, cut-outs and meshes of one split, in memory."""

    def __init__(self, recipe: ScenesRecipe, seed: int, split: str, files: SceneFiles):
        """Make and load the pictures. InputError E-POOL when the split has no file of a folder; E-IMG-..."""
        rng = np.random.default_rng([seed, _STREAM, SPLITS.index(split)])
        first = SPLITS.index(split) * recipe.tiles
        tiles = [procedural_tile(seed, first + k) for k in range(recipe.tiles)]
        if files.textures:
            tiles += [photo_tile(load_photo(asset), rng) for asset in files.textures.of(split)]
        self.num_procedural = recipe.tiles
        self.bank = TextureBank(tiles)
        """The procedural textures, then the photos."""
        self.cutouts: tuple[Asset, ...] = files.cutouts.of(split) if files.cutouts else ()
        self.boards: torch.Tensor | None = None
        """(number of cut-outs, 4, CUTOUT_SIDE, CUTOUT_SIDE) float32: linear RGB and alpha in [0, 1]."""
        if self.cutouts:
            self.boards = torch.from_numpy(np.stack([_board_picture(asset) for asset in self.cutouts]))
        self.models: Models | None = None
        if meshes := files.meshes:
            assets = meshes.pool.of(split)
            self.models = Models(assets=assets, table=meshes.table, share=recipe.mesh_share)

    def palette(self, rng: Rng) -> Palette:
        """Return a palette that draws surfaces from this bank."""
        return Palette(rng, self.bank.count, self.num_procedural)


def _board_picture(asset: Asset) -> np.ndarray:
    """Load a cut-out for `Stock.boards`: float32 (4, CUTOUT_SIDE, CUTOUT_SIDE)."""
    square = cv2.resize(load_cutout(asset), (CUTOUT_SIDE, CUTOUT_SIDE), interpolation=cv2.INTER_AREA)
    square = square.astype(np.float32) / 255
    colour = np.clip(square[..., :3] / np.maximum(square[..., 3:], 1 / 255), 0, 1) ** 2.2
    return np.concatenate([colour, square[..., 3:]], 2).transpose(2, 0, 1)
