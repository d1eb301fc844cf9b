"""The depth decoder of `twin-s`: encoder features -> depth."""

import torch
from torch import Tensor, nn

from mdeas.models.blocks import ConvUnit, SeparableUnit, double, enlarge
from mdeas.models.differences import mean_per_channel


class DepthDecoder(nn.Module):
    """Encoder features at four levels -> depth, as a vertical ramp (lower is nearer) plus a correction.

    It takes the encoder's own features: depth learnt many times slower from a trunk shared with the mask.

    Input: num_features: channels of the features of four levels, each half the size of the one before.
        widths: channels of the decoder at these levels.
    """

    def __init__(self, num_features: tuple[int, ...], widths: tuple[int, ...]):
        super().__init__()
        self.see = nn.ModuleList(
            ConvUnit(num, out, kernel=1) for num, out in zip(num_features, widths, strict=True)
        )
        finer = (widths[0], *widths[:-1])
        self.ups = nn.ModuleList(Level(num, out) for num, out in zip(widths, finer, strict=True))
        self.whole = nn.Conv2d(widths[3], widths[3], 1)
        self.height = nn.Parameter(torch.zeros(1, widths[2], 1, 1))
        self.head = nn.Conv2d(widths[0], 1, 1)
        self.slope = Slope()

    def forward(self, *features: Tensor) -> Tensor:
        """Four (B, C, h, w), from fine to coarse -> (B, 1, h, w) at the size of the first."""
        first, second, third, fourth = (see(x) for see, x in zip(self.see, features, strict=True))
        x = third + double(self.ups[3](fourth + self.whole(mean_per_channel(fourth))))
        # The height of each row: a convolution can only infer it from the padding at the border.
        x = second + double(self.ups[2](x + self.height * self.slope(x)))
        x = self.ups[0](first + double(self.ups[1](x)))
        return self.head(x) + self.slope(x)


class Level(nn.Sequential):
    """Two separable units; the second changes the number of channels."""

    def __init__(self, num_in: int, num_out: int):
        super().__init__(SeparableUnit(num_in, num_in), SeparableUnit(num_in, num_out))


class Slope(nn.Module):
    """A vertical ramp from -1 (top) to 1 (bottom) of a map's size: (B, C, h, w) -> (1, 1, h, w)."""

    ends: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("ends", torch.tensor([-1.0, 1.0]).view(1, 1, 2, 1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return enlarge(self.ends, x.shape[-2:])
