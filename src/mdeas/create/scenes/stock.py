"""The textures, cut-outs and meshes that the scenes of a data set draw from; each split has its own."""

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
"""Texels a side of a billboard, whatever its aspect."""


@dataclass(frozen=True, kw_only=True)
class SceneFiles:
    """The files that scenes are made of; None where the recipe names no folder."""

    textures: Pool | None
    cutouts: Pool | None
    meshes: MeshPool | None

    @property
    def pools(self) -> list[Pool]:
        """The pools of the folders that the recipe names."""
        pools = (self.textures, self.cutouts, self.meshes and self.meshes.pool)
        return [pool for pool in pools if pool]

    def describe(self) -> dict[str, Any]:
        """What index.json says of them, by field of the recipe."""
        fields = {"textures": self.textures, "cutouts": self.cutouts, "assets": self.meshes}
        return {name: source and source.describe() for name, source in fields.items()}


def load_sources(recipe: ScenesRecipe, skip_bad: bool) -> SceneFiles:
    """Errors: as `assets.load_pool` and `meshes.files.load_meshes`."""
    pool = functools.partial(load_pool, shares=recipe.shares, skip_bad=skip_bad)
    return SceneFiles(
        textures=pool(recipe.textures, "background") if recipe.textures else None,
        cutouts=pool(recipe.cutouts, "foreground") if recipe.cutouts else None,
        meshes=load_meshes(recipe.assets, recipe.shares, skip_bad) if recipe.assets else None,
    )


class Stock:
    """The texture bank, billboards and meshes of one split."""

    def __init__(self, recipe: ScenesRecipe, seed: int, split: str, sources: SceneFiles):
        rng = np.random.default_rng([seed, 7002, SPLITS.index(split)])
        first = SPLITS.index(split) * recipe.tiles
        tiles = [procedural_tile(seed, first + k) for k in range(recipe.tiles)]
        textures, cutouts, meshes = sources.textures, sources.cutouts, sources.meshes
        tiles += [photo_tile(load_photo(asset), rng) for asset in textures.of(split)] if textures else []
        self.num_procedural = recipe.tiles
        self.bank = TextureBank(tiles)
        self.cutouts: tuple[Asset, ...] = cutouts.of(split) if cutouts else ()
        self.boards = torch.from_numpy(np.stack([_board(a) for a in self.cutouts])) if self.cutouts else None
        self.models: Models | None = None
        if meshes:
            known, share = meshes.table, recipe.mesh_share
            self.models = Models(assets=meshes.pool.of(split), table=known, share=share)

    def palette(self, rng: Rng) -> Palette:
        """A palette that draws surfaces from this bank."""
        return Palette(rng, self.bank.count, self.num_procedural)


def _board(asset: Asset) -> np.ndarray:
    """float32 (4, CUTOUT_SIDE, CUTOUT_SIDE): linear RGB and alpha in [0, 1], stretched to the square."""
    square = cv2.resize(load_cutout(asset), (CUTOUT_SIDE, CUTOUT_SIDE), interpolation=cv2.INTER_AREA)
    square = square.astype(np.float32) / 255
    colour = np.clip(square[..., :3] / np.maximum(square[..., 3:], 1 / 255), 0, 1) ** 2.2
    return np.concatenate([colour, square[..., 3:]], 2).transpose(2, 0, 1)
