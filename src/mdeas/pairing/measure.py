"""Measure everything between two photos of one size: motion, light, blur and what differs."""

from dataclasses import dataclass

import cv2
import numpy as np

from mdeas.pairing.light import LightChange, fit_light, relight
from mdeas.pairing.register import at_full_size, moved_px, register, scale_and_rotation, warp
from mdeas.pairing.structure import SmallPhoto, TileAgreement

# Least support from which the light is believed, where at least three tiles agree and where fewer do.
_SUPPORT_WITH_TILES, _SUPPORT_ALONE = 0.2, 0.5
_MIN_TILES_LIGHT = 3

_WHOLE = 0.999
_REDUCTION = 2  # differences are looked for at half the size of a small photo
_SMOOTH_SIGMA_PX = 1.0
_MIN_DIFFERENCE, _MAX_DIFFERENCE = 16.0, 40.0  # levels: less is noise, light or JPEG; more is never noise
_QUIET_SHARE = 0.25  # of the view that shows the noise however large the foreground is
_NOISE_FACTOR = 6.0  # a difference counts from this multiple of the noise on
_SPECK_PX = 3  # a smaller difference is noise
_OUTLINE_PX = 3  # width of the outline of what differs

_TRIED_BLURS_PX = (0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0)
_EQUALLY_SHARP = 1.3  # ratio of fine structure up to which both photos are as sharp
_MIN_TILES_BLUR = 6


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What differs between two aligned photos of one light."""

    share: float
    """Share of what both photos show that differs, 0 to 1."""
    level: float
    """Mean difference in levels, each clipped at 40: how alike the light is."""
    outline: float
    """Where the outline of what differs is seen: 1 in the image alone, -1 in the background alone."""


@dataclass(frozen=True, kw_only=True)
class PairMeasurement:
    """Everything measured between two photos. Lengths are in pixels of the image photo."""

    matrix: np.ndarray
    """float64 (2, 3): pixel of the background -> pixel of the image, at the image photo's size."""
    shift_px: tuple[float, float]
    """How far the middle of the background lies to the right and down in the image."""
    rotation_deg: float
    """How far the background appears turned in the image, counter-clockwise."""
    scale: float
    """How much larger things are in the image."""
    moved_share: float
    """How far the view moved, root mean square, as a share of its long side."""
    light: LightChange
    light_is_trusted: bool
    """The light was measured well enough to act on it."""
    difference: Difference
    blur_px: float | None
    """See `measure_blur_px`."""
    tiles: TileAgreement


def measure(background: SmallPhoto, image: SmallPhoto) -> PairMeasurement:
    """Measure two small photos of one size."""
    motion = register(background, image)
    rgb, valid = warp(background.rgb, motion.matrix, image.size)
    log, _ = warp(background.log, motion.matrix, image.size)
    light = fit_light(rgb, image.rgb, valid, motion.tiles)
    plain = measure_difference(rgb, image.rgb, valid)
    lit = measure_difference(relight(rgb, image.rgb, light.gain), image.rgb, valid)
    # Agreeing structure says that the background is visible; without it, most cells must have this light.
    agrees = np.count_nonzero(motion.tiles.same) >= _MIN_TILES_LIGHT
    supported = light.support > (_SUPPORT_WITH_TILES if agrees else _SUPPORT_ALONE)
    trusted = supported and lit.level <= plain.level
    blur_px = measure_blur_px(log, image.log, motion.tiles)
    scale, rotation_deg = scale_and_rotation(motion.matrix)
    matrix = at_full_size(motion.matrix, image.size, image.full_size)
    middle = np.array([(image.full_size[1] - 1) / 2, (image.full_size[0] - 1) / 2])
    right, down = matrix[:, :2] @ middle + matrix[:, 2] - middle
    return PairMeasurement(
        matrix=matrix,
        shift_px=(float(right), float(down)),
        rotation_deg=rotation_deg,
        scale=scale,
        moved_share=moved_px(motion.matrix, image.size) / max(image.size),
        light=light,
        light_is_trusted=trusted,
        difference=lit if trusted else plain,
        blur_px=None if blur_px is None else blur_px * image.scale,
        tiles=motion.tiles,
    )


