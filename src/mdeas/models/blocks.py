"""Layers that several architectures share."""

import math

from torch import Tensor, nn


class DepthwiseUnit(nn.Module):
    """3×3 depthwise with dilation, 1×1 to `num_out`, ReLU, then batch norm (published system 5)."""

    def __init__(self, num_in: int, num_out: int, dilation: int = 1):
        super().__init__()
        self.depthwise = nn.Conv2d(num_in, num_in, 3, padding=dilation, dilation=dilation, groups=num_in)
        self.mix = PointwiseUnit(num_in, num_out)

    def forward(self, x: Tensor) -> Tensor:
        return self.mix(self.depthwise(x))


class PointwiseUnit(nn.Sequential):
    """1×1 to `num_out`, ReLU, batch norm."""

    def __init__(self, num_in: int, num_out: int):
        super().__init__(nn.Conv2d(num_in, num_out, 1), nn.ReLU(inplace=True), nn.BatchNorm2d(num_out))


class DenseBlock(nn.Module):
    """Three depthwise units, each fed with the sum of all before it, then 1×1 to `num_out`.

    Sums in place of concatenation: the width stays `num_in` throughout.
    """

    def __init__(self, num_in: int, num_out: int):
        super().__init__()
        self.units = nn.ModuleList(DepthwiseUnit(num_in, num_in) for _ in range(3))
        self.mix = PointwiseUnit(num_in, num_out)

    def forward(self, x: Tensor) -> Tensor:
        for unit in self.units:
            x = x + unit(x)
        return self.mix(x)


def init_fan_out(module: nn.Module) -> None:
    """Convolution weights from N(0, sqrt(2 / (k² · out channels))), biases 0; batch norm at 1 and 0."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            area = layer.kernel_size[0] * layer.kernel_size[1]
            nn.init.normal_(layer.weight, 0.0, math.sqrt(2.0 / (area * layer.out_channels)))
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
