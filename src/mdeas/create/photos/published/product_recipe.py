"""The recipe of the published data sets: every background with every foreground, at every place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mdeas.create.photos.recipe import Layers


@dataclass(frozen=True, kw_only=True)
class ProductRecipe(Layers):
    """num_backgrounds x num_foregrounds x 2 (mirrored or not) x `places` composites.

    With `split: identity` each split is the product of its own backgrounds and foregrounds, which are fewer.
    """

    count: int | None = None
    """Only so many of all: the first of a permutation that the seed decides; None = all, in order."""
    places: int = 20
    """Of each foreground, plain and mirrored, on each background."""
    position: Literal["anywhere", "offset", "grid"] = "anywhere"
    """Of the upper left corner: drawn, drawn within `offset_px`, or one of `grid`; see positions.py."""
    offset_px: tuple[int, int] = (1, 80)
    """Least and greatest offset from the picture's upper left corner, down and right."""
    grid: tuple[int, int] = (5, 4)
    """Columns and rows of positions."""
    long_side_px: tuple[int, int] = (150, 150)
    """Least and greatest long side of the cut-outs at scale 1; each cut-out has its own, drawn once."""
    scales: tuple[float, ...] = (1.0,)
    """Each for an equal number of the places."""
    through_px: tuple[tuple[int, int], ...] = ()
    """Widths and heights: composed at the first, resized to each next and to `size`; none = at `size`."""
    mask: Literal["alpha", "sure", "nonzero", "morphological"] = "alpha"
    """What becomes of the alpha; see masks.py."""
    photo_quality: int = 95
    """JPEG quality of background and image, 1 to 100."""

    def _rules(self):
        yield from super()._rules()
        yield f"count is {self.count}; at least 1", self.count is None or self.count >= 1
        yield f"scales is {self.scales}; in (0, 1]", all(0 < scale <= 1 for scale in self.scales)
        num = len(self.scales)
        yield (
            f"places is {self.places}; a multiple of {num} scales",
            num > 0 and self.places % num == 0 < self.places,
        )
        on_grid = self.position != "grid" or self.grid[0] * self.grid[1] == self.places_a_scale
        yield f"grid is {self.grid}; columns x rows = {self.places_a_scale} places", on_grid
        low, high = self.long_side_px
        yield (
            f"long_side_px is {self.long_side_px}; ordered, within the picture",
            1 <= low <= high <= min(self.made_px),
        )
        yield f"offset_px is {self.offset_px}; ordered, from 0", 0 <= self.offset_px[0] <= self.offset_px[1]
        yield f"photo_quality is {self.photo_quality}; from 1 to 100", 1 <= self.photo_quality <= 100

    @property
    def made_px(self) -> tuple[int, int]:
        """Width and height at which it is composed."""
        return self.through_px[0] if self.through_px else (self.size, self.size)

    @property
    def places_a_scale(self) -> int:
        """Places at each scale."""
        return self.places // len(self.scales)
