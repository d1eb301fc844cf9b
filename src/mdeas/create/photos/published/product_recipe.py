"""The recipe of the published data sets: every background with every foreground at every place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from mdeas.create.photos.recipe import CompositeRecipe


@dataclass(frozen=True, kw_only=True)
class ProductRecipe(CompositeRecipe):
    """Make num_backgrounds x num_foregrounds x 2 (plain, mirrored) x `places` composites.

    With `split: identity` each split combines only its own backgrounds and foregrounds.
    """

    split: Literal["identity", "rows"] = "identity"
    """identity: each asset belongs to one split. rows: composites are drawn, as in the published systems."""
    count: int | None = None
    """Make only this many: the first of a permutation that the seed decides; None = all, in order."""
    places: int = 20
    """Places of each foreground, plain and mirrored, on each background."""
    position: Literal["anywhere", "offset", "grid"] = "anywhere"
    """Upper left corner: drawn, drawn within `offset_px`, or a point of `grid`; see positions.py."""
    offset_px: tuple[int, int] = (1, 80)
    """Least and greatest offset from the picture's upper left corner, down and right."""
    grid: tuple[int, int] = (5, 4)
    """Columns and rows of positions."""
    long_side_px: tuple[int, int] = (150, 150)
    """Least and greatest long side of the cut-outs at scale 1; drawn once per cut-out."""
    scales: tuple[float, ...] = (1.0,)
    """Each scale gets an equal number of the places."""
    through_px: tuple[tuple[int, int], ...] = ()
    """Widths and heights: compose at the first, resize to each next and to `size`; () = compose at `size`."""
    mask: Literal["alpha", "sure", "nonzero", "morphological"] = "alpha"
    """How the alpha becomes the mask; see masks.py."""
    photo_quality: int = 95
    """JPEG quality of background and image, 1 to 100."""

    def _rules(self) -> Iterator[tuple[str, bool]]:
        yield from super()._rules()
        yield f"count is {self.count}; give at least 1", self.count is None or self.count >= 1
        yield (
            f"scales is {self.scales}; give numbers above 0, at most 1",
            all(0 < scale <= 1 for scale in self.scales),
        )
        num = len(self.scales)
        yield (
            f"places is {self.places}; give a multiple of the number of scales, {num}",
            num > 0 and self.places % num == 0 < self.places,
        )
        on_grid = self.position != "grid" or self.grid[0] * self.grid[1] == self.places_per_scale
        yield (
            f"grid is {self.grid}; columns x rows must be {self.places_per_scale}, the places per scale",
            on_grid,
        )
        yield (
            f"through_px is {self.through_px}; give widths and heights of at least 1",
            all(side >= 1 for step in self.through_px for side in step),
        )
        low, high = self.long_side_px
        yield (
            f"long_side_px is {self.long_side_px}; give 1 <= least <= greatest <= {min(self.made_px)}",
            1 <= low <= high <= min(self.made_px),
        )
        yield (
            f"offset_px is {self.offset_px}; give 0 <= least <= greatest",
            0 <= self.offset_px[0] <= self.offset_px[1],
        )
        yield f"photo_quality is {self.photo_quality}; give 1 to 100", 1 <= self.photo_quality <= 100

    @property
    def made_px(self) -> tuple[int, int]:
        """Width and height at which composites are composed."""
        return self.through_px[0] if self.through_px else (self.size, self.size)

    @property
    def places_per_scale(self) -> int:
        """Number of places at each scale."""
        return self.places // len(self.scales)
