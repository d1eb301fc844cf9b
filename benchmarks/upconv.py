"""5x5 convolution of an enlarged map, forward and backward: `taps_first` or enlarging first. Goal: 2x."""

import torch
from _timing import compare, report
from torch.nn import functional as F

from mdeas.models.upconv import enlarge, taps_first

LEVELS = {
    "decoder, 512 to 256 channels at 24x24": (512, 512, 12, 24),
    "fusion, 1024 channels at 48x48": (1024, 32, 6, 48),
}
BATCH = 4


def main() -> None:
    for what, (num_in, num_out, small, large) in LEVELS.items():
        torch.manual_seed(0)
        weight = torch.randn(num_out, num_in, 5, 5, requires_grad=True)
        x = torch.randn(BATCH, num_in, small, small).contiguous(memory_format=torch.channels_last)
        x.requires_grad_()

        def ours(x=x, weight=weight, large=large) -> None:
            taps_first(x, weight, (large, large)).sum().backward()

        def plain(x=x, weight=weight, large=large) -> None:
            F.conv2d(enlarge(x, (large, large)), weight, padding=2).sum().backward()

        report(what, *compare(ours, plain, rounds=5), "enlarge and convolve", 2)


if __name__ == "__main__":
    main()
