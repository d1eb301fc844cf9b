"""What is known of one predicted photo; the files that `mdeas predict` writes are made from it."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mdeas.camera.metres import MetricDepth
from mdeas.camera.rays import Pinhole
from mdeas.images.levels import to_uint8
from mdeas.images.photo import Photo
from mdeas.images.sheets import robust_range
from mdeas.runtime.predictor import Prediction
from mdeas.subject.depths import SplitDepth


@dataclass(frozen=True, kw_only=True)
class PredictedPhoto:
    """A photo and all that was found out about it."""

    photo: Photo
    background: np.ndarray
    """uint8, the shape of photo.view: the background photo, brought to fit."""
    prediction: Prediction
    """Of (background, photo.view)."""
    facts: dict[str, object]
    """What every JSON file repeats: image, background, model, warnings, pair."""
    metric: MetricDepth | None = None
    """Its depth in metres; None without a calibration."""
    split: SplitDepth | None = None
    """Depth of subject and backdrop; None unless a file needs it."""
    pinhole: Pinhole | None = None
    """The camera of the whole photo; None unless a file needs it."""

    @cached_property
    def alpha(self) -> np.ndarray:
        """The mask as uint8 (h, w)."""
        return to_uint8(self.prediction.mask)

    @cached_property
    def colour_ends(self) -> tuple[float, float]:
        """Least and greatest inverse depth for the colours of a depth map, see images.sheets.colorize."""
        return robust_range(self.prediction.depth)
