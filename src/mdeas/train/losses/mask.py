"""Loss terms of the mask."""

from torch import Tensor
from torch.nn import functional as F

from mdeas.train.losses.ssim import ssim_map
from mdeas.train.losses.views import Views, root, soft_dice

_EDGE = 7  # pixels; width of the band that mask_bce_edge weights higher
_EDGE_WEIGHT = 4.0


def mask_ssim(v: Views) -> Tensor:
    """1 - SSIM of the mask."""
    return 1 - ssim_map(v.alpha, v.mask).mean()


def mask_mse(v: Views) -> Tensor:
    """Mean squared difference of the mask."""
    return F.mse_loss(v.alpha, v.mask)


def mask_rmse(v: Views) -> Tensor:
    """Root of the mean squared difference of the mask, over the whole batch."""
    return root(mask_mse(v))


def mask_l1(v: Views) -> Tensor:
    """Mean absolute difference of the mask."""
    return F.l1_loss(v.alpha, v.mask)


def mask_bce(v: Views) -> Tensor:
    """Binary cross-entropy of the logits; the true mask may be soft."""
    return F.binary_cross_entropy_with_logits(v.logits, v.mask)


def mask_bce_edge(v: Views) -> Tensor:
    """Binary cross-entropy in which pixels within 3 of the true outline count five times."""
    radius = _EDGE // 2
    grown = F.max_pool2d(v.mask, _EDGE, 1, radius)
    shrunk = -F.max_pool2d(-v.mask, _EDGE, 1, radius)
    weight = 1 + _EDGE_WEIGHT * (grown - shrunk)
    loss = F.binary_cross_entropy_with_logits(v.logits, v.mask, reduction="none")
    return (loss * weight).sum() / weight.sum()


def mask_dice(v: Views) -> Tensor:
    """Soft Dice, mean over pictures; see `soft_dice`."""
    return soft_dice(v.alpha, v.mask).mean()


def mask_sparsity(v: Views) -> Tensor:
    """Mean of the predicted mask, whatever the truth: rewards small masks (Hu et al., ICCV 2019)."""
    return v.alpha.mean()
