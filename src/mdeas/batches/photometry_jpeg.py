"""The losses of a JPEG round trip, computed for a whole batch on its device.

ITU-T T.81: YCbCr with halved chroma, 8×8 cosine transform, the standard's example tables (Annex K) scaled by
quality as libjpeg does. Left out: the rounding of pixels to 8 bits before the transform.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

_LUMA = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
_CHROMA = (
    (17, 18, 24, 47, 99, 99, 99, 99),
    (18, 21, 26, 66, 99, 99, 99, 99),
    (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99),
    *[(99,) * 8] * 4,
)
_TO_YCBCR = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))  # T.871
_TO_RGB = ((1.0, 0.0, 1.402), (1.0, -0.344136, -0.714136), (1.0, 1.772, 0.0))


def jpeg(photos: Tensor, quality: Tensor) -> Tensor:
    """The photos after a JPEG round trip, each at its own quality.

    Input: float32 (N, 3, H, W) RGB in [0, 1]; quality: (N,) in 1..100. Output: as `photos`.
    """
    height, width = photos.shape[-2:]
    planes = _mixed(255 * F.pad(photos, (0, -width % 16, 0, -height % 16), mode="replicate"), _TO_YCBCR)
    luma = _quantised(planes[:, :1] - 128, _table(_LUMA, quality)) + 128
    chroma = _quantised(F.avg_pool2d(planes[:, 1:], 2), _table(_CHROMA, quality))
    chroma = F.interpolate(chroma, scale_factor=2, mode="bilinear", align_corners=False)
    rgb = _mixed(torch.cat([luma, chroma], 1), _TO_RGB)[..., :height, :width]
    return rgb.div_(255).clamp_(0, 1)


def _mixed(planes: Tensor, rows: tuple[tuple[float, ...], ...]) -> Tensor:
    """(N, 3, H, W): the three values of each pixel multiplied by the matrix `rows`."""
    return torch.einsum("ij,njhw->nihw", planes.new_tensor(rows), planes)


def _table(rows: tuple[tuple[int, ...], ...], quality: Tensor) -> Tensor:
    """Quantisation steps, float32 (N, 8, 8), of the table `rows` at each quality."""
    percent = torch.where(quality < 50, 5000 / quality.clamp_min(1), 200 - 2 * quality).floor()
    table = torch.tensor(rows, dtype=torch.float32, device=quality.device)
    return ((table * percent[:, None, None] + 50) / 100).floor().clamp(1, 255)


def _quantised(planes: Tensor, table: Tensor) -> Tensor:
    """(N, C, H, W) with the cosine coefficients of every 8×8 block rounded to multiples of `table`."""
    cosine = _cosine(planes.device)
    rows = cosine @ planes.unflatten(2, (-1, 8))  # N, C, H/8, 8, W
    blocks = rows.unflatten(4, (-1, 8)) @ cosine.T  # N, C, H/8, 8, W/8, 8
    steps = table[:, None, None, :, None]
    kept = (blocks / steps).round_().mul_(steps) @ cosine
    return (cosine.T @ kept.flatten(4)).reshape(planes.shape)


def _cosine(device: torch.device) -> Tensor:
    """Orthonormal cosine transform, float32 (8, 8); a row for each frequency."""
    place, frequency = torch.arange(8, device=device) + 0.5, torch.arange(8, device=device)[:, None]
    rows = torch.cos(math.pi / 8 * frequency * place) / 2
    return torch.cat([rows[:1] / math.sqrt(2), rows[1:]])
