"""`timm-unet`: a U-Net with any timm backbone as its encoder; both photos form one input of six channels.

For licences see pretrained.py. Shapes in comments are for a 224×224 pair and efficientnet_lite0.
"""

import difflib
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from mdeas.errors import UsageError
from mdeas.models.base import PairNetwork
from mdeas.models.blocks import DoubleConv, enlarge
from mdeas.models.pretrained import build_timm, import_timm
from mdeas.models.registry import register

# Options with which a backbone takes any size: none (convolutions), or the option of its family.
_ANY_SIZE: tuple[dict[str, bool], ...] = ({}, {"dynamic_img_size": True}, {"strict_img_size": False})


@register("timm-unet", reference="Ronneberger et al. 2015; encoder from timm", parameters=5_200_770)
def timm_unet(backbone: str = "efficientnet_lite0", pretrained: bool = False) -> PairNetwork:
    """A U-Net on a timm backbone.

    backbone: name of a timm model; the tag of its weights may follow: "resnet18.a1_in1k"
    pretrained: load the encoder's weights from the Hugging Face hub or the cache; the first convolution's
        weights are repeated for the second photo
    Errors: UsageError E-MODEL-BACKBONE; ModelError E-MODEL-PACKAGE, E-MODEL-WEIGHTS.
    """
    timm = import_timm()
    options = _encoder_options(timm, backbone)
    core = TimmUNet(build_timm(backbone, pretrained=pretrained, **options))
    norm = timm.get_pretrained_cfg(backbone)
    return PairNetwork(core, multiple=core.multiple, mean=norm.mean, std=norm.std)


class TimmUNet(nn.Module):
    """(B, 3, h, w) twice -> mask logits and depth (B, 1, h, w); h and w multiples of the last reduction.

    Input: encoder: a timm model with features_only and in_chans=6.
    """

    def __init__(self, encoder: nn.Module):
        super().__init__()
        self.encoder = encoder
        self.channels_last = str(getattr(encoder, "output_fmt", "NCHW")).endswith("NHWC")
        info: Any = encoder.feature_info
        self.multiple: int = max(info.reduction())
        channels, reductions = [6, *info.channels()], [1, *info.reduction()]
        widths = [16 * min(reduction, 16) for reduction in reductions[:-1]]
        deeper = [*widths[1:], channels[-1]]
        # In the encoder's order, from full size down; forward runs through them in reverse.
        self.ups = nn.ModuleList(
            DoubleConv(below + skip, out, out)
            for below, skip, out in zip(deeper, channels[:-1], widths, strict=True)
        )
        self.mask_head = nn.Conv2d(widths[0], 1, 1)
        self.depth_head = nn.Conv2d(widths[0], 1, 1)

    def forward(self, background: Tensor, image: Tensor) -> tuple[Tensor, Tensor]:
        photos = torch.cat([background, image], 1)  # 6 × 224
        levels = self.encoder(photos)  # 16 × 112, 24 × 56, 40 × 28, 112 × 14, 320 × 7
        if self.channels_last:
            levels = [level.permute(0, 3, 1, 2) for level in levels]
        skips, x = [photos, *levels[:-1]], levels[-1]
        for up, skip in zip(reversed(self.ups), reversed(skips), strict=True):
            x = enlarge(x, skip.shape[-2:])
            x = up(torch.cat([x, skip], 1))  # 256 × 14, 128 × 28, 64 × 56, 32 × 112, 16 × 224
        return self.mask_head(x), self.depth_head(x)


def _encoder_options(timm: ModuleType, backbone: str) -> dict[str, Any]:
    """The options of timm.create_model with which `backbone` becomes an encoder for pictures of any size.

    Candidates are tried on the meta device. Errors: UsageError E-MODEL-BACKBONE.
    """
    known = timm.list_models()
    if backbone.partition(".")[0] not in known:
        close = difflib.get_close_matches(backbone, known, n=5, cutoff=0.5)
        advice = f"Close: {', '.join(close)}" if close else "`timm.list_models()` in Python has all names"
        raise UsageError("E-MODEL-BACKBONE", f"timm has no backbone '{backbone}'. {advice}.")
    reasons = []
    for extra in _ANY_SIZE:
        options = {"features_only": True, "in_chans": 6, **extra}
        try:
            _try_sizes(timm, backbone, options)
            return options
        except (RuntimeError, AssertionError, TypeError, ValueError) as error:
            reasons.append(" ".join(str(error).split()) or type(error).__name__)
    raise UsageError(
        "E-MODEL-BACKBONE",
        f"'{backbone}' cannot be the encoder of pictures of any size ({reasons[0]}). Take another backbone,"
        " such as resnet18 or convnext_tiny.",
    )


def _try_sizes(timm: ModuleType, backbone: str, options: dict[str, Any]) -> None:
    with torch.device("meta"), torch.no_grad():
        core = TimmUNet(timm.create_model(backbone, **options)).eval()
        step = core.multiple
        for height, width in ((step, step), (2 * step, 3 * step)):
            core(*torch.empty(2, 1, 3, height, width))
