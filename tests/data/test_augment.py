"""Augmentation: one geometry for four pictures, photometry of its own for each photo."""

import pytest
import torch

from mdeas.data.augment import AugmentConfig, augment, generator
from mdeas.data.batch import Batch
from mdeas.errors import UsageError

torch.set_num_threads(1)
NONE = {"mirror": 0, "crop": 0, "rotation_deg": 0, "shared": 0, "own": 0, "noise": 0}


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
        assert name == "ids" or torch.equal(tensor, getattr(batch, name))


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


def test_shared_photometry_keeps_equal_photos_equal_and_own_does_not():
    batch = same_everywhere()
    shared, own, noisy = (changed(batch, **{name: 0.1}) for name in ("shared", "own", "noise"))
    assert not torch.equal(shared.image, batch.image)
    assert torch.equal(shared.image, shared.background)
    assert not torch.allclose(own.image, own.background, atol=1e-3)
    assert (noisy.image - noisy.background).std() > 0.01
    for after in (shared, own, noisy):
        assert torch.equal(after.mask, batch.mask) and after.image.min() >= 0 and after.image.max() <= 1


def test_every_sample_draws_its_own():
    after = changed(same_everywhere(), shared=0.3)
    assert len({round(value.item(), 5) for value in after.image.mean((1, 2, 3))}) == 6


def test_the_step_decides_the_draw():
    everything = {"mirror": 0.5, "crop": 0.4, "rotation_deg": 5, "shared": 0.2, "own": 0.1, "noise": 0.05}
    first, again, other = (changed(same_everywhere(), step, **everything) for step in (4, 4, 5))
    assert torch.equal(first.image, again.image) and torch.equal(first.mask, again.mask)
    assert not torch.equal(first.image, other.image)


@pytest.mark.parametrize("fields", [{"crop": 1}, {"mirror": 1.5}, {"noise": -0.1}, {"rotation_deg": 200}])
def test_amounts_out_of_range_are_refused(fields):
    with pytest.raises(UsageError):
        config(**fields)
