"""Up-projection: the decoder block of both networks of published system 3 (Laina et al. 2016)."""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F

from mdeas.models.upconv import EnlargedConv


class UpProjection(nn.Module):
    """Bilinear resize, then ReLU of ([5×5, BN, ReLU, 3×3, BN] + [5×5, BN]); no biases."""

    def __init__(self, num_in: int, num_out: int):
        super().__init__()
        self.both = EnlargedConv(num_in, 2 * num_out, 5)  # the first 5×5 of either branch
        self.norm = nn.BatchNorm2d(2 * num_out)
        self.last = nn.Conv2d(num_out, num_out, 3, padding=1, bias=False)
        self.last_norm = nn.BatchNorm2d(num_out)

    def forward(self, x: Tensor, size: tuple[int, int]) -> Tensor:
        """x: (B, num_in, h, w). Output: (B, num_out, *size)."""
        branch, short = self.norm(self.both(x, size)).chunk(2, 1)
        return F.relu(self.last_norm(self.last(F.relu(branch))) + short)


class UpDecoder(nn.ModuleList):
    """A sequence of up-projections, each to a size of its own.

    Input: widths: channels of the input, and after each up-projection.
    """

    def __init__(self, *widths: int):
        super().__init__(map(UpProjection, widths[:-1], widths[1:]))

    def forward(self, x: Tensor, sizes: Sequence[tuple[int, int]]) -> Tensor:
        """x: (B, widths[0], h, w); sizes: (height, width) after each. Output: (B, widths[-1], *sizes[-1])."""
        for up, size in zip(self, sizes, strict=True):
            x = up(x, size)
        return x
