"""Rendered pairs: exact mask, exact metric depth, and light and shadow that belong together."""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from mdeas.create import nuisance
from mdeas.create.assets import Asset, Pool, cutout, load_pool, photo
from mdeas.create.scenes import layout
from mdeas.create.scenes.picture import Rendered, added_share, render
from mdeas.create.scenes.places import Place
from mdeas.create.scenes.scene import Palette, Primitive, Rng, Scene, Surface, log_uniform, rotation
from mdeas.create.scenes.texture import TextureBank, photo_tile, procedural_tile
from mdeas.create.splits import SplitRecipe
from mdeas.sample import SPLITS, Sample

CUTOUT_SIDE = 160
"""Texels a side of a billboard, whatever its aspect."""
TRIES = 6
"""Attempts to find room for what is added before the pair is left empty."""


@dataclass(frozen=True, kw_only=True)
class ScenesRecipe(SplitRecipe):
    """What rendered pairs are made of. Every share is a probability in [0, 1]."""

    cutouts: Path | None = None
    """Folder of RGBA cut-outs that stand in scenes as billboards."""
    textures: Path | None = None
    """Folder of photographs that cover surfaces, beside the procedural textures."""
    tiles: int = 240
    """Procedural textures in the bank."""
    apparent: tuple[float, float] = (0.12, 1.1)
    """Height of what is added, as a share of the picture's height."""
    area: tuple[float, float] = (0.003, 0.6)
    """Least and greatest share of the picture in which something added is visible."""
    most_added: int = 4
    """Things added to a scene: from 1 to this."""
    empty_share: float = 0.05
    """Pairs to which nothing is added."""
    billboard_share: float = 0.3
    """Added things that are cut-outs, when there is a folder of them."""
    camouflage_share: float = 0.12
    """Added things that take a surface of the background."""
    calm_share: float = 0.3
    """Pairs with an unmoved camera and steady light."""
    nuisances: bool = True
    """Exposure, white balance, gamma, noise, blur, JPEG and vignetting, see nuisance.py."""


class _Stock:
    """What the scenes of one split draw from: texture bank and billboards."""

    def __init__(
        self, recipe: ScenesRecipe, seed: int, split: str, textures: Pool | None, cutouts: Pool | None
    ):
        rng = np.random.default_rng([seed, 7002, SPLITS.index(split)])
        first = SPLITS.index(split) * recipe.tiles
        tiles = [procedural_tile(seed, first + k) for k in range(recipe.tiles)]
        tiles += [photo_tile(photo(asset), rng) for asset in textures.of(split)] if textures else []
        self.num_procedural = recipe.tiles
        self.bank = TextureBank(tiles)
        self.cutouts: tuple[Asset, ...] = cutouts.of(split) if cutouts else ()
        self.boards = torch.from_numpy(np.stack([_board(a) for a in self.cutouts])) if self.cutouts else None

    def palette(self, rng: Rng) -> Palette:
        return Palette(rng, self.bank.count, self.num_procedural)


def _board(asset: Asset) -> np.ndarray:
    """float32 (4, CUTOUT_SIDE, CUTOUT_SIDE): linear RGB and alpha in [0, 1], stretched to the square."""
    square = cv2.resize(cutout(asset), (CUTOUT_SIDE, CUTOUT_SIDE), interpolation=cv2.INTER_AREA)
    square = square.astype(np.float32) / 255
    colour = np.clip(square[..., :3] / np.maximum(square[..., 3:], 1 / 255), 0, 1) ** 2.2
    return np.concatenate([colour, square[..., 3:]], 2).transpose(2, 0, 1)


