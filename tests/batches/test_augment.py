"""Augmentation: one geometry for four pictures, photometry of its own for each photo."""

import math
from dataclasses import replace

import pytest
import torch

from mdeas.batches.augment import AugmentConfig, augment, generator
from mdeas.batches.batch import Batch
from mdeas.batches.photometry import Photometry
from mdeas.errors import UsageError

torch.set_num_threads(1)
NONE = {"mirror": 0, "crop": 0, "rotation_deg": 0, "shared": Photometry(), "own": Photometry()}


def config(**fields) -> AugmentConfig:
    return AugmentConfig(**NONE | fields)


def same_everywhere(count: int = 6, size: int = 32) -> Batch:
    """Every picture shows the same smooth surface, so that a shared geometry keeps them equal."""
    y, x = torch.meshgrid(torch.linspace(0.2, 0.6, size), torch.linspace(0, 0.35, size), indexing="ij")
    surface = (y + x).expand(count, 1, size, size).clone()
    photo = surface.expand(count, 3, size, size).clone()
    return Batch(
        background=photo,
        image=photo.clone(),
        mask=surface,
        inverse_depth=surface.clone(),
        depth_known=torch.ones_like(surface, dtype=torch.bool),
        ids=tuple(map(str, range(count))),
    )


def changed(batch: Batch, step: int = 0, **fields) -> Batch:
    return augment(batch, config(**fields), generator(0, 0, step))


def test_nothing_asked_for_nothing_done():
    batch = same_everywhere()
    for name, tensor in vars(changed(batch)).items():
        assert not isinstance(tensor, torch.Tensor) or torch.equal(tensor, getattr(batch, name))


@pytest.mark.parametrize("fields", [{"mirror": 1}, {"crop": 0.5}, {"rotation_deg": 10, "crop": 0.4}])
def test_geometry_is_shared_by_all_four(fields):
    before = same_everywhere()
    after = changed(before, **fields)
    assert not torch.allclose(after.mask, before.mask, atol=1e-3)
    inside = after.depth_known
    for other in (after.image[:, :1], after.background[:, 2:]):
        torch.testing.assert_close(other, after.mask)
    # Depth is taken from the nearest pixel, the rest is interpolated: at most a pixel apart.
    torch.testing.assert_close(after.inverse_depth[inside], after.mask[inside], atol=0.03, rtol=0)


def test_mirror_swaps_left_and_right():
    before = same_everywhere()
    after = changed(before, mirror=1)
    torch.testing.assert_close(after.image, before.image.flip(-1))
    torch.testing.assert_close(after.inverse_depth, before.inverse_depth.flip(-1))


def test_depth_is_unknown_where_a_rotation_left_the_picture():
    after = changed(same_everywhere(), rotation_deg=10)
    unknown = ~after.depth_known
    assert 0 < unknown.float().mean() < 0.2
    assert not after.inverse_depth[unknown].any()
    assert after.image.min() > 0


def test_a_crop_stays_inside():
    assert changed(same_everywhere(), crop=0.9).depth_known.all()


def test_fading_takes_a_share_of_what_is_new_from_a_tenth_of_the_pictures_and_nothing_else():
    batch = same_everywhere(count=400, size=8)
    new = torch.zeros_like(batch.mask)
    new[..., 2:5, 3:6] = 0.5  # soft edges are new, too
    batch = replace(batch, image=batch.background + (new > 0) * 0.2, mask=new)
    after = changed(batch, fade=0.8)
    left = ((after.image - after.background) / 0.2)[:, :, 2:5, 3:6].flatten(1)
    torch.testing.assert_close(left, left[:, :1].expand_as(left))  # one share a picture
    assert left.min() >= 0.2 - 1e-5 and left.min() < 0.25 and left.max() < 1 + 1e-5
    assert 0.84 < (left[:, 0] > 1 - 1e-5).float().mean() < 0.96
    assert torch.equal((after.image != after.background).any(1, keepdim=True), new > 0)
    assert torch.equal(after.background, batch.background) and torch.equal(after.mask, new)


def test_shared_photometry_keeps_equal_photos_equal_and_own_does_not():
    batch = same_everywhere()
    shared, own = (changed(batch, **{part: Photometry(gain=0.1)}) for part in ("shared", "own"))
    assert not torch.equal(shared.image, batch.image)
    assert torch.equal(shared.image, shared.background)
    assert not torch.allclose(own.image, own.background, atol=1e-3)


def test_every_sample_draws_its_own():
    after = changed(same_everywhere(), shared=Photometry(gain=0.3))
    assert len({round(value.item(), 5) for value in after.image.mean((1, 2, 3))}) == 6


def test_the_step_decides_the_draw():
    everything = {
        "mirror": 0.5,
        "crop": 0.4,
        "rotation_deg": 5,
        "shared": Photometry(gain=0.2),
        "own": Photometry(hue=0.1, noise=0.1),
    }
    first, again, other = (changed(same_everywhere(), step, **everything) for step in (4, 4, 5))
    assert torch.equal(first.image, again.image) and torch.equal(first.mask, again.mask)
    assert not torch.equal(first.image, other.image)


