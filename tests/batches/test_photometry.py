"""Every photometric change does to the photos what its name says, and nothing to mask and depth."""

import colorsys

import numpy as np
import pytest
import torch

from mdeas.batches.augment import AugmentConfig, augment, generator
from mdeas.batches.batch import Batch
from mdeas.batches.photometry import Photometry, photometry
from mdeas.batches.photometry_jpeg import jpeg
from mdeas.images.codec import decode_rgb, encode_jpeg

torch.set_num_threads(1)
STRONG = {
    "gain": Photometry(gain=0.3),
    "rgb_shift": Photometry(rgb_shift=0.2),
    "hue": Photometry(hue=0.4),
    "saturation": Photometry(saturation=0.8),
    "value": Photometry(value=0.4),
    "gamma": Photometry(gamma=0.5),
    "blur": Photometry(blur=2),
    "noise": Photometry(noise=0.1),
    "jpeg": Photometry(jpeg=0.9),
}


def photos(count: int = 5, size: int = 40) -> torch.Tensor:
    """float32 (B, 6, H, W): a coloured square on another colour with a gradient, twice the same photo."""
    photo = torch.tensor([0.3, 0.5, 0.4]).view(1, 3, 1, 1).repeat(count, 1, size, size)
    photo += torch.linspace(0, 0.1, size)
    photo[..., 8:24, 20:36] = torch.tensor([0.8, 0.3, 0.2]).view(1, 3, 1, 1)
    return torch.cat([photo, photo], 1)


def after(config: Photometry, groups: int = 2, step: int = 0, before: torch.Tensor | None = None):
    before = photos() if before is None else before
    return photometry(before, config, generator(0, 0, step), groups=groups)


def draws(*shape: int, step: int = 0) -> torch.Tensor:
    """What a change draws first, in -1..1."""
    return 2 * torch.rand(*shape, generator=generator(0, 0, step)) - 1


def batch_of(both: torch.Tensor) -> Batch:
    mask = (both[:, :1] > 0.7).float()
    return Batch(
        background=both[:, :3],
        image=both[:, 3:],
        mask=mask,
        inverse_depth=0.3 + mask,
        depth_known=mask > 0,
        ids=tuple(map(str, range(len(both)))),
        stretch=False,
    )


@pytest.mark.parametrize("part", ["shared", "own"])
@pytest.mark.parametrize("name", STRONG)
def test_photos_change_and_mask_and_depth_do_not(name, part):
    nothing = {"mirror": 0, "crop": 0, "shared": Photometry(), "own": Photometry()}
    before = batch_of(photos())
    now = augment(before, AugmentConfig(**nothing | {part: STRONG[name]}), generator(0, 0, 0))
    for kept in ("mask", "inverse_depth", "depth_known"):
        assert torch.equal(getattr(now, kept), getattr(before, kept))
    assert now.stretch is False
    for photo in ("background", "image"):
        assert (getattr(now, photo) - getattr(before, photo)).abs().mean() > 1e-3
        assert getattr(now, photo).min() >= 0 and getattr(now, photo).max() <= 1
    apart = (now.background - now.image).abs().mean((1, 2, 3))
    assert (apart > 1e-4).all() if part == "own" or name == "noise" else not apart.any()


@pytest.mark.parametrize("name", STRONG)
def test_every_sample_draws_its_own(name):
    figures = (after(STRONG[name]) - photos()).abs().mean((1, 2, 3))
    assert len(set(figures.tolist())) == 5


def test_rgb_shift_adds_a_number_to_every_channel():
    difference = after(STRONG["rgb_shift"]) - photos()
    expected = 0.2 * draws(5, 2, 3).view(5, 6, 1, 1)
    torch.testing.assert_close(difference, expected.expand_as(difference))


def test_hue_saturation_and_value_are_those_of_colorsys():
    config = Photometry(hue=0.4, saturation=0.8, value=0.4)
    now, most = after(config, groups=1), torch.tensor([0.4, 0.8, 0.4])
    for sample, signed in enumerate(most * draws(5, 1, 3)[:, 0]):
        for row, column in ((10, 30), (30, 5)):
            h, s, v = colorsys.rgb_to_hsv(*photos()[sample, :3, row, column].tolist())
            turn, *factors = signed[0].item(), *signed[1:].exp().tolist()
            expected = colorsys.hsv_to_rgb((h + turn) % 1, min(1, s * factors[0]), min(1, v * factors[1]))
            assert now[sample, 3:, row, column].tolist() == pytest.approx(expected, abs=1e-5)


