"""timm, and the weights it downloads. Nothing here is imported or downloaded before it is asked for.

timm is Apache-2.0, torchvision BSD-3-Clause; pretrained weights have licences of their own, and some of them
forbid commercial use: read the page of the weights on the Hugging Face hub before you publish a model.
"""

import importlib
from types import ModuleType

from torch import Tensor, nn

from mdeas.errors import ModelError
from mdeas.torchvision_import import import_torchvision


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


def _no_weights(name: str, error: Exception) -> ModelError:
    from huggingface_hub import constants

    reason = " ".join(str(error).split()).partition(". ")[0]
    return ModelError(
        "E-MODEL-WEIGHTS",
        f"no pretrained weights of '{name}' ({type(error).__name__}: {reason}). Connect to the internet, or"
        f" copy the cache of a machine that has them to '{constants.HF_HUB_CACHE}', or set pretrained=false.",
    )
