"""Surface textures: a bank of small tiles, procedural or cut from photographs.

A tile is uint8 (SIDE, SIDE, 3) sRGB; it repeats over a surface. A bank holds its tiles at all mip levels in
linear light, so that far surfaces do not alias. Procedural tile k depends on (seed, k) alone.
"""

from collections.abc import Callable

import cv2
import numpy as np
import torch
from torch import Tensor

SIDE = 128
_STREAM = 7001  # second number of the seed of a procedural tile

Tile = np.ndarray
Rng = np.random.Generator


def _colour(rng: Rng) -> np.ndarray:
    """Draw a colour, float32 (3,) in [0, 1]: mostly muted, sometimes vivid."""
    hsv = np.array([[[rng.uniform(0, 360), rng.beta(1.1, 3.0), rng.uniform(0.08, 0.95)]]], np.float32)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0, 0]


def _blend(weight: np.ndarray, rng: Rng) -> Tile:
    """Mix two random colours by `weight`, (SIDE, SIDE) in [0, 1]."""
    a, b = _colour(rng), _colour(rng)
    if rng.random() < 0.6:
        b = np.clip(a * rng.uniform(0.5, 1.5) + rng.uniform(-0.1, 0.1, 3), 0, 1)
    mixed = a + weight[..., None] * (b - a)
    return (np.clip(mixed, 0, 1) * 255).astype(np.uint8)


def _noise(rng: Rng, cells: int) -> np.ndarray:
    """Draw periodic smooth noise, (SIDE, SIDE) in [0, 1], from a grid of `cells` x `cells` values."""
    grid = np.pad(rng.random((cells, cells), np.float32), 2, mode="wrap")
    big = cv2.resize(grid, None, fx=SIDE / cells, fy=SIDE / cells, interpolation=cv2.INTER_CUBIC)
    edge = 2 * SIDE // cells
    return np.clip(big[edge : edge + SIDE, edge : edge + SIDE], 0, 1)


def _fractal_weight(rng: Rng, roughness: float) -> np.ndarray:
    """Sum noise of six octaves, (SIDE, SIDE) in [0, 1]; each weighs `roughness` times the one before."""
    octaves = [2, 4, 8, 16, 32, 64]
    weights = roughness ** np.arange(len(octaves))
    total = sum(w * _noise(rng, c) for w, c in zip(weights, octaves, strict=True)) / weights.sum()
    return (total - total.min()) / max(float(np.ptp(total)), 1e-6)


def _grid() -> tuple[np.ndarray, np.ndarray]:
    """Return x and y of every texel, float32 (SIDE, SIDE) in [0, 1)."""
    axis = np.arange(SIDE, dtype=np.float32) / SIDE
    return np.meshgrid(axis, axis)


def fractal(rng: Rng) -> Tile:
    return _blend(_fractal_weight(rng, rng.uniform(0.4, 1.0)), rng)


def wood(rng: Rng) -> Tile:
    _, y = _grid()
    warp = _fractal_weight(rng, 0.5) * rng.uniform(0.05, 0.4)
    fibre = cv2.blur(rng.random((SIDE, SIDE), np.float32), (31, 1), borderType=cv2.BORDER_REFLECT)
    rings = 0.5 + 0.5 * np.sin(2 * np.pi * rng.integers(2, 12) * (y + warp))
    return _blend(np.clip(0.6 * rings + 1.6 * (fibre - 0.5) + 0.2, 0, 1), rng)


def brick(rng: Rng) -> Tile:
    rows, columns = int(rng.integers(3, 9)), int(rng.integers(2, 6))
    x, y = _grid()
    row = np.floor(y * rows)
    column = x * columns + 0.5 * (row % 2)
    joint = rng.uniform(0.03, 0.12)
    mortar = (np.minimum(y * rows % 1, column % 1) < joint).astype(np.float32)
    shade = rng.random((rows, columns + 1), np.float32)[
        row.astype(int), np.floor(column).astype(int) % columns
    ]
    tile = _blend(np.clip(0.7 * shade + 0.3 * _fractal_weight(rng, 0.8), 0, 1), rng).astype(np.float32)
    return (tile + mortar[..., None] * (_colour(rng) * 255 - tile)).astype(np.uint8)


def tiled(rng: Rng) -> Tile:
    count = int(rng.integers(2, 9))
    x, y = _grid()
    checker = (np.floor(x * count) + np.floor(y * count)) % 2 * rng.integers(0, 2)
    joint = np.minimum(x * count % 1, y * count % 1) < rng.uniform(0.02, 0.08)
    weight = np.clip(checker * 0.8 + 0.2 * _fractal_weight(rng, 0.7), 0, 1)
    tile = _blend(weight, rng)
    tile[joint] = (_colour(rng) * 255).astype(np.uint8)
    return tile


def stripe(rng: Rng) -> Tile:
    x, y = _grid()
    phase = (x if rng.random() < 0.5 else y) * rng.integers(2, 16)
    hard = rng.random() < 0.5
    wave = (
        (phase % 1 < rng.uniform(0.2, 0.8)).astype(np.float32)
        if hard
        else 0.5 + 0.5 * np.sin(2 * np.pi * phase)
    )
    return _blend(wave, rng)


