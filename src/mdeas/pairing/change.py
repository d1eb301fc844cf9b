"""What differs between two aligned photos of one light, and in which of them the things stand."""

from dataclasses import dataclass

import cv2
import numpy as np

_WHOLE = 0.999
_SHRUNK = 2  # times: what changed is looked for at half the size of a View
_SMOOTH_PX = 1.0
_LEAST, _MOST = 16.0, 40.0  # levels: less is noise, a breath of light or JPEG; more is never noise
_QUIET = 0.25  # share of the view that shows the noise however large the foreground is
_TIMES = 6.0
_SPECK = 3  # pixels across below which a difference is no thing
_RIM = 3  # pixels across of the rim of what changed


@dataclass(frozen=True, kw_only=True)
class Change:
    """What differs between two aligned photos of one light."""

    share: float
    """Of the part of the view that both photos show, 0 to 1."""
    level: float
    """Mean difference in levels, where it is more than _MOST taken as that: how alike the light is."""
    rim: float
    """Where the outline of what differs is seen: 1 in the image alone, -1 in the background alone."""


def measure(background: np.ndarray, image: np.ndarray, valid: np.ndarray) -> Change:
    """Compare two photos.

    A thing has an outline, and the empty scene goes on behind it: an outline that the background shows
    and the image does not speaks for swapped photos.

    Input: uint8 (h, w, 3) RGB, aligned and of one light; valid: float32 (h, w), 1 where both have pixels.
    """
    height, width = valid.shape
    to = max(1, width // _SHRUNK), max(1, height // _SHRUNK)
    small = [cv2.resize(array, to, interpolation=cv2.INTER_AREA) for array in (background, image, valid)]
    first, second = (cv2.GaussianBlur(photo, (0, 0), _SMOOTH_PX) for photo in small[:2])
    known = small[2] > _WHOLE
    difference = _most(cv2.absdiff(first, second))
    differs = _differs(difference, known)
    return Change(
        share=float(differs.sum() / max(1, known.sum())),
        level=float(np.minimum(difference, _MOST)[known].mean()) if known.any() else 0.0,
        rim=_rim(first, second, differs),
    )


def _differs(difference: np.ndarray, known: np.ndarray) -> np.ndarray:
    """uint8 (h, w), 1 where it is more than noise. The mask is the network's business."""
    counts = np.bincount(difference[known], minlength=256).cumsum()
    noise = int(np.searchsorted(counts, _QUIET * counts[-1]))
    differs = (difference > np.clip(_TIMES * noise, _LEAST, _MOST)) & known
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_SPECK, _SPECK))
    return cv2.morphologyEx(differs.astype(np.uint8), cv2.MORPH_OPEN, kernel)


def _rim(first: np.ndarray, second: np.ndarray, differs: np.ndarray) -> float:
    rim = cv2.morphologyEx(differs, cv2.MORPH_GRADIENT, np.ones((_RIM, _RIM), np.uint8)) > 0
    if not rim.any():
        return 0.0
    there, here = (float(_slope(photo)[rim].mean()) for photo in (first, second))
    return (here - there) / max(here + there, 1.0)


def _slope(photo: np.ndarray) -> np.ndarray:
    """Steepness in levels, of the steepest channel."""
    right, down = (cv2.Sobel(photo, cv2.CV_16S, *axis) for axis in ((1, 0), (0, 1)))
    return _most(np.abs(right) + np.abs(down))


def _most(channels: np.ndarray) -> np.ndarray:
    """The largest of the three; numpy's own `max` over so short an axis takes five times as long."""
    return np.maximum(np.maximum(channels[..., 0], channels[..., 1]), channels[..., 2])
