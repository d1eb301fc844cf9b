"""`unet-depth`, `unet-mask` (published system 1) and `unet-64` (the table of system 2): U-Nets with one head.

Ronneberger et al. 2015 with batch norm, bilinear up-sampling and padded convolutions.
"""

from typing import Literal

import torch
from torch import Tensor, nn

from mdeas.models.base import PairNetwork
from mdeas.models.blocks import DoubleConv, UNetDecoder, UNetEncoder
from mdeas.models.registry import register


@register("unet-depth", reference="system 1 (2020), U-Net with five downs", parameters=4_367_937)
def unet_depth(sigmoid: bool = False) -> PairNetwork:
    """Depth alone, from both photos. sigmoid: depth in [0, 1], for loss depth_bce."""
    core = UNet(6, DEPTH_WIDTHS, DEPTH_UPS)
    return PairNetwork(core, multiple=32, heads=("depth",), sigmoid_depth=sigmoid)


@register("unet-mask", reference="system 1 (2020), U-Net with four downs", parameters=4_321_473)
def unet_mask() -> PairNetwork:
    """Mask alone, from both photos."""
    return PairNetwork(UNet(6, MASK_WIDTHS, MASK_UPS), multiple=16, heads=("mask",))


@register("unet-64", reference="system 2's parameter table (2020); U-Net, MICCAI 2015", parameters=17_267_393)
def unet_64(task: Literal["mask", "depth"] = "mask") -> PairNetwork:
    """The plain U-Net in the parameter table of system 2: it takes the image alone and has one head."""
    core = UNet(3, (64, 128, 256, 512, 512), ((1024, 256), (512, 128), (256, 64), (128, 64)))
    return PairNetwork(core, multiple=16, heads=(task,), photos=("image",))


DEPTH_WIDTHS = (32, 32, 64, 128, 256, 256)
DEPTH_UPS = ((512, 128), (256, 64), (128, 32), (64, 32), (64, 32))
MASK_WIDTHS = (32, 64, 128, 256, 256)
MASK_UPS = ((512, 128), (256, 64), (128, 32), (64, 32))


class UNet(nn.Module):
    """Photos (B, 3, h, w) each -> (B, 1, h, w)."""

    def __init__(self, num_in: int, widths: tuple[int, ...], ups: tuple[tuple[int, int], ...]):
        super().__init__()
        self.first = DoubleConv(num_in, widths[0], widths[0])
        self.encoder = UNetEncoder(widths)
        self.decoder = UNetDecoder(ups)

    def forward(self, *photos: Tensor) -> Tensor:
        return self.decoder(self.encoder(self.first(torch.cat(photos, 1))))
