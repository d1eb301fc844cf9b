"""Layers shared by several architectures."""

import contextlib
import itertools
import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def enlarge(x: Tensor, size: Sequence[int]) -> Tensor:
    """Bilinear resize to (height, width), corners not aligned."""
    return F.interpolate(x, size=tuple(size), mode="bilinear", align_corners=False)


def halve(x: Tensor) -> Tensor:
    """Mean of 2×2 pixels; h and w even. A resize, because ONNX Runtime needs three times as long to pool."""
    return F.interpolate(x, scale_factor=0.5, mode="bilinear", align_corners=False)


def double(x: Tensor) -> Tensor:
    """Nearest-neighbour ×2: three times as fast as bilinear, and a convolution that follows smooths it."""
    return F.interpolate(x, scale_factor=2.0, mode="nearest")


class ConvUnit(nn.Sequential):
    """Convolution without bias, padded so that only the stride changes the size; batch norm; ReLU."""

    def __init__(self, num_in: int, num_out: int, kernel: int = 3, stride: int = 1, dilation: int = 1):
        padding = dilation * (kernel // 2)
        super().__init__(
            nn.Conv2d(num_in, num_out, kernel, stride, padding, dilation, bias=False),
            nn.BatchNorm2d(num_out),
            nn.ReLU(inplace=True),
        )


class SeparableUnit(nn.Sequential):
    """3×3 depthwise, batch norm, then a 1×1 `ConvUnit`: covers 3×3 pixels at a seventh of the operations.

    Source: MobileNet (Howard et al., arXiv 1704.04861), without its activation in between.
    """

    def __init__(self, num_in: int, num_out: int, stride: int = 1):
        super().__init__(
            nn.Conv2d(num_in, num_in, 3, stride, 1, groups=num_in, bias=False),
            nn.BatchNorm2d(num_in),
            ConvUnit(num_in, num_out, kernel=1),
        )


class Quadruple(nn.Module):
    """Bilinear ×4 of one channel, corners not aligned: (B, 1, h, w) -> (B, 1, 4h, 4w).

    A convolution computes the 16 output pixels of each input pixel: ONNX Runtime resizes a single channel on
    one core, which is slower.
    """

    cells: Tensor

    def __init__(self) -> None:
        super().__init__()
        # Weights of the previous, the same and the next input pixel for the four output pixels of an axis.
        shares = torch.tensor([[3, 5, 0], [1, 7, 0], [0, 7, 1], [0, 5, 3]]) / 8
        cells = shares[:, None, :, None] * shares[None, :, None, :]
        self.register_buffer("cells", cells.reshape(16, 1, 3, 3), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        with _without_autocast(x.device.type):  # in bfloat16 the result would show steps
            return F.pixel_shuffle(F.conv2d(F.pad(x.float(), (1, 1, 1, 1), mode="replicate"), self.cells), 4)


def _without_autocast(device: str) -> contextlib.AbstractContextManager[object]:
    """A context without autocast; does nothing on a device such as "meta", which has none."""
    known = torch.amp.is_autocast_available(device)
    return torch.autocast(device, enabled=False) if known else contextlib.nullcontext()


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
    """Three depthwise units, each on the sum of the input and the units before it; then 1×1 to `num_out`.

    Features are added, not concatenated, so all units have `num_in` channels.
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
    """Initialise convolutions: weights from N(0, sqrt(2 / (k² · out channels))), biases 0."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            area = layer.kernel_size[0] * layer.kernel_size[1]
            nn.init.normal_(layer.weight, 0.0, math.sqrt(2.0 / (area * layer.out_channels)))
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


class DoubleConv(nn.Sequential):
    """3×3 convolution to `num_mid` and then to `num_out`, each with batch norm and ReLU."""

    def __init__(self, num_in: int, num_mid: int, num_out: int):
        layers: list[nn.Module] = []
        for first, second in ((num_in, num_mid), (num_mid, num_out)):
            layers += [nn.Conv2d(first, second, 3, padding=1), nn.BatchNorm2d(second), nn.ReLU(inplace=True)]
        super().__init__(*layers)


class UNetEncoder(nn.Module):
    """Double convolutions with 2×2 max-pooling before each.

    Input: widths: channels of the input and after every double convolution.
    Output: the input, then the features at 1/2, 1/4, ..., for the skip connections.
    """

    def __init__(self, widths: tuple[int, ...]):
        super().__init__()
        pairs = itertools.pairwise(widths)
        self.downs = nn.ModuleList(DoubleConv(num_in, num_out, num_out) for num_in, num_out in pairs)

    def forward(self, x: Tensor) -> list[Tensor]:
        levels = [x]
        for down in self.downs:
            levels.append(down(F.max_pool2d(levels[-1], 2)))
        return levels


class UNetDecoder(nn.Module):
    """At every level bilinear ×2, concatenation of the skip, double convolution; then a 1×1 head.

    Input: ups: (channels after concatenation, channels out) from the deepest level up.
    """

    def __init__(self, ups: tuple[tuple[int, int], ...]):
        super().__init__()
        self.ups = nn.ModuleList(DoubleConv(num_in, num_in // 2, num_out) for num_in, num_out in ups)
        self.head = nn.Conv2d(ups[-1][1], 1, 1)

    def forward(self, levels: list[Tensor]) -> Tensor:
        *skips, x = levels
        for up in self.ups:
            x = F.interpolate(x, size=skips[-1].shape[-2:], mode="bilinear", align_corners=True)
            x = up(torch.cat([skips.pop(), x], 1))
        return self.head(x)
