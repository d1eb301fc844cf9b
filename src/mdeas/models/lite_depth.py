"""`lite-depth`: all of EfficientNet-Lite0 on the image at full size, and a decoder for its depth.

Ten times the work of `twin`: it is what `twin` learns the depth of photographs from that have none.
"""

from torch import Tensor, nn

from mdeas.models import register
from mdeas.models.base import PairNetwork
from mdeas.models.blocks import double
from mdeas.models.depth_decoder import DepthDecoder
from mdeas.models.lite import LiteEncoder


@register("lite-depth", reference="this project; encoder: EfficientNet-Lite0", parameters=3_095_985)
def lite_depth(pretrained: bool = False) -> PairNetwork:
    """Depth of one photo. pretrained: the encoder's weights, see pretrained.lite0_state."""
    core = LiteDepthCore((48, 64, 96, 128))
    if pretrained:
        core.encoder.load_published()
    return PairNetwork(core, multiple=32, mean=None, heads=("depth",), photos=("image",))


class LiteDepthCore(nn.Module):
    """(B, 3, h, w) -> depth (B, 1, h, w); h and w multiples of 32.

    Input: widths: of the decoder at 1/4, 1/8, 1/16 and 1/32.
    """

    def __init__(self, widths: tuple[int, ...]):
        super().__init__()
        self.encoder = LiteEncoder(7)
        self.depth_decoder = DepthDecoder(LiteEncoder.widths[1:], widths)

    def forward(self, image: Tensor) -> Tensor:
        """See the class."""
        _, second = self.encoder.shallow(image)
        third, fourth = self.encoder.deep(second)
        return double(self.depth_decoder(second, third, fourth, self.encoder.deepest(fourth)), 4)
