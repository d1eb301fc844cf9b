"""The recipe of composites: what `mdeas create photos` may be told."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from mdeas.errors import UsageError

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
class PhotosRecipe:
    """What composites are made of. Every share is a probability in [0, 1]."""

    backgrounds: Path
    """Folder of photographs."""
    foregrounds: Path
    """Folder of RGBA cut-outs."""
    count: int = 1000
    """Samples: first those of train, then validation, then test."""
    size: int = 160
    """Side of the square pictures in pixels."""
    validation_share: float = 0.05
    """Share of the assets, and unless `validation_count` says otherwise of the samples."""
    test_share: float = 0.2
    """Likewise, for the test split."""
    validation_count: int | None = None
    """Samples of the validation split."""
    test_count: int | None = None
    """Samples of the test split."""
    split: Literal["identity", "rows"] = "identity"
    """identity: no photo or cut-out of one split is in another. rows: all are in all, as it was published."""

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

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.name.endswith("_share") and not 0 <= value <= 1:
                raise UsageError("E-RECIPE", f"{field.name} is {value}; a share lies between 0 and 1.")
        for rule, holds in self._rules():
            if not holds:
                raise UsageError("E-RECIPE", f"{rule}.")

    def _rules(self):
        yield f"count is {self.count}; at least 1", self.count >= 1
        yield f"size is {self.size}; from 16 to 2048", 16 <= self.size <= 2048
        yield f"area is {self.area}; 0 < least <= greatest <= 1", 0 < self.area[0] <= self.area[1] <= 1
        yield f"scales is {self.scales}; above 0, at least one", bool(self.scales) and min(self.scales) > 0
        yield f"crop_min is {self.crop_min}; above 0, at most 1", 0 < self.crop_min <= 1
        counts = self.counts
        yield f"validation and test make {counts}; more than count {self.count}", min(counts.values()) >= 0

    @property
    def counts(self) -> dict[str, int]:
        """Samples per split."""
        validation, test = (
            round(share * self.count) if number is None else number
            for number, share in (
                (self.validation_count, self.validation_share),
                (self.test_count, self.test_share),
            )
        )
        return {"train": self.count - validation - test, "validation": validation, "test": test}
