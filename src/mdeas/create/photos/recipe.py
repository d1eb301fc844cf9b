"""The recipe of composites: what `mdeas create photos` may be told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from mdeas.create.splits import Shares, SplitRecipe

LAYERED = ("layered", "rgbd")
"""Teachers that know the depth of each photo and cut-out by itself, so that a composite's is assembled."""

PUBLISHED: dict[str, Any] = {
    "sizing": "scales",
    "more_share": 0.0,
    "cut_share": 0.0,
    "empty_share": 0.0,
    "texture_share": 0.0,
    "blend_share": 0.0,
    "furniture_share": 0.0,
    "rotation_deg": 0.0,
    "aspect_jitter": 0.0,
    "colour_jitter": 0.0,
    "crop_min": 1.0,
    "camera_share": 0.0,
    "shadow_share": 0.0,
    "light_share": 0.0,
    "nuisances": False,
}
"""The fields of PhotosRecipe that give the plain composites of the published systems."""


@dataclass(frozen=True, kw_only=True)
class Layers(Shares):
    """What every composite is made of: two folders, and what tells its depth."""

    backgrounds: Path
    """Folder of photographs."""
    foregrounds: Path
    """Folder of RGBA cut-outs."""
    teacher: Literal["none", "layered", "composite", "rgbd"] = "none"
    """layered: a network sees each photo and each cut-out once. composite: it sees every finished image.
    rgbd: photos bring a sensor's depth. none: no depth."""
    depth_model: str | None = None
    """Hugging Face depth model of the teacher: name or local folder; None = depth_model.DEFAULT."""

    @property
    def background_shares(self) -> dict[str, float] | None:
        """As `shares`, for the photographs."""
        return self.shares


@dataclass(frozen=True, kw_only=True)
class PhotosRecipe(SplitRecipe, Layers):
    """How composites are drawn. Every share is a probability in [0, 1]."""

    split: Literal["identity", "foregrounds", "rows"] = "identity"
    """identity: no asset of one split is in another. foregrounds: no cut-out is. rows: all are in all."""
    placement: Literal["random", "standing"] = "random"
    """standing: on a surface of the background, as large as it is there; its teacher must know its depth."""
    sizing: Literal["area", "scales"] = "area"
    """area: draw the share of the picture that is covered. scales: draw one of `scales`."""
    area: tuple[float, float] = (0.003, 0.6)
    """Least and greatest share of the picture that is covered, before the border cuts."""
    scales: tuple[float, ...] = (1.0, 0.8, 0.6, 0.4)
    """Sizes relative to 150 px in a picture of 224 px."""
    more_share: float = 0.2
    """Chance that one more thing is added after the first, and again after the second."""
    cut_share: float = 0.25
    """Things that the border may cut."""
    empty_share: float = 0.05
    """Pairs in which nothing is added."""

    rotation_deg: float = 15.0
    """Cut-outs are turned by up to this."""
    aspect_jitter: float = 0.2
    """Greatest logarithm of width over height by which cut-outs and crops are stretched."""
    colour_jitter: float = 0.15
    """Spread of the cut-outs' hue (radians), saturation and brightness (logarithms)."""
    texture_share: float = 0.15
    """Things that show a piece of another photograph inside their outline."""
    blend_share: float = 0.15
    """Things whose colour is moved most of the way to the background behind them."""
    furniture_share: float = 0.15
    """Pairs with a cut-out in both photos: pasted, and yet nothing new."""

    crop_min: float = 0.5
    """Least share of the background photo's short side that is seen."""
    camera_share: float = 0.5
    """Pairs whose camera moved by up to 1 % of the width, 1 degree and 0.5 % in zoom."""
    shadow_share: float = 0.5
    """Things that cast a shadow."""
    light_share: float = 0.3
    """Pairs between whose photos the light changed."""
    nuisances: bool = True
    """Exposure, white balance, gamma, noise, blur, JPEG and vignetting, see nuisance.py."""

    def _rules(self):
        yield from super()._rules()
        yield f"area is {self.area}; 0 < least <= greatest <= 1", 0 < self.area[0] <= self.area[1] <= 1
        yield f"scales is {self.scales}; above 0, at least one", bool(self.scales) and min(self.scales) > 0
        grounded = self.placement == "random" or self.teacher in LAYERED
        yield f"placement is standing and teacher {self.teacher}; one of {', '.join(LAYERED)}", grounded
        yield f"crop_min is {self.crop_min}; above 0, at most 1", 0 < self.crop_min <= 1

    @property
    def background_shares(self) -> dict[str, float] | None:
        """As `shares`, for the photographs."""
        return None if self.split == "foregrounds" else self.shares
