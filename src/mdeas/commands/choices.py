"""The types of a command's parameters: what a value may be, and the word that help shows for it.

`Annotated[int, integer(1), "N"]` is an int to the command; the parser converts the text with `integer(1)` and
help shows N. The choices repeat names of the modules that do the work: importing these modules would make
--help slow.
"""

import math
from argparse import ArgumentTypeError
from collections.abc import Callable
from typing import Annotated, Literal


def integer(minimum: int) -> Callable[[str], int]:
    """A converter from text to an integer of at least `minimum`."""
    expected = "an integer above 0" if minimum == 1 else f"an integer, {minimum} or above"

    def convert(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = minimum - 1
        if value < minimum:
            raise ArgumentTypeError(f"expected {expected}, got {text!r}")
        return value

    return convert


def number(text: str) -> float:
    """The finite number that `text` spells."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ArgumentTypeError(f"expected a number, got {text!r}")
    return value


PositiveInt = Annotated[int, integer(1), "N"]
NonNegativeInt = Annotated[int, integer(0), "N"]
Pixels = Annotated[int, integer(1), "PIXELS"]
Degrees = Annotated[float, number, "DEGREES"]
Depth = Annotated[float, number, "DEPTH"]
File = Annotated[str, "FILE"]
Folder = Annotated[str, "FOLDER"]
Model = Annotated[str, "MODEL"]
Overrides = list[Annotated[str, "FIELD=VALUE"]]

Device = Literal["auto", "cpu", "cuda", "tensorrt", "openvino", "coreml", "directml", "migraphx"]
"""auto, and the names in mdeas.runtime.session.PROVIDERS."""
TrainingDevice = Literal["auto", "cpu", "cuda"]
"""Devices on which torch trains."""
EngineName = Literal["local", "ray"]
"""The names in mdeas.create.factory.options.EngineName."""
PairMode = Literal["auto", "strict", "off"]
"""The values of mdeas.pairing.match.Mode."""
Split = Literal["train", "validation", "test"]
"""The names in mdeas.sample.SPLITS."""
