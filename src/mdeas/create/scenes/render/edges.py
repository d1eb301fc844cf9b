"""Anti-aliasing: extra visibility rays for pixels whose neighbours show another surface."""

import torch
import torch.nn.functional as F
from torch import Tensor

PIXELS_PER_EDGE = 6
"""One pixel in this many gets extra rays: those with most neighbours on other surfaces."""
SUBRAYS = ((-0.375, 0.125), (-0.125, -0.375), (0.125, 0.375), (0.375, -0.125))
"""Offsets (x, y) of the extra rays from the pixel centre, in pixels: a rotated grid."""


def edge_pixels(label: Tensor, size: int) -> Tensor:
    """Choose the pixels for extra rays: int64 (B, K), indices into P = size * size pixels.

    Input: label (B, P) int64: the surface that each pixel shows.
    """
    grid = label.view(-1, size, size)
    across = (grid[:, :, 1:] != grid[:, :, :-1]).float()
    down = (grid[:, 1:] != grid[:, :-1]).float()
    score = torch.zeros_like(grid, dtype=torch.float32)
    score[:, :, 1:] += across
    score[:, :, :-1] += across
    score[:, 1:] += down
    score[:, :-1] += down
    return score.flatten(1).topk(size * size // PIXELS_PER_EDGE, dim=1).indices


def smooth_edges(colour: Tensor, label: Tensor, sub: list[Tensor], where: Tensor, size: int) -> Tensor:
    """Average the colours of the extra rays at edge pixels; return the colours (B, 3, P).

    A ray takes the colour of a neighbouring pixel that shows the same surface; without one, of its own pixel.
    Input: colour (B, 3, P); label (B, P) int64; sub: per extra ray the label that it hits, (B, K);
        where (B, K): indices of the edge pixels.
    """
    b = colour.shape[0]
    grid = F.pad(
        torch.cat([colour, label[:, None].float()], 1).view(b, 4, size, size), (1, 1, 1, 1), mode="replicate"
    )
    span = size + 2
    centre = (where // size + 1) * span + where % size + 1
    flat = grid.flatten(2)
    mixed = torch.zeros(b, 3, where.shape[1], device=colour.device)
    own = colour.gather(2, where[:, None].expand(-1, 3, -1))
    steps = [dy * span + dx for dy in (0, -1, 1) for dx in (0, -1, 1)]
    near = torch.stack([flat.gather(2, (centre + s)[:, None].expand(-1, 4, -1)) for s in steps])
    for seen in sub:
        same = near[:, :, 3] == seen.float()
        first = same.float().argmax(0)
        taken = near[:, :, :3].gather(0, first[None, :, None].expand(1, -1, 3, -1))[0]
        mixed += torch.where(same.any(0)[:, None], taken, own)
    return colour.scatter(2, where[:, None].expand(-1, 3, -1), mixed / len(sub))