def test_grey_has_no_hue():
    grey = torch.linspace(0, 1, 32).expand(2, 6, 32, 32)
    torch.testing.assert_close(after(Photometry(hue=0.5, saturation=1), before=grey), grey)


def test_gamma_is_a_power():
    power = (0.5 * draws(5, 1)).exp().view(5, 1, 1, 1)
    torch.testing.assert_close(after(STRONG["gamma"], groups=1), photos() ** power)


def test_blur_spreads_a_point_by_its_standard_deviation_and_keeps_the_sum():
    point = torch.zeros(4, 6, 41, 41)
    point[..., 20, 20] = 1
    now = after(STRONG["blur"], before=point)
    torch.testing.assert_close(now.sum((2, 3)), torch.ones(4, 6))
    sigma = (draws(4, 2) + 1).repeat_interleave(3, 1)  # 2 × the draw in 0..1
    place = torch.arange(41.0) - 20
    wide = sigma > 0.5  # narrower than that, pixels are too coarse to tell
    assert wide.any()
    for axis in (2, 3):
        spread = (now.sum(axis) * place.square()).sum(-1).sqrt()
        torch.testing.assert_close(spread[wide], sigma[wide], atol=0.08, rtol=0)


def test_noise_has_the_drawn_deviation_and_differs_between_photos_that_share_it():
    before = torch.full((3, 6, 64, 64), 0.5)
    noise = after(STRONG["noise"], groups=1, before=before) - before
    sigma = 0.05 * (draws(3, 1) + 1)
    torch.testing.assert_close(noise.std((1, 2, 3)), sigma[:, 0], rtol=0.05, atol=0)
    correlation = (noise[:, :3] * noise[:, 3:]).mean((1, 2, 3)) / sigma[:, 0].square()
    assert correlation.abs().max() < 0.05


def test_one_of_makes_exactly_one_change_a_photo():
    config = Photometry(rgb_shift=0.2, hue=0.3, one_of=["rgb_shift", "hsv"])
    difference = (after(config, before=photos(40)) - photos(40)).unflatten(1, (2, 3)).flatten(3)
    shifted = difference.std(-1).amax(2) < 1e-6  # the same number at every pixel
    value = after(config, before=photos(40)).unflatten(1, (2, 3)).amax(2)
    turned = (value - photos(40).unflatten(1, (2, 3)).amax(2)).abs().amax((2, 3)) < 1e-6  # value is kept
    assert (shifted ^ turned).all()
    assert 0.3 < shifted.float().mean() < 0.7
    assert (shifted[:, 0] != shifted[:, 1]).any()


def test_one_of_shared_is_the_same_for_both_photos():
    config = Photometry(jpeg=0.9, blur=2, one_of=["jpeg", "blur"])
    now = after(config, groups=1)
    assert torch.equal(now[:, :3], now[:, 3:])


def picture(height: int, width: int) -> np.ndarray:
    """uint8 (H, W, 3): slopes, an edge, colours and some grain."""
    y, x = np.mgrid[:height, :width]
    rgb = np.stack([3 * x + y, 250 - 2 * x, 60 + 2 * y], -1) % 256
    rgb[10:30, 12:40] = (200, 40, 90)
    return np.clip(rgb + np.random.default_rng(0).normal(0, 6, rgb.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("size", [(64, 80), (45, 51)])
def test_jpeg_is_nearly_that_of_a_file(size):
    """Within 2 levels of 255 on average, where the file itself is off by 6 to 13."""
    rgb = picture(*size)
    qualities = (10, 25, 50, 75, 95)
    tensor = torch.from_numpy(rgb).permute(2, 0, 1).expand(5, 3, *size) / 255
    ours = 255 * jpeg(tensor, torch.tensor(qualities, dtype=torch.float32)).permute(0, 2, 3, 1).numpy()
    for now, quality in zip(ours, qualities, strict=True):
        file = decode_rgb(encode_jpeg(rgb, quality), "test").astype(np.float32)
        lost = np.abs(file - rgb).mean()
        assert np.abs(now - file).mean() < min(2, lost), quality
        assert np.abs(now - rgb).mean() == pytest.approx(lost, rel=0.15, abs=0.1), quality
