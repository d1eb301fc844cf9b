"""Folders of small pictures for the makers of composites, and depths for them."""

from dataclasses import dataclass

import cv2
import numpy as np

from mdeas.create import assets
from mdeas.images.codec import write_png


def make_folders(root, num_backgrounds, num_foregrounds):
    """Write dark smooth photographs, whose grey is their inverse depth, and bright cut-outs."""
    rng = np.random.default_rng(0)
    for k in range(num_backgrounds):
        small = rng.integers(20, 100, (4, 5)).astype(np.uint8)
        grey = cv2.resize(small, (120, 90), interpolation=cv2.INTER_LINEAR)
        write_png(root / "bg" / f"{k}.png", np.dstack([grey] * 3))
    for k in range(num_foregrounds):
        rgba = np.zeros((60, 70, 4), np.uint8)
        rgba[..., :3] = rng.integers(200, 256, 3)
        cv2.ellipse(rgba, (35, 30), (14 + k, 28), 0, 0, 360, (*rgba[0, 0, :3].tolist(), 255), -1)
        write_png(root / "fg" / f"{k}.png", rgba)
    return {"backgrounds": root / "bg", "foregrounds": root / "fg"}


@dataclass
class GreyDepths:
    """LayerDepths from grey: brighter pixels of photos are nearer; cut-outs are nearer at the right."""

    kind: str = "relative"
    far: float = 0.0
    """Below this grey, depth is unknown."""

    def of_photo(self, asset):
        return self._of(assets.load_photo(asset))

    def of_composites(self, images):
        return [self._of(image) for image in images]

    def _of(self, picture):
        grey = picture[..., 0].astype(np.float32)
        grey = np.where(grey < self.far, 0, grey) / 100
        if self.kind == "relative":
            return grey
        return np.divide(1, grey, out=np.zeros_like(grey), where=grey > 0)

    def of_cutout(self, asset):
        height, width = assets.load_cutout(asset).shape[:2]
        return np.tile(np.arange(width, dtype=np.float32), (height, 1))

    def describe(self):
        return {"kind": self.kind}

    def provenance(self):
        return [{"kind": "model", "name": "grey", "sha256": "0" * 64}]