def measure_difference(background: np.ndarray, image: np.ndarray, valid: np.ndarray) -> Difference:
    """Measure how much differs, and which photo holds the thing that differs.

    A thing has an outline, and the empty scene continues behind it. An outline that the background shows and
    the image does not is evidence for swapped photos.

    Input: uint8 (h, w, 3) RGB, aligned and of one light; valid: float32 (h, w), 1 where both have pixels.
    """
    height, width = valid.shape
    to = max(1, width // _REDUCTION), max(1, height // _REDUCTION)
    small = [cv2.resize(array, to, interpolation=cv2.INTER_AREA) for array in (background, image, valid)]
    first, second = (cv2.GaussianBlur(photo, (0, 0), _SMOOTH_SIGMA_PX) for photo in small[:2])
    known = small[2] > _WHOLE
    difference = _channel_max(cv2.absdiff(first, second))
    differs = _differs(difference, known)
    return Difference(
        share=float(differs.sum() / max(1, known.sum())),
        level=float(np.minimum(difference, _MAX_DIFFERENCE)[known].mean()) if known.any() else 0.0,
        outline=_outline(first, second, differs),
    )


def _differs(difference: np.ndarray, known: np.ndarray) -> np.ndarray:
    """uint8 (h, w), 1 where the difference in levels, uint8 (h, w), is more than noise."""
    counts = np.bincount(difference[known], minlength=256).cumsum()
    noise = int(np.searchsorted(counts, _QUIET_SHARE * counts[-1]))
    least = np.clip(_NOISE_FACTOR * noise, _MIN_DIFFERENCE, _MAX_DIFFERENCE)
    differs = (difference > least) & known
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_SPECK_PX, _SPECK_PX))
    return cv2.morphologyEx(differs.astype(np.uint8), cv2.MORPH_OPEN, kernel)


def _outline(background: np.ndarray, image: np.ndarray, differs: np.ndarray) -> float:
    """See Difference.outline. Input: uint8 (h, w, 3) RGB; differs: uint8 (h, w), 1 where they differ."""
    kernel = np.ones((_OUTLINE_PX, _OUTLINE_PX), np.uint8)
    outline = cv2.morphologyEx(differs, cv2.MORPH_GRADIENT, kernel) > 0
    if not outline.any():
        return 0.0
    slopes = []
    for photo in (background, image):
        right, down = (cv2.Sobel(photo, cv2.CV_16S, *axis) for axis in ((1, 0), (0, 1)))
        slopes.append(float(_channel_max(np.abs(right) + np.abs(down))[outline].mean()))
    return (slopes[1] - slopes[0]) / max(slopes[1] + slopes[0], 1.0)


def _channel_max(channels: np.ndarray) -> np.ndarray:
    """Maximum over three channels, (h, w, 3) -> (h, w); `max(axis=2)` takes five times as long."""
    return np.maximum(np.maximum(channels[..., 0], channels[..., 1]), channels[..., 2])


def measure_blur_px(background: np.ndarray, image: np.ndarray, tiles: TileAgreement) -> float | None:
    """Find the Gaussian blur that makes the sharper photo as soft as the other.

    Input: float32 (h, w), SmallPhoto.log of aligned photos; their tiles.
    Output: standard deviation in pixels of the small photos, above 0 where the image is softer, below 0 where
        the background is; None where fewer than six tiles show the same.
    """
    same = tiles.same
    if np.count_nonzero(same) < _MIN_TILES_BLUR:
        return None
    first, second = _fineness(background, same), _fineness(image, same)
    ratio = _median_ratio(first, second)
    if 1 / _EQUALLY_SHARP < ratio < _EQUALLY_SHARP:
        return 0.0
    sharper, goal, sign = (background, second, 1.0) if ratio > 1 else (image, first, -1.0)
    for px in _TRIED_BLURS_PX:
        if _median_ratio(_fineness(cv2.GaussianBlur(sharper, (0, 0), px), same), goal) <= 1:
            return sign * px
    return sign * _TRIED_BLURS_PX[-1]


def _fineness(log: np.ndarray, same: np.ndarray) -> np.ndarray:
    """float32 (N,): mean square of the Laplacian in each of the N tiles where `same`, bool, is true."""
    squared = np.square(cv2.Laplacian(log, cv2.CV_32F))
    return cv2.resize(squared, same.shape[::-1], interpolation=cv2.INTER_AREA)[same]


def _median_ratio(first: np.ndarray, second: np.ndarray) -> float:
    """Median over the tiles, so that tiles at the edge of the foreground do not count."""
    return float(np.median((first + np.float32(1e-9)) / (second + np.float32(1e-9))))
