"""What every registered architecture must hold; a new one is tested by this file without a new line."""

import copy
import functools

import pytest
import torch

from mdeas.errors import UsageError
from mdeas.models.drn_mask import NUM_CLASSES, DrnClassifier
from mdeas.models.registry import create_model, model_info, model_names
from mdeas.models.upconv import EnlargedConv

torch.set_num_threads(1)
every_model = pytest.mark.parametrize("name", model_names())


def pair(batch: int, height: int, width: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    rng = torch.Generator().manual_seed(seed)
    return tuple(torch.rand(batch, 3, height, width, generator=rng) for _ in range(2))


@functools.cache  # the largest take a second to draw
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
def test_every_parameter_and_every_photo_it_sees_receive_gradient(name):
    model = copy.deepcopy(build(name)).train()
    photos = dict(zip(("background", "image"), pair(2, 64, 64), strict=True))
    output = model(**{key: photo.requires_grad_() for key, photo in photos.items()})
    weights = torch.rand(2, 2, 1, 64, 64, generator=torch.Generator().manual_seed(1))
    (output.mask_logits * weights[0] + output.depth * weights[1]).sum().backward()
    without = [key for key, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert not without
    assert {key for key, photo in photos.items() if photo.grad is not None} == set(model.photos)
    assert all(photos[key].grad.abs().sum() > 0 for key in model.photos)


@every_model
def test_a_head_that_is_absent_says_nothing(name):
    model = build(name).eval()
    with torch.no_grad():
        output = model(*pair(2, 40, 56))
    heads = {"mask": output.mask_logits.sigmoid(), "depth": output.depth}
    for head, values in heads.items():
        assert bool(values.amax() > values.amin()) == (head in model.heads)
        if head not in model.heads:
            assert values.abs().max() < 1e-8


@every_model
def test_swapping_the_photos_matters(name):
    model = build(name).eval()
    background, image = pair(1, 64, 64)
    with torch.no_grad():
        one, other = torch.cat(model(background, image)), torch.cat(model(image, background))
    assert not torch.equal(one, other)


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


def test_the_encoder_of_system_3_is_counted_with_its_classifier():
    network = DrnClassifier().eval()
    assert sum(p.numel() for p in network.parameters()) == 16_393_752
    assert network(torch.rand(2, 3, 40, 33)).shape == (2, NUM_CLASSES)


PUBLISHED = {
    "unet-depth": 4_367_937,
    "unet-mask": 4_321_473,
    "wnet": 8_678_274,
    "unet-64": 17_267_393,
    "resunet": 15_855_712,
    "hu-resnet50": 67_569_473,
    "drn-mask": 25_259_761,
    "twin-unet": 5_403_938,
    "mdeas": 1_521_026,
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_number_of_parameters(name):
    assert sum(p.numel() for p in build(name).parameters()) == PUBLISHED[name]


@pytest.mark.parametrize("task", ["mask", "depth"])
@pytest.mark.parametrize("name", ["unet-64", "hu-resnet50", "drn-mask"])
def test_one_head_for_either_task(name, task):
    assert create_model(name, task=task).heads == (task,)


@pytest.mark.parametrize("name", ["unet-depth", "wnet"])
def test_depth_as_a_probability(name):
    with torch.no_grad():
        depth = create_model(name, sigmoid=True)(*pair(2, 32, 32)).depth
    assert 0 < depth.min() < depth.max() < 1


@pytest.mark.parametrize(
    "size, target, kernel", [((3, 5), (6, 10), 5), ((7, 7), (40, 41), 5), ((5, 4), (9, 11), 3)]
)
def test_convolution_of_an_enlarged_map_by_either_route(size, target, kernel):
    torch.manual_seed(0)
    layer, x = EnlargedConv(4, 6, kernel), torch.randn(2, 4, *size, requires_grad=True)
    found = {}
    for training in (True, False):
        layer.zero_grad()
        x.grad = None
        out = layer.train(training)(x, target)
        (out * torch.linspace(-1, 1, out.numel()).view_as(out)).sum().backward()
        found[training] = out, x.grad, layer.conv.weight.grad
    for one, other in zip(found[True], found[False], strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


def test_unknown_value_of_an_option_answers_with_the_list():
    with pytest.raises(UsageError, match=r"task is 'both'.*mask, depth"):
        create_model("unet-64", task="both")
