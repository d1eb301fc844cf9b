"""torchvision where its compiled operators do not load: timm and transformers import it, and call none."""

import importlib.util
import sys
from types import ModuleType

_OPERATOR_SHAPES = "torchvision._meta_registrations"


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
