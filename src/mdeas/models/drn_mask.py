"""`drn-mask`: dilated residual network DRN-D-22 (Yu et al., CVPR 2017) with up-projections (system 3)."""

from typing import Literal

from torch import Tensor, nn
from torch.nn import functional as F

from mdeas.models.base import PairNetwork
from mdeas.models.blocks import ConvUnit
from mdeas.models.registry import register
from mdeas.models.up_projection import UpDecoder

NUM_CLASSES = 1000


@register("drn-mask", reference="system 3 (2020); DRN-D-22, CVPR 2017", parameters=25_259_761)
def drn_mask(task: Literal["mask", "depth"] = "mask") -> PairNetwork:
    """One head, from the image alone. The published head ends in a sigmoid; here it returns logits."""
    return PairNetwork(DrnMask(), multiple=1, heads=(task,), photos=("image",))


class Basic(nn.Module):
    """Residual block of two 3×3 convolutions; the first has the stride, both have the dilation."""

    def __init__(self, num_in: int, num_out: int, stride: int, dilation: int):
        super().__init__()
        self.conv1 = nn.Conv2d(num_in, num_out, 3, stride, dilation, dilation, bias=False)
        self.bn1 = nn.BatchNorm2d(num_out)
        self.conv2 = nn.Conv2d(num_out, num_out, 3, 1, dilation, dilation, bias=False)
        self.bn2 = nn.BatchNorm2d(num_out)
        self.downsample: nn.Module = nn.Identity()
        if stride != 1 or num_in != num_out:
            project = nn.Conv2d(num_in, num_out, 1, stride, bias=False)
            self.downsample = nn.Sequential(project, nn.BatchNorm2d(num_out))

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)) + self.downsample(x))


def _level(num_in: int, num_out: int, stride: int, dilation: int) -> nn.Sequential:
    return nn.Sequential(Basic(num_in, num_out, stride, dilation), Basic(num_out, num_out, 1, dilation))


class DrnD22(nn.Module):
    """(B, 3, h, w) -> features at 1/8 with 512 channels, and the sizes (h, w) at 1/4, 1/2 and 1."""

    def __init__(self) -> None:
        super().__init__()
        self.at1 = nn.Sequential(ConvUnit(3, 16, 7), ConvUnit(16, 16))
        self.at2 = ConvUnit(16, 32, stride=2)
        self.at4 = _level(32, 64, 2, 1)
        self.at8 = nn.Sequential(
            _level(64, 128, 2, 1),
            _level(128, 256, 1, 2),
            _level(256, 512, 1, 4),
            ConvUnit(512, 512, dilation=2),
            ConvUnit(512, 512),
        )

    def forward(self, image: Tensor) -> tuple[Tensor, list[tuple[int, int]]]:
        x, sizes = image, list[tuple[int, int]]()
        for part in (self.at1, self.at2, self.at4):
            x = part(x)
            sizes.insert(0, (x.shape[-2], x.shape[-1]))
        return self.at8(x), sizes


class DrnClassifier(nn.Module):
    """The encoder with its 1000-way classifier: the published parameter count, 16,393,752, includes it.

    Input: (B, 3, h, w). Output: (B, 1000) class logits.
    """

    def __init__(self) -> None:
        super().__init__()
        self.encoder = DrnD22()
        self.head = nn.Conv2d(512, NUM_CLASSES, 1)

    def forward(self, image: Tensor) -> Tensor:
        features, _ = self.encoder(image)
        return self.head(features.mean((2, 3), keepdim=True)).flatten(1)


class DrnMask(nn.Module):
    """Normalised image (B, 3, h, w) -> (B, 1, h, w)."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = DrnD22()
        self.decoder = UpDecoder(512, 256, 128, 64)
        self.head = nn.Conv2d(64, 1, 3, padding=1)

    def forward(self, image: Tensor) -> Tensor:
        return self.head(self.decoder(*self.encoder(image)))
