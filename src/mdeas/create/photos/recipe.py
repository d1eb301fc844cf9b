"""Recipes of composites: the fields of `mdeas create photos`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mdeas.create.splits import Shares, SplitRecipe

LAYERED = ("layered", "rgbd")
"""Teachers that give the depth of each photo and each cut-out by itself."""


@dataclass(frozen=True, kw_only=True)
class CompositeRecipe(Shares):
    """Fields of every recipe of composites: two folders, and the source of depth."""

    backgrounds: Path
    """Folder of photographs."""
    foregrounds: Path
    """Folder of RGBA cut-outs."""
    teacher: Literal["none", "layered", "composite", "rgbd"] = "none"
    """Source of depth. layered: a network sees each photo and each cut-out once. composite: a network sees
    every finished image. rgbd: a sensor's depth.png beside each photo. none: no depth."""
    depth_model: str | None = None
    """Depth network of Hugging Face, by name or local folder; None = DEFAULT of create/depth/model.py."""

    @property
    def background_shares(self) -> dict[str, float] | None:
        """Like `shares`, for the photographs."""
        return self.shares


@dataclass(frozen=True, kw_only=True)
class PhotosRecipe(SplitRecipe, CompositeRecipe):
    """How composites are drawn. Every field `..._share` is a probability in [0, 1]."""

    placement: Literal["random", "standing"] = "random"
    """random: anywhere. standing: on a surface of the background, at a plausible size; needs the teacher
    layered or rgbd."""
    sizing: Literal["area", "scales"] = "area"
    """area: draw the covered share of the picture from `area`. scales: draw one of `scales`."""
    area: tuple[float, float] = (0.003, 0.6)
    """Least and greatest covered share of the picture, before the border cuts."""
    scales: tuple[float, ...] = (1.0, 0.8, 0.6, 0.4)
    """Sizes relative to 150 px in a picture of 224 px."""
    more_share: float = 0.2
    """Probability of a second foreground, and then of a third."""
    cut_share: float = 0.25
    """Share of the foregrounds that the border may cut."""
    empty_share: float = 0.05
    """Share of the pairs without a foreground."""

    rotation_deg: float = 15.0
    """Greatest rotation of a cut-out, either way."""
    aspect_jitter: float = 0.2
    """Greatest change of log(width / height) of cut-outs and crops."""
    colour_jitter: float = 0.15
    """Standard deviation of changes in a cut-out's hue (radians), saturation and brightness (log)."""
    texture_share: float = 0.15
    """Share of the foregrounds whose colours are replaced by a crop of another photograph."""
    blend_share: float = 0.15
    """Share of the foregrounds whose mean colour is moved towards the background behind them."""
    furniture_share: float = 0.15
    """Share of the pairs with a cut-out in both photos, which the mask leaves out."""

    crop_min: float = 0.5
    """Least share of the background photo's short side that a crop shows."""
    camera_share: float = 0.5
    """Share of the pairs whose camera moves, by up to 1 % of the width, 1 degree and 0.5 % in zoom."""
    shadow_share: float = 0.5
    """Share of the foregrounds that cast a shadow."""
    light_share: float = 0.3
    """Share of the pairs whose light changes between the photos."""
    nuisances: bool = True
    """Add the faults of cameras to both photos: exposure, white balance, noise, blur, JPEG, vignetting."""

    def _rules(self) -> Iterator[tuple[str, bool]]:
        yield from super()._rules()
        yield f"area is {self.area}; give 0 < least <= greatest <= 1", 0 < self.area[0] <= self.area[1] <= 1
        yield (
            f"scales is {self.scales}; give at least one, all above 0",
            bool(self.scales) and min(self.scales) > 0,
        )
        yield (
            f"placement is standing and teacher is {self.teacher}; set teacher to {' or '.join(LAYERED)}",
            self.placement == "random" or self.teacher in LAYERED,
        )
        yield f"crop_min is {self.crop_min}; give above 0, at most 1", 0 < self.crop_min <= 1
        for name in ("rotation_deg", "aspect_jitter", "colour_jitter"):
            yield f"{name} is {getattr(self, name)}; give at least 0", getattr(self, name) >= 0

    @property
    def background_shares(self) -> dict[str, float] | None:
        """Like `shares`, for the photographs."""
        return None if self.split == "foregrounds" else self.shares
