"""Pictures for people: coloured depth and labelled grids."""

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np

_ROBUST = (2.0, 98.0)  # percentiles shown as the ends of the colour range
_ENOUGH = 1 << 16  # values that tell percentiles
_UNKNOWN = 64  # grey of pixels without depth
_PAPER, _INK = 255, 32
_LINE = 20  # height of a line of text, pixels
_GAP = 4  # pixels between cells
_FONT = cv2.FONT_HERSHEY_SIMPLEX


def colorize(
    values: np.ndarray, known: np.ndarray | None = None, *, ends: tuple[float, float] | None = None
) -> np.ndarray:
    """Coloured depth: near is warm, far is cold, unknown is grey.

    Input: values float32 (H, W), larger = nearer; known bool (H, W), None = all that are finite; ends: least
        and largest value of the colours, None = `robust_range` of the known values.
    Output: uint8 (H, W, 3) RGB.
    """
    known = np.isfinite(values) & (True if known is None else known)
    if not known.any():
        return np.full((*values.shape, 3), _UNKNOWN, np.uint8)
    all_known = bool(known.all())
    low, high = ends or robust_range(values if all_known else values[known])
    level = (values if all_known else np.where(known, values, low)).clip(low, high) - low
    level *= 255 / (high - low) if high > low else 0
    colours = cv2.applyColorMap(level.astype(np.uint8), cv2.COLORMAP_TURBO)
    cv2.cvtColor(colours, cv2.COLOR_BGR2RGB, dst=colours)
    if not all_known:
        colours[~known] = _UNKNOWN
    return colours


def robust_range(values: np.ndarray) -> tuple[float, float]:
    """The 2nd and the 98th percentile; of many values, of some that are evenly spread."""
    flat = values.reshape(-1)
    low, high = np.percentile(flat[:: flat.size // _ENOUGH | 1], _ROBUST)
    return float(low), float(high)


def contact_sheet(
    rows: Sequence[Sequence[np.ndarray]],
    titles: Sequence[str],
    *,
    captions: Sequence[str] | None = None,
    cell: int = 160,
) -> np.ndarray:
    """A labelled grid: one title above each column, one caption above each row.

    Input: rows of uint8 (h, w, 3) pictures of any size, each fitted into a square of `cell` pixels; a row is
        no higher than its pictures.
    Output: uint8 (H, W, 3) RGB.
    """
    pitch = cell + _GAP
    header = np.hstack([_text(title, pitch) for title in titles])
    bands = [header]
    for number, row in enumerate(rows):
        if captions is not None:
            bands.append(_text(captions[number], pitch * len(titles)))
        bands.append(_row(row, cell))
    return np.vstack(bands)


def stacked(pictures: Sequence[np.ndarray], captions: Sequence[str]) -> np.ndarray:
    """Pictures one below the other, flush left at their own size, a caption above each.

    Input: uint8 (h, w, 3) RGB of any sizes. Output: uint8 (H, W, 3) RGB, as wide as the widest.
    """
    width = max(picture.shape[1] for picture in pictures)
    bands = []
    for picture, caption in zip(pictures, captions, strict=True):
        margin = ((0, 0), (0, width - picture.shape[1]), (0, 0))
        bands += [_text(caption, width), np.pad(picture, margin, constant_values=_PAPER)]
    return np.vstack(bands)


def labelled(picture: np.ndarray, text: str) -> np.ndarray:
    """uint8 (H, W, 3) -> uint8 (H + 20, W, 3): a line of text above the picture."""
    return np.vstack([_text(text, picture.shape[1]), picture])


# OpenCV 5 loads its font again in every new thread, which takes longer than all else in a sheet.
@lru_cache(maxsize=64)
def _text(text: str, width: int) -> np.ndarray:
    line = np.full((_LINE, width, 3), _PAPER, np.uint8)
    (wide, _), _ = cv2.getTextSize(text, _FONT, 0.45, 1)
    scale = 0.45 * min(1.0, (width - 2 * _GAP) / max(wide, 1))
    return cv2.putText(line, text, (_GAP, _LINE - 6), _FONT, scale, (_INK,) * 3, 1, cv2.LINE_AA)


def _row(pictures: Sequence[np.ndarray], cell: int) -> np.ndarray:
    """Pictures side by side in the middle of their cells."""
    fitted = [_fit(picture, cell) for picture in pictures]
    band = np.full((max(map(len, fitted)) + _GAP, len(fitted) * (cell + _GAP), 3), _PAPER, np.uint8)
    for number, picture in enumerate(fitted):
        height, width = picture.shape[:2]
        top, left = (len(band) - _GAP - height) // 2, number * (cell + _GAP) + (cell - width) // 2
        band[top : top + height, left : left + width] = picture
    return band


def _fit(picture: np.ndarray, cell: int) -> np.ndarray:
    """The long side at `cell` pixels."""
    height, width = picture.shape[:2]
    scale = cell / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST)
