"""Disturb photos as cameras do: exposure, colour, noise, blur, compression, vignetting.

A `Nuisance` holds the drawn numbers and `apply` puts them on a photo. The two photos of a pair get a shared
part (the same camera) and a part of their own (auto exposure drifted, somebody refocused). With a shared part
alone the difference of the photos would be undisturbed, and a network would learn a mere subtraction.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np

from mdeas.images.codec import decode_rgb, encode_jpeg
from mdeas.images.levels import DISPLAY_GAMMA

Gains = tuple[float, float, float]

CLEAN_SHARE = 0.15
"""Share of the pairs without any nuisance."""
STRONG_SHARE = 0.1
"""Share of the pairs whose exposures differ by half a stop to a full stop."""

_READ_NOISE = 0.02  # linear level at which read noise equals shot noise
_DARKEST = 0.004  # below this linear level the noise of an 8-bit photo grows no further


@dataclass(frozen=True, kw_only=True)
class Nuisance:
    """The disturbances of one photo. The defaults change nothing."""

    exposure: float = 1.0
    """Gain of the light, 0.5 to 2; values above the range saturate."""
    white_balance: Gains = (1.0, 1.0, 1.0)
    """Gain of the light per channel, RGB."""
    gamma: float = 1.0
    """Exponent on the encoded values; above 1 darkens the middle tones."""
    noise_sigma: float = 0.0
    """Standard deviation of the sensor noise at mid grey, as a fraction of the 8-bit range."""
    blur_sigma: float = 0.0
    """Standard deviation of the Gaussian blur in pixels."""
    jpeg_quality: int = 0
    """Quality of a JPEG round trip, 1 to 100; 0 = none."""
    vignette: float = 0.0
    """Share of the light that is lost in the corners, 0 to 1."""


def draw(rng: np.random.Generator, strength: float = 1.0) -> Nuisance:
    """Draw the disturbances of one photo; `strength` scales widths and chances alike (0 = a clean photo)."""
    return Nuisance(
        exposure=_around_one(rng, 0.3 * strength),
        white_balance=_gains(rng, 0.06 * strength),
        gamma=_around_one(rng, 0.08 * strength),
        noise_sigma=_sometimes(rng, 0.7, lambda: strength * _log_uniform(rng, 0.003, 0.03)),
        blur_sigma=_sometimes(rng, 0.2 * strength, lambda: rng.uniform(0.3, 0.9)),
        jpeg_quality=int(_sometimes(rng, 0.5 * strength, lambda: rng.integers(25, 96))),
        vignette=_sometimes(rng, 0.4 * strength, lambda: rng.uniform(0.05, 0.4)),
    )


def draw_pair(rng: np.random.Generator) -> tuple[Nuisance, Nuisance]:
    """Draw the nuisances of a background and of its image: a shared part, and a smaller own part for each."""
    kind = rng.random()
    if kind < CLEAN_SHARE:
        return Nuisance(), Nuisance()
    shared = draw(rng, 0.7)
    background, image = (combine(shared, draw(rng, 0.4)) for _ in range(2))
    if kind < CLEAN_SHARE + STRONG_SHARE:
        return _part_exposures(rng, background, image)
    return background, image


def combine(first: Nuisance, second: Nuisance) -> Nuisance:
    """The nuisance that has the effect of both."""
    red, green, blue = np.multiply(first.white_balance, second.white_balance).tolist()
    qualities = [n.jpeg_quality for n in (first, second) if n.jpeg_quality]
    return Nuisance(
        exposure=_limit(first.exposure * second.exposure),
        white_balance=(red, green, blue),
        gamma=first.gamma * second.gamma,
        noise_sigma=float(np.hypot(first.noise_sigma, second.noise_sigma)),
        blur_sigma=float(np.hypot(first.blur_sigma, second.blur_sigma)),
        jpeg_quality=min(qualities, default=0),
        vignette=1 - (1 - first.vignette) * (1 - second.vignette),
    )


def apply(photo: np.ndarray, nuisance: Nuisance, rng: np.random.Generator) -> np.ndarray:
    """Put a nuisance on a photo in the order of a camera: lens, sensor, encoding, file.

    Input:
        photo: uint8 (H, W, 3) RGB, sRGB.
        rng: draws the noise. The photos of a pair must not get generators in the same state: both would have
            the same noise.
    Output: uint8 (H, W, 3) RGB, a new array.
    """
    out = cv2.GaussianBlur(photo, (0, 0), nuisance.blur_sigma) if nuisance.blur_sigma else photo
    if nuisance != Nuisance(blur_sigma=nuisance.blur_sigma, jpeg_quality=nuisance.jpeg_quality):
        out = _expose(out, nuisance, rng)
    if nuisance.jpeg_quality:
        out = decode_rgb(encode_jpeg(out, nuisance.jpeg_quality), "photo")
    return out if out is not photo else photo.copy()


def _part_exposures(
    rng: np.random.Generator, background: Nuisance, image: Nuisance
) -> tuple[Nuisance, Nuisance]:
    """Pull the two exposures apart by half a stop to a full stop, in either direction."""
    half = 2.0 ** (rng.uniform(0.25, 0.5) * rng.choice((-1, 1)))
    background = replace(background, exposure=_limit(background.exposure * half))
    return background, replace(image, exposure=_limit(image.exposure / half))


def _around_one(rng: np.random.Generator, sigma_log: float) -> float:
    return _limit(np.exp(rng.normal(0.0, sigma_log)))


def _gains(rng: np.random.Generator, sigma_log: float) -> Gains:
    return _around_one(rng, sigma_log), _around_one(rng, sigma_log), _around_one(rng, sigma_log)


def _limit(gain: float) -> float:
    return float(np.clip(gain, 0.5, 2.0))


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _sometimes(rng: np.random.Generator, chance: float, value: Callable[[], float | np.int64]) -> float:
    return float(value()) if rng.random() < chance else 0.0


def _expose(photo: np.ndarray, nuisance: Nuisance, rng: np.random.Generator) -> np.ndarray:
    """Apply exposure, white balance, vignette, gamma and noise in one pass over the picture.

    Light is value ** 2.2, and a power commutes with gains: gain g on the light is gain g ** (1 / 2.2) on the
    encoded value. So tables and products on encoded values give the result of the linear computation.
    """
    power = nuisance.gamma / DISPLAY_GAMMA
    out: np.ndarray = cv2.LUT(photo, _value_table(nuisance, power))
    if nuisance.vignette:
        out *= _falloff(photo.shape[0], photo.shape[1], nuisance.vignette)[..., None] ** np.float32(power)
    if nuisance.noise_sigma:
        noise = rng.standard_normal(photo.shape, dtype=np.float32)
        noise *= cv2.LUT(photo, _noise_table(nuisance))
        out += noise
    return cv2.convertScaleAbs(np.clip(out, 0, 255, out=out))  # rounds, unlike astype


def _value_table(nuisance: Nuisance, power: float) -> np.ndarray:
    """float32 (1, 256, 3): encoded values after the gains, in 0 to 255 units, not clipped yet."""
    light = _light(nuisance)
    return (255 * light**power).astype(np.float32)[None]


def _noise_table(nuisance: Nuisance) -> np.ndarray:
    """float32 (1, 256, 3): standard deviation of the noise of the encoded value, in 0 to 255 units.

    Shot and read noise have variance x + r on the light x. Encoding multiplies the deviation by its slope,
    which is x ** (1 / 2.2 - 1) up to a constant. The result is scaled to `noise_sigma` at mid grey.
    """
    light = np.maximum(_light(nuisance), _DARKEST)
    mid = _noise_shape(np.float64(0.5**DISPLAY_GAMMA))
    return (255 * nuisance.noise_sigma * _noise_shape(light) / mid).astype(np.float32)[None]


def _noise_shape(light: np.ndarray | np.float64) -> np.ndarray:
    return np.sqrt(light + _READ_NOISE) * light ** (1 / DISPLAY_GAMMA - 1)


def _light(nuisance: Nuisance) -> np.ndarray:
    """float64 (256, 3): the light of every 8-bit value after exposure and white balance."""
    levels = (np.arange(256) / 255) ** DISPLAY_GAMMA
    return levels[:, None] * (nuisance.exposure * np.asarray(nuisance.white_balance))


def _falloff(height: int, width: int, vignette: float) -> np.ndarray:
    """float32 (H, W): share of the light that remains; 1 in the centre, 1 - vignette in the corners."""
    y, x = (((np.arange(n, dtype=np.float32) + 0.5) / n * 2 - 1) ** 2 for n in (height, width))
    return 1 - np.float32(vignette / 2) * (y[:, None] + x)
