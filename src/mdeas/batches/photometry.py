"""Random changes of the values of two photos, as by cameras, light and files.

The changes have the order of a camera: lens (blur), sensor (gain, colour, gamma, noise), file (JPEG). Each
sample draws its own amounts, up to those of a Photometry.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from mdeas.batches.draws import Draws
from mdeas.batches.photometry_jpeg import jpeg
from mdeas.errors import UsageError

ChangeName = Literal["blur", "gain", "rgb_shift", "hsv", "gamma", "noise", "jpeg"]


@dataclass(frozen=True, kw_only=True)
class Photometry:
    """Largest changes of photos; 0 = no change. Amounts are drawn uniformly up to these."""

    gain: float = 0.0
    """Brightness, contrast and half as much of each colour channel: factors exp(±gain)."""
    rgb_shift: float = 0.0
    """Largest value added to or subtracted from each channel, in [0, 1] units."""
    hue: float = 0.0
    """Rotation of the hue in either direction, as a share of the circle: 0.5 reaches every colour."""
    saturation: float = 0.0
    """Saturation (HSV) by a factor exp(±saturation); grey stays grey."""
    value: float = 0.0
    """Value (HSV) by a factor exp(±value)."""
    gamma: float = 0.0
    """Values to the power of exp(±gamma)."""
    blur: float = 0.0
    """Standard deviation of a Gaussian blur, in pixels of the training picture."""
    noise: float = 0.0
    """Standard deviation of Gaussian noise, in [0, 1] units; the noise itself differs in every photo."""
    jpeg: float = 0.0
    """Loss of quality in a JPEG round trip, as a share: 0.75 = qualities between 100 and 25."""
    one_of: list[ChangeName] = field(default_factory=list)
    """Changes of which only one is made, each equally likely (hsv = hue, saturation and value together)."""

    def amount(self, change: str) -> float:
        """Largest amount of `change`, a ChangeName; 0 = the change is not made."""
        if change == "hsv":
            return max(self.hue, self.saturation, self.value)
        amount: float = getattr(self, change)
        return amount

    def check(self, place: str) -> None:
        """UsageError E-RECIPE when an amount is out of range, or `one_of` names a change without an amount.

        Input: place: the section of the recipe, such as "data.augment.own".
        """
        for name, high in _MOST.items():
            require_within(f"{place}.{name}", getattr(self, name), high)
        idle = [name for name in self.one_of if not self.amount(name)]
        if idle or len(set(self.one_of)) != len(self.one_of) or len(self.one_of) == 1:
            raise UsageError(
                "E-RECIPE",
                f"{place}.one_of is {self.one_of}; it must name two or more different changes, each with an"
                " amount above 0.",
            )


_MOST = {
    "gain": 1.0, "rgb_shift": 1.0, "hue": 0.5, "saturation": 1.0, "value": 1.0, "gamma": 1.0,
    "blur": 10.0, "noise": 1.0, "jpeg": 0.99,
}  # fmt: skip


def require_within(place: str, value: float, high: float) -> None:
    """UsageError E-RECIPE unless 0 <= value <= high."""
    if not 0 <= value <= high:
        raise UsageError("E-RECIPE", f"{place} is {value}; it must lie in 0..{high:g}.")


def photometry(both: Tensor, config: Photometry, rng: Draws, *, groups: int) -> Tensor:
    """The photos after the changes; a change with amount 0 costs no time.

    Input: both: float32 (B, 6, H, W), background then image, RGB in about [0, 1]. groups: 1 = both photos
        share their amounts, 2 = each photo has its own.
    Output: like `both`; gain, shift and noise may leave [0, 1].
    """
    made = _made(config, len(both), groups, rng)
    for name, change in _CHANGES.items():
        if config.amount(name):
            both = change(both, config, made[name], rng)
    return both


def _made(config: Photometry, count: int, groups: int, rng: Draws) -> dict[str, Tensor]:
    """float32 (B, groups) for every change: 1 = made, 0 = another of `one_of` is made."""
    made = dict.fromkeys(_CHANGES, torch.ones(count, groups, device=rng.device))
    if config.one_of:
        chosen = rng.integers(len(config.one_of), count, groups)
        made |= {name: (chosen == number).float() for number, name in enumerate(config.one_of)}
    return made


def _blur(both: Tensor, config: Photometry, made: Tensor, rng: Draws) -> Tensor:
    sigma = config.blur * made * rng.uniform(*made.shape)
    radius = min(math.ceil(3 * config.blur), min(both.shape[-2:]) - 1)
    place = torch.arange(-radius, radius + 1, device=both.device)
    sigma = sigma[..., None].clamp_min(0.1)  # at 0.1 the kernel is a single pixel: no blur
    kernel = torch.exp(-place.square() / (2 * sigma.square()))
    kernel = _each_channel(kernel / kernel.sum(-1, keepdim=True))  # B, 6, K
    planes = F.pad(both, (radius,) * 4, mode="reflect").flatten(0, 1)[None]
    for shape in ((1, -1), (-1, 1)):
        planes = F.conv2d(planes, kernel.flatten(0, 1).unflatten(1, (1, *shape)), groups=planes.shape[1])
    return planes.view_as(both)


def _gain(both: Tensor, config: Photometry, made: Tensor, rng: Draws) -> Tensor:
    """Per-channel gain, brightness and contrast about mid-grey: one multiplication and one addition."""
    signed = config.gain * made[..., None] * (2 * rng.uniform(*made.shape, 5) - 1)
    gain = torch.exp(signed[..., :1] + signed[..., 1:4] / 2)  # B, groups, 3
    contrast = torch.exp(signed[..., 4:])
    return torch.addcmul(_planes(0.5 * (1 - contrast)), both, _planes(gain * contrast))


def _rgb_shift(both: Tensor, config: Photometry, made: Tensor, rng: Draws) -> Tensor:
    return both + _planes(config.rgb_shift * made[..., None] * (2 * rng.uniform(*made.shape, 3) - 1))


def _hsv(both: Tensor, config: Photometry, made: Tensor, rng: Draws) -> Tensor:
    """Change hue, saturation and value, and convert back to RGB; photos with `made` 0 keep their colours."""
    most = torch.tensor([config.hue, config.saturation, config.value], device=rng.device)
    signed = most * made[..., None] * (2 * rng.uniform(*made.shape, 3) - 1)
    turn, saturation, value = _each_photo(signed)[..., None, None].unbind(2)  # B, 2, 1, 1 each
    photos = both.unflatten(1, (2, 3)).clamp(0, 1)
    hue, chroma, high = _hue_chroma_value(photos)
    share = (chroma / high.clamp_min(_TINY) * saturation.exp()).clamp_max(1)
    high = (high * value.exp()).clamp_max(1)
    sector = [(hue + 6 * turn + start) % 6 for start in (5, 3, 1)]
    rgb = [high * (1 - share * torch.minimum(k, 4 - k).clamp(0, 1)) for k in sector]
    return torch.stack(rgb, 2).flatten(1, 2)


_TINY = 1e-6


def _hue_chroma_value(photos: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Hue in sixths of the circle, largest minus smallest channel, largest channel: (B, 2, H, W) each.

    Input: (B, 2, 3, H, W) RGB in [0, 1].
    """
    red, green, blue = photos.unbind(2)
    high = photos.amax(2)
    chroma = high - photos.amin(2)
    some = chroma.clamp_min(_TINY)
    hue = torch.where(high == green, (blue - red) / some + 2, (red - green) / some + 4)
    return torch.where(high == red, (green - blue) / some, hue), chroma, high


