"""The encoder of EfficientNet-Lite0, built from timm's layers.

Tan and Le, arXiv 1905.11946; the Lite variants, without squeeze and excitation: Google, 2020.
"""

from typing import Any

from torch import Tensor, nn

from mdeas.models.pretrained import build_timm, lite0_state


class LiteEncoder(nn.Module):
    """The first five of seven stages; the fifth without its last block, which did not improve results."""

    widths = (16, 24, 40, 112)
    """Channels of the features at 1/2, 1/4, 1/8 and 1/16."""
    blocks: nn.Sequential

    def __init__(self) -> None:
        super().__init__()
        whole: Any = build_timm("efficientnet_lite0", pretrained=False, bn_eps=1e-3)  # as published
        del whole.blocks[4][2]
        self.conv_stem, self.bn1, self.blocks = whole.conv_stem, whole.bn1, whole.blocks[:5]

    def load_published(self) -> None:
        """Load the published weights; errors as in pretrained.lite0_state."""
        published = lite0_state()
        self.load_state_dict({name: published[name] for name in self.state_dict()}, strict=True)

    def shallow(self, photo: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, h, w) in [0, 1] -> features at 1/2 and 1/4."""
        first = self.blocks[0](self.bn1(self.conv_stem(2 * photo - 1)))  # trained on [-1, 1]
        return first, self.blocks[1](first)

    def deep(self, second: Tensor) -> tuple[Tensor, Tensor]:
        """Features at 1/4 -> features at 1/8 and 1/16."""
        third = self.blocks[2](second)
        return third, self.blocks[4](self.blocks[3](third))
