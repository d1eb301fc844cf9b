"""What options of several commands choose from; the names are those of the modules that do the work.

Spelled out, because importing those would cost --help a tenth of a second.
"""

from typing import Literal

Device = Literal["auto", "cpu", "cuda", "tensorrt", "openvino", "coreml", "directml", "migraphx"]
"""auto and the names of mdeas.runtime.session.PROVIDERS."""
Pair = Literal["auto", "strict", "off"]
"""mdeas.pairing.match.Mode."""
