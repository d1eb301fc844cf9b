"""Pictures for people: coloured depth, labelled grids and stacks."""

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np

_RANGE_PERCENTILES = (2.0, 98.0)  # of depth, at the ends of the colour range
_PERCENTILE_SAMPLE = 1 << 16  # values from which percentiles are taken, about
_UNKNOWN_LEVEL = 64  # grey of pixels without depth
_PAPER_LEVEL, _INK_LEVEL = 255, 32
_LINE_PX = 20  # height of a line of text
_GAP_PX = 4  # between cells
_FONT = cv2.FONT_HERSHEY_SIMPLEX


def colorize(
    values: np.ndarray, known: np.ndarray | None = None, *, ends: tuple[float, float] | None = None
) -> np.ndarray:
    """Colour a depth map: near is warm, far is cold, unknown is grey.

    Input:
        values: float32 (H, W), larger = nearer.
        known: bool (H, W); None = every finite value.
        ends: values of the coldest and the warmest colour; None = `robust_range` of the known values.
    Output: uint8 (H, W, 3) RGB.
    """
    known = np.isfinite(values) & (True if known is None else known)
    if not known.any():
        return np.full((*values.shape, 3), _UNKNOWN_LEVEL, np.uint8)
    all_known = bool(known.all())
    low, high = ends or robust_range(values if all_known else values[known])
    level = (values if all_known else np.where(known, values, low)).clip(low, high) - low
    level *= 255 / (high - low) if high > low else 0
    colours = cv2.applyColorMap(level.astype(np.uint8), cv2.COLORMAP_TURBO)
    cv2.cvtColor(colours, cv2.COLOR_BGR2RGB, dst=colours)
    if not all_known:
        colours[~known] = _UNKNOWN_LEVEL
    return colours


def robust_range(values: np.ndarray) -> tuple[float, float]:
    """The 2nd and the 98th percentile; more than 65,536 values are sampled evenly."""
    flat = values.reshape(-1)
    low, high = np.percentile(flat[:: flat.size // _PERCENTILE_SAMPLE | 1], _RANGE_PERCENTILES)
    return float(low), float(high)


def contact_sheet(
    rows: Sequence[Sequence[np.ndarray]],
    titles: Sequence[str],
    *,
    captions: Sequence[str] | None = None,
    cell: int = 160,
) -> np.ndarray:
    """Arrange pictures in a grid with one title above each column and one caption above each row.

    Input:
        rows: uint8 (h, w, 3) RGB pictures of any size.
        titles: one per column; captions: one per row, None = none.
        cell: side in pixels of the square into which every picture is fitted; a row is only as high as its
            highest picture.
    Output: uint8 (H, W, 3) RGB.
    """
    pitch = cell + _GAP_PX
    header = np.hstack([_text(title, pitch) for title in titles])
    bands = [header]
    for number, row in enumerate(rows):
        if captions is not None:
            bands.append(_text(captions[number], pitch * len(titles)))
        bands.append(_row(row, cell))
    return np.vstack(bands)


def stacked(pictures: Sequence[np.ndarray], captions: Sequence[str]) -> np.ndarray:
    """Arrange pictures one below the other, flush left at their own size, with a caption above each.

    Input: uint8 (h, w, 3) RGB of any sizes. Output: uint8 (H, W, 3) RGB, as wide as the widest.
    """
    width = max(picture.shape[1] for picture in pictures)
    bands = []
    for picture, caption in zip(pictures, captions, strict=True):
        margin = ((0, 0), (0, width - picture.shape[1]), (0, 0))
        bands += [_text(caption, width), np.pad(picture, margin, constant_values=_PAPER_LEVEL)]
    return np.vstack(bands)


def labelled(picture: np.ndarray, text: str) -> np.ndarray:
    """Put a line of text above a picture: uint8 (H, W, 3) RGB -> uint8 (H + 20, W, 3)."""
    return np.vstack([_text(text, picture.shape[1]), picture])


# Cached: OpenCV 5 loads its font again in every new thread, which takes longer than the rest of a sheet.
@lru_cache(maxsize=64)
def _text(text: str, width: int) -> np.ndarray:
    line = np.full((_LINE_PX, width, 3), _PAPER_LEVEL, np.uint8)
    (wide, _), _ = cv2.getTextSize(text, _FONT, 0.45, 1)
    scale = 0.45 * min(1.0, (width - 2 * _GAP_PX) / max(wide, 1))
    return cv2.putText(line, text, (_GAP_PX, _LINE_PX - 6), _FONT, scale, (_INK_LEVEL,) * 3, 1, cv2.LINE_AA)


def _row(pictures: Sequence[np.ndarray], cell: int) -> np.ndarray:
    """Put pictures side by side, each in the middle of its cell."""
    fitted = [_fit(picture, cell) for picture in pictures]
    band = np.full(
        (max(map(len, fitted)) + _GAP_PX, len(fitted) * (cell + _GAP_PX), 3), _PAPER_LEVEL, np.uint8
    )
    for number, picture in enumerate(fitted):
        height, width = picture.shape[:2]
        top, left = (len(band) - _GAP_PX - height) // 2, number * (cell + _GAP_PX) + (cell - width) // 2
        band[top : top + height, left : left + width] = picture
    return band


def _fit(picture: np.ndarray, cell: int) -> np.ndarray:
    """Resize a picture to a long side of `cell` pixels."""
    height, width = picture.shape[:2]
    scale = cell / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST)
