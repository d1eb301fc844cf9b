"""`wnet`: the two U-Nets of published system 1 with a shared first double convolution."""

import torch
from torch import Tensor, nn

from mdeas.models.base import PairNetwork
from mdeas.models.blocks import DoubleConv, UNetDecoder, UNetEncoder
from mdeas.models.registry import register
from mdeas.models.unet import DEPTH_UPS, DEPTH_WIDTHS, MASK_UPS, MASK_WIDTHS


@register("wnet", reference="system 1 (2020), both heads", parameters=8_678_274)
def wnet(sigmoid: bool = False) -> PairNetwork:
    """Mask and depth from both photos. sigmoid: depth in [0, 1], for loss depth_bce."""
    return PairNetwork(WNet(), multiple=32, sigmoid_depth=sigmoid)


class WNet(nn.Module):
    """(B, 3, h, w) twice -> mask logits and depth (B, 1, h, w); h and w multiples of 32."""

    def __init__(self) -> None:
        super().__init__()
        self.first = DoubleConv(6, 32, 32)
        self.mask_encoder, self.mask_decoder = UNetEncoder(MASK_WIDTHS), UNetDecoder(MASK_UPS)
        self.depth_encoder, self.depth_decoder = UNetEncoder(DEPTH_WIDTHS), UNetDecoder(DEPTH_UPS)

    def forward(self, background: Tensor, image: Tensor) -> tuple[Tensor, Tensor]:
        x = self.first(torch.cat([background, image], 1))
        return self.mask_decoder(self.mask_encoder(x)), self.depth_decoder(self.depth_encoder(x))
