"""SSIM forward and backward: banded matrix products against plain 11x11 convolutions. Goal on CPU: 10x."""

import torch
from _published import ssim as convolved
from _timing import compare, report

from mdeas.train.losses.ssim import ssim_map

BATCH, SIZE = 8, 224


def banded(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    return ssim_map(first, second).mean()


def main() -> None:
    generator = torch.Generator().manual_seed(0)
    first, second = torch.rand(2, BATCH, 1, SIZE, SIZE, generator=generator)
    first.requires_grad_()

    def step(function):
        return lambda: torch.autograd.grad(function(first, second), first)[0]

    ours, rival = step(banded), step(convolved)
    value_gap = abs(banded(first, second) - convolved(first, second)).item()
    gradient_gap = (ours() - rival()).abs().max().item()
    print(f"SSIM: largest difference of the value {value_gap:.1e}, of the gradient {gradient_gap:.1e}")
    report(
        f"SSIM, {BATCH} pictures of {SIZE}x{SIZE}", *compare(ours, rival, rounds=15), "11x11 convolutions", 10
    )


if __name__ == "__main__":
    main()
