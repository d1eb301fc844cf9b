"""From an encoder's features to depth."""

import torch
from torch import Tensor, nn

from mdeas.models.blocks import ConvUnit, SeparableUnit, double, enlarge
from mdeas.models.differences import mean


class DepthDecoder(nn.Module):
    """What an encoder sees of the image -> depth: "nearer further down" and what differs from it.

    Fed by the encoder itself: from a trunk that the mask needs, too, depth was learnt many times slower.

    Input: seen: widths of the features of four levels, each half the size of the one before. widths: of the
        decoder there.
    """

    def __init__(self, seen: tuple[int, ...], widths: tuple[int, ...]):
        super().__init__()
        self.see = nn.ModuleList(ConvUnit(num, out, kernel=1) for num, out in zip(seen, widths, strict=True))
        finer = (widths[0], *widths[:-1])
        self.ups = nn.ModuleList(Level(num, out) for num, out in zip(widths, finer, strict=True))
        self.whole = nn.Conv2d(widths[3], widths[3], 1)
        self.height = nn.Parameter(torch.zeros(1, widths[2], 1, 1))
        self.head = nn.Conv2d(widths[0], 1, 1)
        self.slope = Slope()

    def forward(self, *features: Tensor) -> Tensor:
        """Four (B, C, h, w), fine to coarse -> (B, 1, h, w) of the first."""
        first, second, third, fourth = (see(x) for see, x in zip(self.see, features, strict=True))
        x = third + double(self.ups[3](fourth + self.whole(mean(fourth))))
        # How far down each row is, which a padded convolution can only guess.
        x = second + double(self.ups[2](x + self.height * self.slope(x)))
        x = self.ups[0](first + double(self.ups[1](x)))
        return self.head(x) + self.slope(x)


class Level(nn.Sequential):
    """Two separable units, the second of which changes the width."""

    def __init__(self, num_in: int, num_out: int):
        super().__init__(SeparableUnit(num_in, num_in), SeparableUnit(num_in, num_out))


class Slope(nn.Module):
    """How far down each row of a map is, from -1 to 1: (B, C, h, w) -> (1, 1, h, w)."""

    ends: Tensor

    def __init__(self):
        super().__init__()
        self.register_buffer("ends", torch.tensor([-1.0, 1.0]).view(1, 1, 2, 1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """The rows of x."""
        return enlarge(self.ends, x.shape[-2:])
