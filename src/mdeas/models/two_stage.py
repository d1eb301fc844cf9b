"""Published system 3 in both orders: one network predicts the mask, the other depth from mask × image."""

from torch import Tensor, nn

from mdeas.models.base import PairNetwork
from mdeas.models.drn_mask import DrnMask
from mdeas.models.hu_resnet50 import HuResNet50
from mdeas.models.registry import register

_PARAMETERS = 67_569_473 + 25_259_761


@register("hu-drn", reference="system 3 (2020), the order of its write-up", parameters=_PARAMETERS)
def hu_drn() -> PairNetwork:
    """Mask by hu-resnet50, depth by the dilated network from mask × image."""
    return _pair(HuResNet50(), DrnMask())


@register("drn-hu", reference="system 3's source: Hu et al., ICCV 2019", parameters=_PARAMETERS)
def drn_hu() -> PairNetwork:
    """Mask by the dilated network, depth by hu-resnet50 from mask × image."""
    return _pair(DrnMask(), HuResNet50())


def _pair(mask_network: nn.Module, depth_network: nn.Module) -> PairNetwork:
    return PairNetwork(TwoStage(mask_network, depth_network), multiple=1, photos=("image",))


class TwoStage(nn.Module):
    """Normalised image (B, 3, h, w) -> mask logits and depth (B, 1, h, w).

    The second network sees the image where the mask is 1 and the mean colour (zero) where it is 0.
    """

    def __init__(self, mask_network: nn.Module, depth_network: nn.Module):
        super().__init__()
        self.mask_network, self.depth_network = mask_network, depth_network

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        mask_logits = self.mask_network(image)
        return mask_logits, self.depth_network(mask_logits.sigmoid() * image)
