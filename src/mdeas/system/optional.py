"""Imports of packages that need care: ONNX Runtime's telemetry, and packages that only an extra installs."""

import importlib.util
import os
import sys
from types import ModuleType
from typing import Any

from mdeas.errors import UsageError

_OPERATOR_SHAPES = "torchvision._meta_registrations"


def import_onnxruntime(module: str = "onnxruntime") -> ModuleType:
    """Import onnxruntime, or a module in it, with its telemetry off unless ORT_DISABLE_TELEMETRY is set.

    ONNX Runtime 1.31 reads the variable at import. Without it, it writes a device identifier into the user's
    cache folder and a file into the temporary folder, and looks up a telemetry host.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    return importlib.import_module(module)


def import_torchvision() -> None:
    """Import torchvision, if it is installed, even where its compiled operators do not load.

    Beside a CPU torch they do not, in the wheel that PyPI has for Linux: it is built for CUDA. The one file
    that describes the shapes of these operators then fails the import of all the rest, which timm and
    transformers need, though they need no operator. Without this file torchvision imports, and a call of an
    operator still raises torchvision's own error. A torchvision that loads is left as it is.
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


def figure_class() -> Any:
    """matplotlib's Figure; UsageError (E-EXTRA) where it is not installed."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise UsageError("E-EXTRA", "drawing needs matplotlib. Run: pip install 'mdeas[train]'") from error
    return Figure


def pyarrow_parquet() -> Any:
    """The module pyarrow.parquet; UsageError (E-EXTRA) where it is not installed."""
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise UsageError("E-EXTRA", "data sets need pyarrow. Run: pip install 'mdeas[train]'") from error
    return pyarrow.parquet