def gradient(rng: Rng) -> Tile:
    x, y = _grid()
    return _blend(0.5 + 0.5 * np.sin(2 * np.pi * (x if rng.random() < 0.5 else y)), rng)


def speckle(rng: Rng) -> Tile:
    points = (rng.random((SIDE, SIDE)) < rng.uniform(0.01, 0.2)).astype(np.float32)
    return _blend(np.clip(cv2.GaussianBlur(points, (0, 0), rng.uniform(0.5, 2.0)) * 4, 0, 1), rng)


def clutter(rng: Rng) -> Tile:
    """Draw boxes, outlines and letters, as on packages, books and posters."""
    tile = _blend(_fractal_weight(rng, 0.4) * 0.3, rng)
    for _ in range(int(rng.integers(2, 10))):
        ink = tuple(int(c) for c in _colour(rng) * 255)
        x, y = (int(v) for v in rng.integers(0, SIDE - 10, 2))
        w, h = (int(v) for v in rng.integers(6, 70, 2))
        if rng.random() < 0.5:
            cv2.rectangle(tile, (x, y), (x + w, y + h), ink, -1 if rng.random() < 0.6 else 2)
        else:
            word = "".join(chr(c) for c in rng.integers(65, 91, rng.integers(2, 9)))
            cv2.putText(
                tile, word, (x, y + 10), cv2.FONT_HERSHEY_SIMPLEX, rng.uniform(0.3, 1.2), ink, 1, cv2.LINE_AA
            )
    return tile


PROCEDURES: tuple[Callable[[Rng], Tile], ...] = (
    fractal, fractal, wood, brick, tiled, stripe, gradient, speckle, clutter, clutter,
)  # fmt: skip
"""Tile k is drawn by function k modulo their number; one that is listed twice is twice as frequent."""


def procedural_tile(seed: int, index: int) -> Tile:
    """Draw procedural tile `index`, uint8 (SIDE, SIDE, 3) sRGB."""
    rng = np.random.default_rng([seed, _STREAM, index])
    return PROCEDURES[index % len(PROCEDURES)](rng)


def photo_tile(photo: np.ndarray, rng: Rng) -> Tile:
    """Draw a square crop of a photo, uint8 (H, W, 3), resized to a tile; its edges do not match."""
    side = int(min(photo.shape[:2]) * rng.uniform(0.5, 1.0))
    top, left = (int(rng.integers(0, n - side + 1)) for n in photo.shape[:2])
    crop = photo[top : top + side, left : left + side]
    return cv2.resize(crop, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR if side <= SIDE else cv2.INTER_AREA)


class TextureBank:
    """T tiles with their mip levels on one device."""

    def __init__(self, tiles: list[Tile], device: torch.device | str = "cpu"):
        """Input: tiles: uint8 (S, S, 3) sRGB each, of one side S, a power of two."""
        linear = torch.from_numpy(np.stack(tiles)).to(device).permute(0, 3, 1, 2).float().div(255).pow(2.2)
        self.count, self.side = len(tiles), tiles[0].shape[0]
        self.num_levels = self.side.bit_length() - 1
        self.mean = linear.mean((2, 3))
        """(T, 3) linear."""
        levels = [torch.nn.functional.avg_pool2d(linear, 2**k) for k in range(self.num_levels)]
        self.texels = torch.cat([level.flatten(2) for level in levels], 2).permute(0, 2, 1).contiguous()
        """(T, sum of level sizes, 3): all levels of a tile in one row."""
        sizes = [(self.side >> k) ** 2 for k in range(self.num_levels)]
        self.offsets = torch.tensor(np.cumsum([0, *sizes]), device=device)

    def sample(self, tile: Tensor, uv: Tensor, footprint: Tensor) -> Tensor:
        """Look up colours by bilinear interpolation in the mip level that fits the footprint.

        Input: tile (B, P) int64; uv (B, 2, P) in tiles, any range (tiles repeat);
            footprint (B, P): width of a pixel on the surface, in tiles.
        Output: (B, 3, P) linear RGB.
        """
        level = (footprint * self.side).clamp_min(1).log2().round().clamp_max(self.num_levels - 1).long()
        side = self.side >> level
        at = uv.remainder(1.0) * side[:, None] - 0.5
        low = at.floor()
        fraction = at - low
        base = tile * self.texels.shape[1] + self.offsets[level]
        low = low.long()
        x0, y0 = low[:, 0].remainder(side), low[:, 1].remainder(side)
        x1, y1 = (x0 + 1).remainder(side), (y0 + 1).remainder(side)
        fx, fy = fraction[:, 0, :, None], fraction[:, 1, :, None]
        texel = self.texels.view(-1, 3)
        top = torch.lerp(texel[base + y0 * side + x0], texel[base + y0 * side + x1], fx)
        bottom = torch.lerp(texel[base + y1 * side + x0], texel[base + y1 * side + x1], fx)
        return torch.lerp(top, bottom, fy).permute(0, 2, 1)