class ScenesMaker:
    """Makes the samples of a ScenesRecipe; sample i depends on (recipe, seed, i) alone."""

    def __init__(self, recipe: ScenesRecipe, seed: int, skip_bad: bool = False):
        self.recipe, self.seed, self.count = recipe, seed, recipe.count
        pool = functools.partial(load_pool, shares=recipe.shares, skip_bad=skip_bad)
        self.textures = pool(recipe.textures, "background") if recipe.textures else None
        self.cutouts = pool(recipe.cutouts, "foreground") if recipe.cutouts else None
        self._stocks: dict[str, _Stock] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Worker processes build their own textures: cheaper than sending them."""
        return self.__dict__ | {"_stocks": {}}

    @property
    def left_out(self) -> list[dict[str, str]]:
        """One record per photo and cut-out that cannot be used."""
        return [record for pool in (self.textures, self.cutouts) if pool for record in pool.left_out]

    def split_of(self, index: int) -> str:
        """The split of a sample."""
        return self.recipe.split_of(index)

    def describe(self) -> dict[str, Any]:
        """The recipe for index.json: folders by content, so that they may move; torch by version."""
        recipe = dataclasses.asdict(self.recipe)
        recipe |= {
            "textures": self.textures and self.textures.describe(),
            "cutouts": self.cutouts and self.cutouts.describe(),
        }
        return {"maker": "scenes", "torch": torch.__version__} | recipe

    def provenance(self) -> list[dict[str, str]]:
        """One row per texture and cut-out; what is drawn by procedures has none."""
        return [row for pool in (self.textures, self.cutouts) if pool for row in pool.provenance()]

    def make(self, index: int) -> Sample:
        """The sample: uint8 (size, size, 3) photos, mask float32 in [0, 1], depth float32 in metres."""
        split = self.split_of(index)
        stock = self._stock(split)
        rng = np.random.default_rng([self.seed, index])
        scene, names = self._draw_visible(stock, rng)
        with torch.inference_mode():
            brightness = [log_uniform(rng, 0.08, 0.38)]
            rendered = render([scene], self.recipe.size, stock.bank, stock.boards, brightness, "cpu")
        background, image = self._photos(rendered, rng)
        meta = {
            "id": f"scenes-{self.seed}-{index:07d}",
            "source": "scenes",
            "split": split,
            "seed": self.seed,
        }
        meta |= {"index": index, "background_id": f"scene-{self.seed}-{index}", "foreground_ids": names}
        mask, depth = rendered.mask[0].numpy(), rendered.depth[0].numpy()
        return Sample(
            background=background, image=image, mask=mask, depth=depth, depth_kind="metric", meta=meta
        )

    def _stock(self, split: str) -> _Stock:
        if split not in self._stocks:
            self._stocks[split] = _Stock(self.recipe, self.seed, split, self.textures, self.cutouts)
        return self._stocks[split]

    def _draw_visible(self, stock: _Stock, rng: Rng) -> tuple[Scene, list[str]]:
        """A scene that is empty on purpose, or one in which enough of what was added is seen."""
        empty = bool(rng.random() < self.recipe.empty_share)
        for _ in range(TRIES):
            scene, names = self._draw(stock, rng, empty=empty)
            if (
                empty
                or self.recipe.area[0] <= added_share(scene, stock.bank, stock.boards) <= self.recipe.area[1]
            ):
                break
        return scene, names

    def _draw(self, stock: _Stock, rng: Rng, *, empty: bool) -> tuple[Scene, list[str]]:
        palette = stock.palette(rng)
        place = layout.draw_place(palette, rng)
        added, names = ([], []) if empty else self._add(place, stock, palette, rng)
        disturbed = rng.random() >= self.recipe.calm_share
        return layout.finish(place, added, palette, rng, disturbed=disturbed), names

    def _add(
        self, place: Place, stock: _Stock, palette: Palette, rng: Rng
    ) -> tuple[list[Primitive], list[str]]:
        added: list[Primitive] = []
        names: list[str] = []
        wanted = int(rng.integers(1, self.recipe.most_added + 1))
        for _ in range(TRIES):
            if len(names) >= wanted:
                break
            if stock.cutouts and rng.random() < self.recipe.billboard_share:
                new, name = self._billboard(place, stock, rng)
            else:
                new, name = layout.furnish(place, 1, self.recipe.apparent, palette, rng, added=True), "thing"
            if new and len(added) + len(new) <= layout.MAX_ADDED:
                added += self._camouflaged(new, place, rng)
                names.append(name)
        return added, names

    def _camouflaged(self, primitives: list[Primitive], place: Place, rng: Rng) -> list[Primitive]:
        """Now and then the thing wears a surface of the background."""
        if rng.random() >= self.recipe.camouflage_share or primitives[0].kind == "billboard":
            return primitives
        worn = place.primitives[int(rng.integers(0, len(place.primitives)))].surface
        return [dataclasses.replace(p, surface=worn) for p in primitives]

    def _billboard(self, place: Place, stock: _Stock, rng: Rng) -> tuple[list[Primitive], str]:
        """A cut-out standing upright and facing the camera, more or less."""
        which = int(rng.integers(0, len(stock.cutouts)))
        tall, wide = cutout(stock.cutouts[which]).shape[:2]
        height = log_uniform(rng, 0.1, 0.4) if place.kinds == ("small",) else log_uniform(rng, 0.3, 1.9)
        spot = layout.find_spot(place, height, self.recipe.apparent, rng)
        if spot is None:
            return [], ""
        place.taken.append((spot, 0.3 * height))
        forward = place.camera.rotation[:, 2]
        yaw = np.degrees(np.arctan2(-forward[0], -forward[2])) + rng.normal(0, 15) + rng.choice([0, 180])
        half = np.array([height * wide / tall / 2, height / 2, 0.01])
        surface = Surface(tile=which, tile_m=1.0, base=np.zeros(3), contrast=0.0)
        board = Primitive(
            kind="billboard", centre=spot + np.array([0, height / 2, 0]), half=half, rotation=rotation(yaw),
            surface=surface, added=True,
        )  # fmt: skip
        return [board], stock.cutouts[which].identity

    def _photos(self, rendered: Rendered, rng: Rng) -> tuple[np.ndarray, np.ndarray]:
        photos = [_to_uint8(p[0]) for p in (rendered.background, rendered.image)]
        if not self.recipe.nuisances:
            return photos[0], photos[1]
        first, second = nuisance.draw_pair(rng)
        return nuisance.apply(photos[0], first, rng), nuisance.apply(photos[1], second, rng)


def _to_uint8(photo: torch.Tensor) -> np.ndarray:
    """(3, S, S) in [0, 1] -> uint8 (S, S, 3)."""
    return photo.mul(255).round().byte().permute(1, 2, 0).contiguous().numpy()
