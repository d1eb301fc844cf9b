"""Convert scenes to tensors: primitives grouped by kind for intersection, and one table of their surfaces."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from mdeas.create.scenes.render.shapes import KINDS, Shapes
from mdeas.create.scenes.scene import Primitive, Scene, Surface
from mdeas.create.scenes.texture import TextureBank

COLUMNS = {"rotation": (0, 9), "centre": (9, 12), "half": (12, 15), "radius": (15, 16), "kind": (16, 17),
           "tile": (17, 18), "tile_m": (18, 19), "base": (19, 22), "contrast": (22, 23), "gloss": (23, 24),
           "emission": (24, 25), "added": (25, 26)}  # fmt: skip
"""First and last-plus-one row of each quantity in the surface table."""
WIDTH = 26


@dataclass(frozen=True, kw_only=True)
class Pack:
    """A batch of B scenes as tensors."""

    still: list[Shapes]
    """Primitives in both photos."""
    added: list[Shapes]
    """Primitives in `image` only."""
    table: Tensor
    """(B, WIDTH, N) float32: one column per primitive; COLUMNS names the rows."""
    cutouts: Tensor | None
    """(C, 4, A, A) float32 linear RGB and alpha of the billboards' pictures."""


def _row(p: Primitive, bank_mean: np.ndarray) -> np.ndarray:
    """Return a primitive's entry in the table, float32 (WIDTH,); `bank_mean`: (T, 3) mean of each texture."""
    s = p.surface
    if p.kind == "billboard":
        base, contrast = np.zeros(3), 0.0
    else:
        mean = bank_mean[s.tile]
        base, contrast = np.where(np.isnan(s.base), mean, s.base) - s.contrast * mean, s.contrast
    numbers = [
        p.radius,
        KINDS.index(p.kind),
        s.tile,
        s.tile_m,
        *base,
        contrast,
        s.gloss,
        s.emission,
        float(p.added),
    ]
    return np.concatenate([p.rotation.reshape(9), p.centre, p.half, numbers]).astype(np.float32)


_FILLER = Primitive(
    kind="box",
    centre=np.array([0, -1e4, 0]),
    half=np.full(3, 1e-3),
    rotation=np.eye(3),
    surface=Surface(tile=0, tile_m=1.0, base=np.zeros(3), contrast=0.0),
)


def mesh_scale(p: Primitive) -> float:
    """Return metres in the scene per metre in the mesh's file; 1 for a primitive without a mesh."""
    return 1.0 if p.mesh is None else float(p.half.max() / p.mesh.half.max())


def _group(
    kind: str, scenes: list[list[Primitive]], first: int, cutouts: Tensor | None, device: torch.device | str
) -> Shapes:
    """Convert the primitives of one kind, by scene, to Shapes; `first`: see Shapes."""
    width = max(len(s) for s in scenes)
    rows = [s + [_FILLER] * (width - len(s)) for s in scenes]

    def tensor(values: ArrayLike) -> Tensor:
        return torch.as_tensor(np.asarray(values, np.float32), device=device)

    half = tensor([[p.half for p in r] for r in rows])
    inverse = tensor([[p.rotation.T for p in r] for r in rows])
    to_local = inverse if kind == "rounded" else inverse / half[..., None]
    meshes = None
    if kind == "mesh":
        meshes = [[p.mesh for p in r] for r in rows]
        to_local = inverse / tensor([[mesh_scale(p) for p in r] for r in rows])[..., None, None]
        half = tensor([[p.half if p.mesh is None else p.mesh.half for p in r] for r in rows])
    alpha = None
    if kind == "billboard":
        assert cutouts is not None, "billboards come with cut-outs"
        chosen = [[p.surface.tile for p in r] for r in rows]
        alpha = cutouts[torch.as_tensor(chosen, device=device), 3]
    return Shapes(
        kind=kind, to_local=to_local, centre=tensor([[p.centre for p in r] for r in rows]), half=half,
        radius=tensor([[p.radius for p in r] for r in rows]), first=first, alpha=alpha,
        meshes=meshes,
    )  # fmt: skip


def pack(scenes: list[Scene], bank: TextureBank, cutouts: Tensor | None, device: torch.device | str) -> Pack:
    """Convert scenes to tensors on a device; scenes with fewer primitives get tiny boxes far below ground."""
    mean = bank.mean.cpu().numpy()
    empty = np.zeros((1, WIDTH), np.float32)
    tables: list[list[np.ndarray]] = [[] for _ in scenes]
    groups: dict[bool, list[Shapes]] = {False: [], True: []}
    first = 0
    for added in (False, True):
        for kind in KINDS:
            chosen = [[p for p in s.primitives if p.kind == kind and p.added == added] for s in scenes]
            width = max(len(c) for c in chosen)
            if not width:
                continue
            groups[added].append(_group(kind, chosen, first, cutouts, device))
            for table, rows in zip(tables, chosen, strict=True):
                table += [_row(p, mean)[None] for p in rows] + [empty] * (width - len(rows))
            first += width
    stacked = np.stack([np.concatenate(t) for t in tables]).transpose(0, 2, 1)
    return Pack(
        still=groups[False],
        added=groups[True],
        table=torch.as_tensor(stacked.copy(), device=device),
        cutouts=cutouts,
    )


def column(surface: Tensor, name: str) -> Tensor:
    """Return the rows `name` of a surface table (B, WIDTH, ...), see COLUMNS."""
    low, high = COLUMNS[name]
    return surface[:, low:high]