def _gamma(both: Tensor, config: Photometry, made: Tensor, rng: Draws) -> Tensor:
    power = torch.exp(config.gamma * made * (2 * rng.uniform(*made.shape) - 1))
    return both.clamp(0, 1) ** _planes(power[..., None])


def _noise(both: Tensor, config: Photometry, made: Tensor, rng: Draws) -> Tensor:
    sigma = config.noise * made * rng.uniform(*made.shape)
    return torch.addcmul(both, rng.normal_like(both), _planes(sigma[..., None]))


def _jpeg(both: Tensor, config: Photometry, made: Tensor, rng: Draws) -> Tensor:
    lost = _each_photo(config.jpeg * made * rng.uniform(*made.shape)).flatten()  # 2 B
    photos = both.unflatten(1, (2, 3)).flatten(0, 1).clamp(0, 1)
    photos = torch.where((lost > 0)[:, None, None, None], jpeg(photos, 100 * (1 - lost)), photos)
    return photos.unflatten(0, (-1, 2)).flatten(1, 2)


_CHANGES: dict[str, Callable[[Tensor, Photometry, Tensor, Draws], Tensor]] = {
    "blur": _blur,
    "gain": _gain,
    "rgb_shift": _rgb_shift,
    "hsv": _hsv,
    "gamma": _gamma,
    "noise": _noise,
    "jpeg": _jpeg,
}


def _each_photo(values: Tensor) -> Tensor:
    """(B, groups, ...) -> (B, 2, ...)."""
    return values.repeat_interleave(2 // values.shape[1], 1)


def _each_channel(values: Tensor) -> Tensor:
    """(B, groups, N) -> (B, 6, N): each channel gets its photo's numbers."""
    return _each_photo(values).repeat_interleave(3, 1)


def _planes(values: Tensor) -> Tensor:
    """(B, groups, 1 or 3) numbers for the channels of a photo -> (B, 6, 1, 1)."""
    return _each_photo(values.expand(*values.shape[:2], 3)).flatten(1)[..., None, None]
