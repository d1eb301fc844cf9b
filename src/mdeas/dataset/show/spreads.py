"""How the foreground and the depth of many samples are spread."""

from dataclasses import dataclass, field

import cv2
import numpy as np

from mdeas.sample import Sample

SHARE_EDGES = np.linspace(0, 1, 51)
AREA_EDGES = np.geomspace(1e-4, 1, 41)  # half of the foregrounds cover less than a tenth of the picture
DEPTH_EDGES_M = np.geomspace(0.1, 100, 61)
PLACES = 64  # cells of the heat map in each direction
_MOST_DEPTHS = 10_000  # pixels of a picture that are counted
_FOREGROUND = 0.5  # alpha from which a pixel counts for the bounding box


@dataclass
class Spreads:
    """Histograms of the samples that were added; the last bin includes its upper edge."""

    area: dict[str, np.ndarray] = field(default_factory=dict)
    """int64 (40,) for each split: samples by mean alpha, in AREA_EDGES; empty ones are not counted."""
    scale: dict[str, np.ndarray] = field(default_factory=dict)
    """int64 (50,) for each split: samples by long side of the bounding box / of the picture, SHARE_EDGES."""
    depth_m: np.ndarray = field(default_factory=lambda: np.zeros(60, np.int64))
    """int64 (60,): known pixels by metres, in DEPTH_EDGES_M; what lies outside counts for the end bins."""
    inverse_depth: dict[str, np.ndarray] = field(default_factory=dict)
    """int64 (50,) for each kind: known pixels by inverse depth / largest of the picture, in SHARE_EDGES."""
    place: np.ndarray = field(default_factory=lambda: np.zeros((PLACES, PLACES)))
    """float64 (64, 64): sum of alpha at each place of the picture."""
    num_masks: int = 0

    def add(self, sample: Sample) -> None:
        """Count `sample` in."""
        if sample.mask is not None:
            self._add_mask(sample.mask, sample.meta["split"])
        if sample.inverse_depth is not None:
            self._add_depth(sample)

    def _add_mask(self, mask: np.ndarray, split: str) -> None:
        self.num_masks += 1
        self.place += cv2.resize(mask, (PLACES, PLACES), interpolation=cv2.INTER_AREA)
        area = float(mask.mean())
        if area > 0:
            _count(self.area, split, np.array([max(area, AREA_EDGES[0])]), AREA_EDGES)
        box = cv2.boundingRect((mask >= _FOREGROUND).view(np.uint8))
        if max(box[2:]):
            _count(self.scale, split, np.array([max(box[2:]) / max(mask.shape)]), SHARE_EDGES)

    def _add_depth(self, sample: Sample) -> None:
        known = sample.inverse_depth[sample.depth_known]  # type: ignore[index]
        inverse_depth = known[:: 1 + len(known) // _MOST_DEPTHS]
        if not len(inverse_depth):
            return
        if sample.depth_kind == "metric":
            metres = (1 / inverse_depth).clip(DEPTH_EDGES_M[0], DEPTH_EDGES_M[-1])
            self.depth_m += np.histogram(metres, DEPTH_EDGES_M)[0]
        largest = max(float(known.max()), float(np.finfo(np.float32).tiny))
        _count(self.inverse_depth, sample.depth_kind, inverse_depth / largest, SHARE_EDGES)


def _count(table: dict[str, np.ndarray], key: str, values: np.ndarray, edges: np.ndarray) -> None:
    table[key] = table.get(key, 0) + np.histogram(values, edges)[0]
