"""The maker of rendered pairs: exact masks, exact metric depth, consistent light and shadows."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import torch

from mdeas.create.assets import load_cutout
from mdeas.create.scenes.draw import boxes, layout
from mdeas.create.scenes.draw.place import Place
from mdeas.create.scenes.recipe import ScenesRecipe
from mdeas.create.scenes.render.render import Rendered, added_share, render
from mdeas.create.scenes.scene import Palette, Primitive, Rng, Scene, Surface, log_uniform, rotation
from mdeas.create.scenes.stock import Stock, load_files
from mdeas.images import camera_faults
from mdeas.sample import Sample

TRIES = 6
"""Greatest number of draws of a scene until the recipe's `area` holds, and of attempts to add things."""
_SPOTS = 6  # points tried for each cut-out


class ScenesMaker:
    """Make the samples of a ScenesRecipe; sample i depends on (recipe, seed, i) alone."""

    def __init__(self, recipe: ScenesRecipe, seed: int, skip_bad: bool = False):
        """Find the files. Errors: those of `stock.load_files`."""
        self.recipe, self.seed, self.count = recipe, seed, recipe.count
        self.files = load_files(recipe, skip_bad)
        self._stocks: dict[str, Stock] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Leave the textures out: a worker process builds its own, which costs less than sending them."""
        return self.__dict__ | {"_stocks": {}}

    @property
    def left_out(self) -> list[dict[str, str]]:
        """List one record per photo, cut-out and mesh that cannot be used."""
        return [record for pool in self.files.pools for record in pool.left_out]

    def split_of(self, index: int) -> str:
        """Return the split of sample `index`."""
        return self.recipe.split_of(index)

    def describe(self) -> dict[str, Any]:
        """Describe the recipe and the version of torch; folders by name and content, so they may move."""
        recipe = dataclasses.asdict(self.recipe) | self.files.describe()
        if not self.recipe.assets:  # as in older data sets, whose recipe has no such fields
            del recipe["assets"], recipe["mesh_share"]
        return {"maker": "scenes", "torch": torch.__version__} | recipe

    def provenance(self) -> list[dict[str, str]]:
        """List one row per texture, cut-out and mesh file; procedural textures have none."""
        return [row for pool in self.files.pools for row in pool.provenance()]

    def make(self, index: int) -> Sample:
        """Make sample `index`: photos uint8 RGB (size, size, 3); mask float32 (size, size) in [0, 1]; depth
        float32 (size, size) in metres, at most render.FAR_M.

        Errors: those of `Stock`; InputError E-MESH for a mesh that cannot be used.
        """
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

    def _stock(self, split: str) -> Stock:
        """Return the stock of a split; a process loads it once."""
        if split not in self._stocks:
            self._stocks[split] = Stock(self.recipe, self.seed, split, self.files)
        return self._stocks[split]

    def _draw_visible(self, stock: Stock, rng: Rng) -> tuple[Scene, list[str]]:
        """Draw a scene without added things, or one whose added things are visible enough.

        Output: the scene and the identities of its added things. After TRIES draws the last one is taken.
        """
        empty = bool(rng.random() < self.recipe.empty_share)
        least, greatest = self.recipe.area
        for _ in range(TRIES):
            scene, names = self._draw(stock, rng, empty=empty)
            if empty or least <= added_share(scene, stock.bank, stock.boards) <= greatest:
                break
        return scene, names

    def _draw(self, stock: Stock, rng: Rng, *, empty: bool) -> tuple[Scene, list[str]]:
        palette = stock.palette(rng)
        place = layout.draw_place(palette, rng, stock.models, self.recipe.places)
        added, names = ([], []) if empty else self._add(place, stock, palette, rng)
        disturbed = rng.random() >= self.recipe.calm_share
        return layout.finish(place, added, palette, rng, disturbed=disturbed), names

    def _add(
        self, place: Place, stock: Stock, palette: Palette, rng: Rng
    ) -> tuple[list[Primitive], list[str]]:
        """Draw the added things: their primitives, and one identity per thing ("thing" if it has no file)."""
        added: list[Primitive] = []
        names: list[str] = []
        wanted = int(rng.integers(1, self.recipe.most_added + 1))
        for _ in range(TRIES):
            if len(names) >= wanted:
                break
            others = [*place.primitives, *added]
            if stock.cutouts and rng.random() < self.recipe.billboard_share:
                new, name = self._billboard(place, stock, others, rng)
            elif stock.models and rng.random() < self.recipe.mesh_share:
                new, name = stock.models.stand(
                    place, self.recipe.apparent, palette, rng, added=True, others=others
                )
            else:
                new = layout.furnish(place, 1, self.recipe.apparent, palette, rng, added=True, beside=added)
                name = "thing"
            if new and len(added) + len(new) <= layout.MAX_ADDED:
                added += self._camouflaged(new, place, rng)
                names.append(name)
        return added, names

    def _camouflaged(self, primitives: list[Primitive], place: Place, rng: Rng) -> list[Primitive]:
        """Give a thing a surface of the background, with probability `camouflage_share`."""
        if rng.random() >= self.recipe.camouflage_share or primitives[0].kind in ("billboard", "mesh"):
            return primitives
        worn = place.primitives[int(rng.integers(0, len(place.primitives)))].surface
        return [dataclasses.replace(p, surface=worn) for p in primitives]

    def _billboard(
        self, place: Place, stock: Stock, others: list[Primitive], rng: Rng
    ) -> tuple[list[Primitive], str]:
        """Place a cut-out that touches nothing; return it with its identity, or ([], "") where none fits."""
        which = int(rng.integers(0, len(stock.cutouts)))
        tall, wide = load_cutout(stock.cutouts[which]).shape[:2]
        height = log_uniform(rng, 0.1, 0.4) if place.kinds == ("small",) else log_uniform(rng, 0.3, 1.9)
        half = np.array([height * wide / tall / 2, height / 2, 0.01])
        for _ in range(_SPOTS):
            spot = place.draw_spot(height, self.recipe.apparent, 0.05, rng)
            if spot is None:
                continue
            board = _board(place, spot, half, which, rng)
            if boxes.clear([board], others, place.camera.position):
                return [board], stock.cutouts[which].identity
        return [], ""

    def _photos(self, rendered: Rendered, rng: Rng) -> tuple[np.ndarray, np.ndarray]:
        """Return background and image, uint8 RGB (size, size, 3), with the recipe's camera faults."""
        background, image = _to_uint8(rendered.background[0]), _to_uint8(rendered.image[0])
        if not self.recipe.nuisances:
            return background, image
        first, second = camera_faults.draw_pair(rng)
        return camera_faults.apply(background, first, rng), camera_faults.apply(image, second, rng)


def _board(place: Place, spot: np.ndarray, half: np.ndarray, which: int, rng: Rng) -> Primitive:
    """Make the billboard of cut-out `which`: it faces the camera roughly, or lies flat if seen from above."""
    forward = place.camera.rotation[:, 2]
    yaw = np.degrees(np.arctan2(-forward[0], -forward[2])) + rng.normal(0, 15) + rng.choice([0, 180])
    lies = place.seen_from_above
    centre = spot + np.array([0, half[2] if lies else half[1], 0])
    surface = Surface(tile=which, tile_m=1.0, base=np.zeros(3), contrast=0.0)
    turn = rotation(yaw, 90.0 if lies else 0.0)
    return Primitive(kind="billboard", centre=centre, half=half, rotation=turn, surface=surface, added=True)


def _to_uint8(photo: torch.Tensor) -> np.ndarray:
    """Convert float (3, S, S) in [0, 1] to uint8 (S, S, 3)."""
    return photo.mul(255).round().byte().permute(1, 2, 0).contiguous().numpy()
