"""Input of the loss terms: prediction and truth of a batch, and what several terms derive from them."""

from functools import cached_property

import torch
from torch import Tensor

from mdeas.batches.batch import Batch
from mdeas.models.base import Output

_SMOOTH = 1.0
_FLAT = 1e-3  # smallest mean deviation by which a depth map is divided, in the map's unit
_NO_ERROR = 1e-6  # keeps the gradient of a root mean square finite at 0


class Views:
    """Prediction and truth of a batch; quantities that several terms need are computed once."""

    def __init__(self, output: Output, batch: Batch):
        self.logits = output.mask_logits.float()
        self.depth = output.depth.float()
        self.mask = batch.mask
        self.inverse_depth = batch.inverse_depth
        self.known = batch.depth_known
        self.stretch = batch.stretch

    @cached_property
    def alpha(self) -> Tensor:
        """(B, 1, H, W) predicted mask in [0, 1]."""
        return self.logits.sigmoid()

    @cached_property
    def unit_depth(self) -> Tensor:
        """(B, 1, H, W) true inverse depth stretched to [0, 1] over each picture's known pixels, 0 elsewhere.

        Not stretched if `batch.stretch` is False: a teacher's depth is learnt at its own scale.
        """
        if not self.stretch:
            return torch.where(self.known, self.inverse_depth, 0.0)
        low = torch.where(self.known, self.inverse_depth, torch.inf).amin((1, 2, 3), keepdim=True)
        high = torch.where(self.known, self.inverse_depth, -torch.inf).amax((1, 2, 3), keepdim=True)
        scaled = (self.inverse_depth - low) / (high - low).clamp_min(torch.finfo(torch.float32).tiny)
        return torch.where(self.known, scaled, 0.0)

    @cached_property
    def known_depth(self) -> Tensor:
        """(B, 1, H, W) predicted depth, 0 where the truth is unknown."""
        return torch.where(self.known, self.depth, 0.0)

    @cached_property
    def slopes(self) -> tuple[Tensor, Tensor]:
        """float32 (B, 2, H - 2, W - 2) Sobel slopes along x and y: of `known_depth` and of `unit_depth`."""
        return sobel(self.known_depth), sobel(self.unit_depth)

    @cached_property
    def window_known(self) -> Tensor:
        """bool (B, 1, H - 2, W - 2): the 3×3 pixels that a slope is made of are all known."""
        columns = self.known[..., :-2] & self.known[..., 1:-1] & self.known[..., 2:]
        return columns[..., :-2, :] & columns[..., 1:-1, :] & columns[..., 2:, :]

    @cached_property
    def depth_residual(self) -> Tensor:
        """(B, 1, H, W) difference of the standardised depths, 0 where unknown; see `standardised`."""
        difference = standardised(self.depth, self.known) - standardised(self.inverse_depth, self.known)
        return torch.where(self.known, difference, 0.0)

    def mean_known(self, values: Tensor) -> Tensor:
        """Mean over known pixels of the batch; 0 when there is none."""
        return mean_where(self.known, values)


def mean_where(where: Tensor, values: Tensor) -> Tensor:
    """Mean of `values` over the entries in which `where` (bool, same shape) holds; 0 for none."""
    weight = where.float()
    return (values * weight).sum() / weight.sum().clamp_min(1.0)


def soft_dice(first: Tensor, second: Tensor) -> Tensor:
    """1 - soft Dice with squared denominators and smoothing 1 of each picture (Milletari et al. 2016).

    Input: float32 (B, 1, H, W) each. Output: float32 (B,).
    """
    overlap = (first * second).sum((1, 2, 3))
    squares = (first.square() + second.square()).sum((1, 2, 3))
    return 1 - (2 * overlap + _SMOOTH) / (squares + _SMOOTH)


def root(mean_square: Tensor) -> Tensor:
    """Square root that is 0 at 0, with a finite gradient there; elsewhere less by at most 1e-6."""
    return (mean_square + _NO_ERROR**2).sqrt() - _NO_ERROR


def sobel(depth: Tensor) -> Tensor:
    """Sobel slopes along x and y, times 8: (B, 1, H, W) -> (B, 2, H - 2, W - 2).

    Only for 3×3 windows inside the picture: padding would add false slopes.
    """
    down = depth[..., :-2, :] + 2 * depth[..., 1:-1, :] + depth[..., 2:, :]
    across = depth[..., :-2] + 2 * depth[..., 1:-1] + depth[..., 2:]
    return torch.cat([down[..., 2:] - down[..., :-2], across[..., 2:, :] - across[..., :-2, :]], 1)


def standardised(depth: Tensor, known: Tensor) -> Tensor:
    """Depth with each picture's median moved to 0 and mean absolute deviation scaled to 1, over known pixels.

    Source: MiDaS (Ranftl et al., arXiv 1907.01341), equations 5-7. Its other alignment, least squares, can
    choose a negative scale, which swaps near and far; this one cannot.
    Input: float32 (B, 1, H, W), bool (B, 1, H, W). Output: float32 (B, 1, H, W), 0 where unknown.
    """
    median = torch.where(known, depth.detach(), torch.nan).flatten(1).nanmedian(1).values
    median = median.nan_to_num(0.0).view(-1, 1, 1, 1)
    centred = torch.where(known, depth - median, 0.0)
    count = known.sum((1, 2, 3), keepdim=True).clamp_min(1)
    spread = centred.abs().sum((1, 2, 3), keepdim=True) / count
    return centred / spread.clamp_min(_FLAT)
