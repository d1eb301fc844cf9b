"""`twin-unet`: two light U-Nets that share no weights (published system 4)."""

from torch import Tensor, nn

from mdeas.models.base import PairNetwork
from mdeas.models.registry import register
from mdeas.models.unet import DEPTH_UPS, DEPTH_WIDTHS, UNet


@register("twin-unet", reference="system 4 (2020)", parameters=5_403_938)
def twin_unet() -> PairNetwork:
    """Mask and depth from both photos."""
    return PairNetwork(TwinUNet(), multiple=16)


class TwinUNet(nn.Module):
    """(B, 3, h, w) twice -> mask logits and depth (B, 1, h, w); h and w multiples of 16."""

    def __init__(self) -> None:
        super().__init__()
        self.mask = UNet(6, (16, 32, 64, 128, 128), ((256, 64), (128, 32), (64, 16), (32, 16)))
        self.depth = UNet(6, DEPTH_WIDTHS[1:], DEPTH_UPS[:-1])

    def forward(self, background: Tensor, image: Tensor) -> tuple[Tensor, Tensor]:
        return self.mask(background, image), self.depth(background, image)
