"""`timm-unet` with other backbones than the default (tests/models/test_contract.py has that), its errors."""

import sys

import pytest
import safetensors.torch
import torch

from mdeas.errors import ModelError, UsageError
from mdeas.models import pretrained, summary
from mdeas.models.registry import create_model

BACKBONES = ("mobilenetv3_small_050", "swin_s3_tiny_224")  # 5 levels; 4, channels last, made for one size


def photos(height: int, width: int) -> list[torch.Tensor]:
    rng = torch.Generator().manual_seed(0)
    return [torch.rand(2, 3, height, width, generator=rng) for _ in ("background", "image")]


@pytest.fixture
def empty_hub(monkeypatch, tmp_path):
    """The hub as it is with HF_HUB_OFFLINE=1 and an empty cache; the folder of the cache."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    return tmp_path


def put_into_hub(cache, repository: str, weights: dict[str, torch.Tensor]) -> None:
    """Lay out a file as the hub's cache does."""
    folder = cache / f"models--{repository.replace('/', '--')}"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text("abc")
    (folder / "snapshots" / "abc").mkdir(parents=True)
    safetensors.torch.save_file(weights, folder / "snapshots" / "abc" / "model.safetensors")


@pytest.mark.parametrize("backbone", BACKBONES)
@pytest.mark.parametrize("size", [(33, 47), (1, 1)])
def test_output_has_the_size_of_the_input(backbone, size, one_thread):
    network = create_model("timm-unet", backbone=backbone).eval()
    with torch.no_grad():
        output = network(*photos(*size))
    for tensor in output:
        assert tensor.shape == (2, 1, *size)
        assert torch.isfinite(tensor).all()


@pytest.mark.parametrize("backbone", BACKBONES)
def test_gradient_reaches_the_first_layer_and_both_photos(backbone, one_thread):
    torch.manual_seed(0)
    network = create_model("timm-unet", backbone=backbone).train()
    pair = [photo.requires_grad_() for photo in photos(33, 47)]
    output = network(*pair)
    (output.mask_logits.square().sum() + output.depth.square().sum()).backward()
    first = next(p for p in network.core.encoder.parameters() if p.ndim == 4)
    assert first.shape[1] == 6 and first.grad.abs().sum() > 0
    assert all(photo.grad.abs().sum() > 0 for photo in pair)


def test_photos_are_normalised_as_the_backbone_was_trained():
    assert create_model("timm-unet", backbone="test_vit").mean.flatten().tolist() == [0.5, 0.5, 0.5]


def test_unknown_backbone_names_close_ones():
    with pytest.raises(UsageError, match=r"no backbone 'resnet81'.*resnet18"):
        create_model("timm-unet", backbone="resnet81")


def test_backbone_of_another_site_is_unknown():
    with pytest.raises(UsageError, match="no backbone"):
        create_model("timm-unet", backbone="hf-hub:timm/resnet18")


def test_backbone_for_one_size_only_is_refused():
    with pytest.raises(UsageError, match=r"levit_128.*any size.*Take another"):
        create_model("timm-unet", backbone="levit_128")


def test_weights_that_cannot_be_downloaded(empty_hub):
    with pytest.raises(
        ModelError, match=r"no pretrained weights of 'efficientnet_lite0'.*pretrained=false"
    ) as caught:
        create_model("timm-unet", pretrained=True)
    assert caught.value.code == "E-MODEL-WEIGHTS" and str(empty_hub) in str(caught.value)
    with pytest.raises(ModelError, match="'resnet50'"):
        pretrained.pretrained_state("resnet50")


def test_weights_from_the_cache(empty_hub):
    classifier = pretrained.build_timm("test_resnet", pretrained=False)
    weights = classifier.state_dict()
    put_into_hub(empty_hub, "timm/test_resnet.r160_in1k", weights)
    encoder = create_model("timm-unet", backbone="test_resnet", pretrained=True).core.encoder.state_dict()
    torch.testing.assert_close(encoder["layer1.0.conv1.weight"], weights["layer1.0.conv1.weight"])
    first = weights["conv1.0.weight"]  # both photos get it, halved
    torch.testing.assert_close(encoder["conv1.0.weight"], torch.cat([first, first], 1) / 2)
    state = pretrained.pretrained_state("test_resnet")
    assert state.keys() == {name for name in weights if not name.startswith("fc.")}
    assert torch.equal(state["conv1.0.weight"], first)


def test_a_checkpoint_loads_without_the_hub(empty_hub, tmp_path):
    from mdeas.train.checkpoint import load_run, save_weights

    weights = create_model("timm-unet", backbone="test_resnet").state_dict()
    options = {"backbone": "test_resnet", "pretrained": True}
    save_weights(tmp_path, "last", weights, {"model": "timm-unet", "options": options})
    assert torch.equal(
        load_run(tmp_path).state_dict()["core.mask_head.weight"], weights["core.mask_head.weight"]
    )


def test_without_timm(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(ModelError, match=r"timm does not load.*pip install") as caught:
        create_model("timm-unet")
    assert caught.value.code == "E-MODEL-PACKAGE"
    row = next(line for line in summary.model_table().splitlines() if line.startswith("timm-unet"))
    assert row.split()[1:4] == ["5,200,770", "–", "–"]


class TestTorchvision:
    """The import, with torchvision's modules put aside: what it does, not what this machine has."""

    @pytest.fixture
    def package(self, monkeypatch, tmp_path):
        """Replace torchvision by a package whose import fails as the real one does beside a CPU torch."""
        for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
            monkeypatch.delitem(sys.modules, name)
        (tmp_path / "torchvision").mkdir()
        (tmp_path / "torchvision" / "__init__.py").write_text(
            "import torchvision.early\nfrom torchvision import _meta_registrations\nloaded = True\n"
        )
        (tmp_path / "torchvision" / "early.py").write_text("")
        monkeypatch.syspath_prepend(tmp_path)
        yield tmp_path / "torchvision" / "_meta_registrations.py"
        for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
            del sys.modules[name]

    def test_that_loads_is_left_as_it_is(self, package):
        package.write_text("shapes = 1\n")
        pretrained.import_torchvision()
        assert sys.modules["torchvision._meta_registrations"].shapes == 1

    def test_without_operators_is_imported(self, package):
        package.write_text("raise RuntimeError('operator torchvision::nms does not exist')\n")
        pretrained.import_torchvision()
        assert sys.modules["torchvision"].loaded

    def test_another_fault_is_told(self, package):
        package.write_text("raise RuntimeError('compiled with different CUDA major versions')\n")
        with pytest.raises(RuntimeError, match="CUDA"):
            pretrained.import_torchvision()
        with pytest.raises(ModelError, match=r"timm does not load: compiled.*same index"):
            pretrained.import_timm()
