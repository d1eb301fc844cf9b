"""What every registered architecture must hold; a new one is tested by this file without a new line."""

import pytest
import torch

from mdeas.errors import UsageError
from mdeas.models import create_model, model_info, model_names

torch.set_num_threads(1)
every_model = pytest.mark.parametrize("name", model_names())


def pair(batch: int, height: int, width: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    rng = torch.Generator().manual_seed(seed)
    return tuple(torch.rand(batch, 3, height, width, generator=rng) for _ in range(2))


def build(name: str) -> torch.nn.Module:
    torch.manual_seed(0)
    return create_model(name)


@every_model
def test_number_of_parameters(name):
    assert sum(p.numel() for p in build(name).parameters()) == model_info(name).parameters


@every_model
@pytest.mark.parametrize("size", [(64, 64), (48, 96), (33, 47), (1, 1), (1, 70)])
def test_output_has_the_size_of_the_input(name, size):
    model = build(name).eval()
    with torch.no_grad():
        output = model(*pair(2, *size))
    for tensor in output:
        assert tensor.shape == (2, 1, *size)
        assert torch.isfinite(tensor).all()


@every_model
def test_every_parameter_and_both_photos_receive_gradient(name):
    model = build(name).train()
    photos = [photo.requires_grad_() for photo in pair(2, 64, 64)]
    output = model(*photos)
    weights = torch.rand(2, 2, 1, 64, 64, generator=torch.Generator().manual_seed(1))
    (output.mask_logits * weights[0] + output.depth * weights[1]).sum().backward()
    without = [key for key, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert not without
    assert all(photo.grad.abs().sum() > 0 for photo in photos)


@every_model
def test_swapping_the_photos_matters(name):
    model = build(name).eval()
    background, image = pair(1, 64, 64)
    with torch.no_grad():
        assert not torch.equal(model(background, image).mask_logits, model(image, background).mask_logits)


@every_model
def test_save_and_load_are_equal(name, tmp_path):
    from safetensors.torch import load_file, save_file

    first, second = build(name).eval(), create_model(name).eval()
    save_file(first.state_dict(), tmp_path / "model.safetensors")
    second.load_state_dict(load_file(tmp_path / "model.safetensors"), strict=True)
    with torch.no_grad():
        for one, other in zip(first(*pair(1, 40, 56)), second(*pair(1, 40, 56)), strict=True):
            assert torch.equal(one, other)


@every_model
def test_pictures_of_a_batch_do_not_see_each_other(name):
    model = build(name).eval()
    background, image = pair(3, 48, 64)
    with torch.no_grad():
        together = model(background, image)
        alone = model(background[1:2], image[1:2])
    for whole, one in zip(together, alone, strict=True):
        torch.testing.assert_close(whole[1:2], one, rtol=1e-4, atol=1e-4)


def test_unknown_name_answers_with_the_list():
    with pytest.raises(UsageError, match="mdeas"):
        create_model("mdaes")


def test_unknown_option_is_refused():
    with pytest.raises(UsageError, match="no option"):
        create_model("mdeas", widht=3)
