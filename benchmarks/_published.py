"""The published mdeas loss and its SSIM by 11x11 convolutions, written from their descriptions."""

import torch
from torch import Tensor
from torch.nn import functional as F

C1, C2 = 0.01**2, 0.03**2


def window() -> Tensor:
    """float32 (1, 1, 11, 11): Gaussian, sigma 1.5."""
    line = torch.exp(-((torch.arange(11.0) - 5) ** 2) / (2 * 1.5**2))
    line = line / line.sum()
    return torch.outer(line, line)[None, None]


def ssim(first: Tensor, second: Tensor) -> Tensor:
    """Mean SSIM of float32 (B, 1, H, W) in [0, 1], zero padding: five convolutions."""
    kernel = window()

    def mean(values: Tensor) -> Tensor:
        return F.conv2d(values, kernel, padding=5)

    mean1, mean2 = mean(first), mean(second)
    variance1 = mean(first * first) - mean1**2
    variance2 = mean(second * second) - mean2**2
    covariance = mean(first * second) - mean1 * mean2
    top = (2 * mean1 * mean2 + C1) * (2 * covariance + C2)
    bottom = (mean1**2 + mean2**2 + C1) * (variance1 + variance2 + C2)
    return (top / bottom).mean()


def loss(mask: Tensor, depth: Tensor, true_mask: Tensor, true_depth: Tensor) -> Tensor:
    """The published mdeas loss; all float32 (B, 1, H, W), in [0, 1] but for `depth`."""
    return (
        2.0 * (1 - ssim(depth, true_depth))
        + 0.4 * (1 - ssim(mask, true_mask))
        + 0.1 * F.mse_loss(depth, true_depth)
        + 1.0 * F.mse_loss(mask, true_mask)
        + 1e-6 * F.l1_loss(depth, true_depth)
        + 1e-6 * F.l1_loss(mask, true_mask)
    )