def test_gain_and_noise_draw_what_the_default_model_was_trained_with():
    """Shared gain, own gain, own noise, in this order: five, ten and two numbers a pair, then the noise."""
    batch = same_everywhere(2)
    after = changed(batch, shared=Photometry(gain=0.15), own=Photometry(gain=0.05, noise=0.02))
    rng = generator(0, 0, 0)
    shared, own, sigma = (torch.rand(2, *shape, generator=rng) for shape in ((1, 5), (2, 5), (2,)))
    noise = torch.randn(2, 6, 32, 32, generator=rng)
    for number, (name, before) in enumerate((("background", batch.background), ("image", batch.image))):
        expected = before
        for most, draws in ((0.15, shared[:, 0]), (0.05, own[:, number])):
            signed = most * (2 * draws - 1)[..., None, None]
            contrast = signed[:, 4:].exp()
            expected = expected * (signed[:, :1] + signed[:, 1:4] / 2).exp() * contrast + (1 - contrast) / 2
        expected = expected + 0.02 * sigma[:, number, None, None, None] * noise[:, 3 * number :][:, :3]
        torch.testing.assert_close(getattr(after, name), expected.clamp(0, 1))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"crop": 1}, "augment.crop is 1"),
        ({"mirror": 1.5}, "augment.mirror"),
        ({"rotation_deg": 200}, "augment.rotation_deg"),
        ({"own": Photometry(noise=-0.1)}, "augment.own.noise is -0.1"),
        ({"shared": Photometry(hue=0.6)}, "augment.shared.hue is 0.6; it must lie in 0..0.5"),
        ({"own": Photometry(jpeg=1)}, "augment.own.jpeg"),
        ({"own": Photometry(rgb_shift=0.1, one_of=["rgb_shift", "hsv"])}, "augment.own.one_of"),
        ({"own": Photometry(gain=0.1, one_of=["gain"])}, "augment.own.one_of"),
    ],
)
def test_amounts_out_of_range_are_refused(fields, said):
    with pytest.raises(UsageError, match=said):
        config(**fields)


def square(row: int = 8, column: int = 40) -> Batch:
    """A bright square of 16 pixels at this corner in 64, the same in all four pictures."""
    mask = torch.zeros(1, 1, 64, 64)
    mask[..., row : row + 16, column : column + 16] = 1
    return Batch(
        background=0.2 + 0.6 * mask.expand(1, 3, 64, 64),
        image=0.1 + 0.8 * mask.expand(1, 3, 64, 64),
        mask=mask,
        inverse_depth=0.5 + mask,
        depth_known=torch.ones_like(mask, dtype=torch.bool),
        ids=("square",),
    )


def centre(picture: torch.Tensor) -> tuple[float, float]:
    """Column and row of the middle of what is brighter than halfway, 0, 0 = the picture's middle."""
    bright = picture[0, 0] > (picture[0, 0].min() + picture[0, 0].max()) / 2
    rows, columns = bright.nonzero().double().mean(0).tolist()
    return columns - 31.5, rows - 31.5


def sides(picture: torch.Tensor) -> float:
    """Root of the area of what is brighter than halfway, in pixels."""
    return (picture[0, 0] > (picture.min() + picture.max()) / 2).sum().sqrt().item()


FOUR = ("background", "image", "mask", "inverse_depth")


def test_the_mirrored_square_lands_on_the_other_side():
    after = changed(square(), mirror=1)
    for name in FOUR:
        assert centre(getattr(after, name)) == (-16, -16), name


@pytest.mark.parametrize("step", range(3))
def test_the_rotated_square_lands_at_the_same_angle_in_all_four(step):
    """Its middle keeps its distance from the picture's middle and turns by at most 10 degrees."""
    after, rng = changed(square(), step, rotation_deg=10), generator(0, 0, step)
    *_, draw = (torch.rand(shape, generator=rng) for shape in ((1,), (1, 2), (1,)))  # crop, its place, angle
    angle = 10 * (1 - 2 * draw.item())
    for name in FOUR:
        x, y = centre(getattr(after, name))
        assert math.hypot(x, y) == pytest.approx(math.hypot(16, 16), abs=0.5), name
        assert math.degrees(math.atan2(y, x) - math.atan2(-16, 16)) == pytest.approx(angle, abs=1), name
        assert sides(getattr(after, name)) == pytest.approx(16, abs=0.7), name


def test_the_cropped_square_is_enlarged_and_lands_at_the_same_place_in_all_four():
    after = changed(square(20, 28), 2, crop=0.3)  # every crop of 0.7 holds it
    larger = sides(after.mask) / 16
    assert 1.05 < larger < 1 / 0.7 + 0.05
    assert centre(after.mask) != pytest.approx((4, -4), abs=1)
    for name in FOUR:
        assert centre(getattr(after, name)) == pytest.approx(centre(after.mask), abs=0.6), name
        assert sides(getattr(after, name)) == pytest.approx(16 * larger, abs=0.6), name
