"""The objects in a mask: one entry per connected piece, with its place, its depth and where it stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from mdeas.runtime.predictor import Prediction
from mdeas.system.files import write_json

FORMAT, VERSION = "mdeas-report", 1
MASK_THRESHOLD = 0.5
"""Alpha from which a pixel belongs to an object."""
MIN_AREA_SHARE = 0.0005
"""Pieces that cover a smaller share of the picture are ignored as specks: 12×12 pixels of 640×480."""
_FOOT = 0.05  # share of a piece's height, at its lower end, where it touches what it stands on
_NEAREST = 0.05  # share of a piece's pixels that may be nearer than its nearest depth: outliers at the rim


@dataclass(frozen=True, kw_only=True)
class MaskPiece:
    """A connected piece of a mask (8 neighbours), in pixels of that mask."""

    rows: slice
    columns: slice
    inside: np.ndarray
    """bool (h, w), the piece within its box."""
    area_px: int
    centroid_px: tuple[float, float]
    """(x, y)."""
    contact_px: tuple[int, int]
    """(x, y) of the lowest point: the median column of its lowest row."""
    cut_off: bool
    """It reaches the lower edge of the picture, so its true lowest point is not visible."""

    def of(self, array: np.ndarray) -> np.ndarray:
        """The values of an (H, W) array on the piece, as (N,)."""
        return array[self.rows, self.columns][self.inside]

    def at_foot(self, array: np.ndarray) -> np.ndarray:
        """The same on the lowest twentieth of its height."""
        rows = max(1, round(_FOOT * self.inside.shape[0]))
        return array[self.rows, self.columns][-rows:][self.inside[-rows:]]


def find_pieces(mask: np.ndarray) -> list[MaskPiece]:
    """The pieces of a mask that are no specks, the largest first.

    Input: mask: float32 (H, W) in [0, 1].
    """
    inside = (mask >= MASK_THRESHOLD).astype(np.uint8)
    _, labels, stats, centroids = cv2.connectedComponentsWithStats(inside, connectivity=8)
    found = [
        _piece(labels, number, stats[number], centroids[number])
        for number in range(1, len(stats))
        if stats[number, cv2.CC_STAT_AREA] >= MIN_AREA_SHARE * mask.size
    ]
    return sorted(found, key=lambda piece: -piece.area_px)


def _piece(labels: np.ndarray, number: int, stats: np.ndarray, centroid: np.ndarray) -> MaskPiece:
    left, top, width, height, area = (int(value) for value in stats)
    rows, columns = slice(top, top + height), slice(left, left + width)
    inside = labels[rows, columns] == number
    lowest = left + int(np.median(np.flatnonzero(inside[-1])))
    return MaskPiece(
        rows=rows,
        columns=columns,
        inside=inside,
        area_px=area,
        centroid_px=(float(centroid[0]), float(centroid[1])),
        contact_px=(lowest, top + height - 1),
        cut_off=top + height == len(labels),
    )


def find_objects(
    prediction: Prediction, depth_m: np.ndarray | None = None, *, size: tuple[int, int] | None = None
) -> list[dict[str, object]]:
    """List the objects of a picture, the nearest first.

    Input:
        prediction: of the picture, or of a smaller copy.
        depth_m: float32 (H, W) metres along the optical axis, 0 = unknown; None = not calibrated.
        size: (height, width) of the picture in whose pixels places are given; None = the prediction's.
    Output: a dict per connected piece of the mask at MASK_THRESHOLD that covers MIN_AREA_SHARE or more:
        order: 1 = nearest by median depth; objects of unknown depth come last.
        box_px: left, top, width, height.
        centroid_px, contact_px: [x, y]; pixel (0, 0) is at the top left; contact is the lowest point.
        contact_cut_off: the object reaches the lower edge of the picture, so its true contact is not visible.
        area_px, area_share: of the picture.
        nearest_depth_m, median_depth_m: metres or None, when calibrated. Otherwise nearest_inverse_depth and
        median_inverse_depth, relative, larger = nearer. Nearest ignores the 5 % nearest pixels.

    Example:
        >>> mask, depth = np.zeros((100, 200), np.float32), np.ones((100, 200), np.float32)
        >>> mask[40:90, 120:140] = 1
        >>> (thing,) = find_objects(Prediction(mask, depth))
        >>> thing["box_px"], thing["contact_px"]
        ({'left': 120, 'top': 40, 'width': 20, 'height': 50}, [129, 89])
    """
    height, width = size or prediction.mask.shape
    scale = width / prediction.mask.shape[1], height / prediction.mask.shape[0]
    things = []
    for piece in find_pieces(prediction.mask):
        depths, nearness = _depths(piece, prediction.depth, depth_m)
        things.append((nearness, _place(piece, scale, prediction.mask.size) | depths))
    things.sort(key=lambda thing: -thing[0])
    return [{"order": number} | facts for number, (_, facts) in enumerate(things, 1)]


def _depths(
    piece: MaskPiece, relative: np.ndarray, depth_m: np.ndarray | None
) -> tuple[dict[str, object], float]:
    """The depth facts of a piece, and the inverse depth that decides its order."""
    if depth_m is None:
        values = piece.of(relative)
        nearest, median = float(np.quantile(values, 1 - _NEAREST)), float(np.median(values))
        return {"nearest_inverse_depth": nearest, "median_inverse_depth": median}, median
    values = piece.of(depth_m)
    known = values[values > 0]
    if not len(known):
        return {"nearest_depth_m": None, "median_depth_m": None}, 0.0
    nearest, median = float(np.quantile(known, _NEAREST)), float(np.median(known))
    return {"nearest_depth_m": round(nearest, 3), "median_depth_m": round(median, 3)}, 1 / median


def _place(piece: MaskPiece, scale: tuple[float, float], num_pixels: int) -> dict[str, object]:
    """The place of a piece in pixels of a picture that is `scale` (x, y) times as large as the mask."""
    (left, right), (top, bottom) = (
        (round(part.start * factor), round(part.stop * factor))
        for part, factor in zip((piece.columns, piece.rows), scale, strict=True)
    )
    contact = [int((value + 0.5) * factor) for value, factor in zip(piece.contact_px, scale, strict=True)]
    centroid = [
        round((value + 0.5) * factor - 0.5, 1) for value, factor in zip(piece.centroid_px, scale, strict=True)
    ]
    return {
        "box_px": {"left": left, "top": top, "width": right - left, "height": bottom - top},
        "centroid_px": centroid,
        "contact_px": contact,
        "contact_cut_off": piece.cut_off,
        "area_px": round(piece.area_px * scale[0] * scale[1]),
        "area_share": piece.area_px / num_pixels,
    }


def write_report(path: str | Path, pictures: Sequence[Mapping[str, object]], *, force: bool = False) -> None:
    """Write one JSON file about the objects in `pictures`, results of predict.photos.predict_files.

    Errors: StorageError.
    """
    kept = ("image", "background", "model", "height", "width", "warnings", "objects")
    report = {
        "format": FORMAT,
        "version": VERSION,
        "mask_threshold": MASK_THRESHOLD,
        "min_area_share": MIN_AREA_SHARE,
        "order": "1 = nearest, by median depth",
        "pixels": "[x, y]; pixel (0, 0) is the top left one; contact_px is the lowest point of a thing",
        "units": "*_px pixels, *_m metres along the optical axis, *_inverse_depth relative, larger = nearer",
        "pictures": [{name: picture[name] for name in kept} for picture in pictures],
    }
    write_json(path, report, force=force)
