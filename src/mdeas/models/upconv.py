"""Convolution of an upsampled map, computed at the small size: makes up-projections trainable on a CPU.

conv(resize(x)) is linear in x; the resize and the shift of each tap are separable matrix products, so that

    out = Σ over taps (dy, dx) of  R_dy · (W_dydx x) · R_dxᵀ

where W x is a 1×1 convolution at the small size and R_d the matrix that resizes and then shifts by d. For ×2
that is a quarter of the multiplications, for the ×16 of a multi-scale fusion 1/256.
"""

import functools

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mdeas.models.blocks import enlarge


class EnlargedConv(nn.Module):
    """Odd, zero-padded, bias-free convolution of the input after `enlarge`.

    Training computes at the small size; inference resizes first, which can be exported. Results differ by
    rounding only.
    """

    def __init__(self, num_in: int, num_out: int, kernel: int):
        super().__init__()
        self.conv = nn.Conv2d(num_in, num_out, kernel, padding=kernel // 2, bias=False)

    def forward(self, x: Tensor, size: tuple[int, int]) -> Tensor:
        """x: (B, num_in, h, w). Output: (B, num_out, *size)."""
        if not self.training:
            return self.conv(enlarge(x, size))
        return taps_first(x, self.conv.weight, size)


def taps_first(x: Tensor, weight: Tensor, size: tuple[int, int]) -> Tensor:
    """conv2d(enlarge(x, size), weight, padding="same"), computed at the small size as described above.

    Input: x (B, C, h, w); weight (O, C, k, k), k odd. Output: (B, O, *size) in channels_last memory.
    """
    batch, _, height, width = x.shape
    num_out, _, kernel, _ = weight.shape
    rows = resize_shift(height, size[0], kernel, str(x.device))  # (H, h·k)
    columns = resize_shift(width, size[1], kernel, str(x.device))  # (W, w·k)
    taps = weight.permute(2, 3, 0, 1).reshape(-1, weight.shape[1])  # (k·k·O, C)
    mixed = F.linear(x.permute(0, 2, 3, 1), taps).view(batch, height, width, kernel, kernel * num_out)
    across = mixed.transpose(2, 3).reshape(batch, height * kernel, width * kernel, num_out)
    across = torch.matmul(columns.to(across.dtype), across)  # (B, h·k, W, O)
    out = torch.matmul(rows.to(across.dtype), across.flatten(2))  # (B, H, W·O)
    return out.view(batch, *size, num_out).permute(0, 3, 1, 2)


@functools.lru_cache(maxsize=64)
def resize_shift(num_in: int, num_out: int, kernel: int, device: str) -> Tensor:
    """float32 (num_out, num_in · kernel): column i·k + d is input pixel i, resized, shifted by tap d."""
    resize = F.interpolate(torch.eye(num_in)[None], size=num_out, mode="linear", align_corners=False)[0].T
    padded = F.pad(resize, (0, 0, kernel // 2, kernel // 2))  # zero rows: the padding of the convolution
    shifted = torch.stack([padded[tap : tap + num_out] for tap in range(kernel)], 2)
    return shifted.reshape(num_out, -1).to(device)
