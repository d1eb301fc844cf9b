"""Histograms of many samples: area, size and position of the foreground, depth."""

from dataclasses import dataclass, field

import cv2
import numpy as np

from mdeas.sample import Sample

SHARE_EDGES = np.linspace(0, 1, 51)
AREA_EDGES = np.geomspace(1e-4, 1, 41)  # half of the foregrounds cover less than a tenth of the picture
DEPTH_EDGES_M = np.geomspace(0.1, 100, 61)
CELLS = 64  # of the heat map, in each direction
_MAX_PIXELS = 10_000  # of a depth map that are counted
_FOREGROUND = 0.5  # least alpha of a pixel in the bounding box


@dataclass
class Histograms:
    """Histograms of all samples that were added; the last bin includes its upper edge."""

    area: dict[str, np.ndarray] = field(default_factory=dict)
    """int64 (40,) for each split: samples by mean alpha, bins AREA_EDGES; empty pairs are left out."""
    scale: dict[str, np.ndarray] = field(default_factory=dict)
    """int64 (50,) for each split: samples by long side of the bounding box / of the picture, bins
    SHARE_EDGES."""
    depth_m: np.ndarray = field(default_factory=lambda: np.zeros(60, np.int64))
    """int64 (60,): known pixels by metres, bins DEPTH_EDGES_M; values outside count for the end bins."""
    inverse_depth: dict[str, np.ndarray] = field(default_factory=dict)
    """int64 (50,) for each kind: known pixels by inverse depth / largest of the picture, bins SHARE_EDGES."""
    heat_map: np.ndarray = field(default_factory=lambda: np.zeros((CELLS, CELLS)))
    """float64 (64, 64): sum of alpha in each cell of the heat map."""
    num_masks: int = 0

    def add(self, sample: Sample) -> None:
        """Add a sample."""
        if sample.mask is not None:
            self._add_mask(sample.mask, sample.meta["split"])
        if sample.inverse_depth is not None:
            self._add_depth(sample)

    def _add_mask(self, mask: np.ndarray, split: str) -> None:
        self.num_masks += 1
        self.heat_map += cv2.resize(mask, (CELLS, CELLS), interpolation=cv2.INTER_AREA)
        area = float(mask.mean())
        if area > 0:
            _count(self.area, split, np.array([max(area, AREA_EDGES[0])]), AREA_EDGES)
        box = cv2.boundingRect((mask >= _FOREGROUND).view(np.uint8))
        if max(box[2:]):
            _count(self.scale, split, np.array([max(box[2:]) / max(mask.shape)]), SHARE_EDGES)

    def _add_depth(self, sample: Sample) -> None:
        known = sample.inverse_depth[sample.depth_known]  # type: ignore[index]
        inverse_depth = known[:: 1 + len(known) // _MAX_PIXELS]
        if not len(inverse_depth):
            return
        if sample.depth_kind == "metric":
            metres = (1 / inverse_depth).clip(DEPTH_EDGES_M[0], DEPTH_EDGES_M[-1])
            self.depth_m += np.histogram(metres, DEPTH_EDGES_M)[0]
        largest = max(float(known.max()), float(np.finfo(np.float32).tiny))
        _count(self.inverse_depth, sample.depth_kind, inverse_depth / largest, SHARE_EDGES)


def _count(table: dict[str, np.ndarray], key: str, values: np.ndarray, edges: np.ndarray) -> None:
    table[key] = table.get(key, 0) + np.histogram(values, edges)[0]
