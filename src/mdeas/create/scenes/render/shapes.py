"""Intersect rays with the primitives of scenes: convex ones in torch on any device, meshes by Embree.

Layout everywhere: B scenes, N primitives of one kind, P rays. A ray is origin + t * direction; camera rays
have a direction whose component along the optical axis is 1, so that their t is the depth in metres.
A ray is inside a convex shape for t in [enter, leave]; it hits if this interval is not empty and starts in
front of the camera.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mdeas.create.scenes.meshes.mesh import Mesh

MISS = float("inf")
NEAR = 1e-4
"""Least t of a hit."""
KINDS = ("room", "box", "ellipsoid", "cylinder", "rounded", "billboard", "mesh")
ROUNDED_STEPS = 9
"""Steps of sphere tracing."""


def unit(vector: Tensor) -> Tensor:
    """Scale (B, 3, P) to length 1; torch's own norm along dim 1 is ten times slower on a CPU."""
    return vector * vector.square().sum(1, keepdim=True).clamp_min(1e-20).rsqrt()


def dominant_axis(vector: Tensor) -> Tensor:
    """Find the largest of three components in magnitude, (B, 1, P) int64; faster than argmax along dim 1."""
    x, y, z = vector.abs().split(1, 1)
    return torch.where(x >= y, torch.where(x >= z, 0, 2), torch.where(y >= z, 1, 2))


@dataclass(frozen=True, kw_only=True)
class Shapes:
    """All primitives of one kind in a batch of scenes."""

    kind: str
    to_local: Tensor
    """(B, N, 3, 3): from the world into the local frame, in which all shapes are of unit size; but "rounded"
    keeps its size in metres, and "mesh" gets the size in its file."""
    centre: Tensor
    """(B, N, 3) metres, world."""
    half: Tensor
    """(B, N, 3) half extents in metres; "rounded": of its inner box; "mesh": in its file's metres."""
    radius: Tensor
    """(B, N) corner radius in metres, used by "rounded" only."""
    first: int
    """Index of primitive 0 of this kind in the scene's surface table."""
    alpha: Tensor | None = None
    """(B, N, A, A) in [0, 1], "billboard" only: the cut-out's alpha."""
    meshes: list[list[Mesh | None]] | None = None
    """By scene, a list of N, "mesh" only; None where a scene has fewer."""


def local_rays(shapes: Shapes, origin: Tensor, direction: Tensor) -> tuple[Tensor, Tensor]:
    """Transform rays into each primitive's frame.

    Input: origin (B, 3, 1 or P), direction (B, 3, P). Output: two of (B, N, 3, 1 or P).
    """
    b, n = shapes.centre.shape[:2]
    flat = shapes.to_local.reshape(b, n * 3, 3)
    shift = (shapes.to_local @ shapes.centre[..., None]).reshape(b, n * 3, 1)
    return (flat @ origin - shift).view(b, n, 3, -1), (flat @ direction).view(b, n, 3, -1)


def slab(origin: Tensor, direction: Tensor, half: Tensor | float = 1.0) -> tuple[Tensor, Tensor]:
    """Return enter and leave, (B, N, P) each, of rays (B, N, 3, P) and an axis-aligned box."""
    # Clamped, because a ray parallel to a face gives 1 / 0, and 0 * inf is NaN.
    inverse = direction.reciprocal().clamp_(-1e12, 1e12)
    middle = origin * inverse
    reach = (inverse * half).abs_()
    enter = (middle + reach).neg_().amax(2)
    return enter, (reach - middle).amin(2)


def _first_hit(enter: Tensor, leave: Tensor) -> Tensor:
    return enter.masked_fill_((enter >= leave) | (enter <= NEAR), MISS)


def hit_room(shapes: Shapes, origin: Tensor, direction: Tensor) -> Tensor:
    """Intersect a box seen from inside: the ray ends where it leaves the box."""
    return slab(*local_rays(shapes, origin, direction))[1]


def hit_box(shapes: Shapes, origin: Tensor, direction: Tensor) -> Tensor:
    return _first_hit(*slab(*local_rays(shapes, origin, direction)))


def _quadratic(a: Tensor, b: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    """Return the interval between the roots of a t^2 + 2 b t + c; it is empty where there are none."""
    a = a.clamp_min(1e-12)  # 0 for a ray along a cylinder's axis
    square = b * b - a * c
    root = square.clamp_min(0).sqrt_().masked_fill_(square < 0, -1.0)
    inverse = a.reciprocal()
    return (-b - root) * inverse, (root - b) * inverse


def hit_ellipsoid(shapes: Shapes, origin: Tensor, direction: Tensor) -> Tensor:
    o, d = local_rays(shapes, origin, direction)
    return _first_hit(*_quadratic((d * d).sum(2), (o * d).sum(2), (o * o).sum(2) - 1))


def hit_cylinder(shapes: Shapes, origin: Tensor, direction: Tensor) -> Tensor:
    """Intersect a cylinder along the local y axis; it is elliptic if its half extents differ."""
    o, d = local_rays(shapes, origin, direction)
    (ox, oy, oz), (dx, dy, dz) = o.unbind(2), d.unbind(2)
    enter, leave = _quadratic(dx * dx + dz * dz, ox * dx + oz * dz, ox * ox + oz * oz - 1)
    cap_in, cap_out = slab(oy.unsqueeze(2), dy.unsqueeze(2))
    return _first_hit(torch.maximum(enter, cap_in), torch.minimum(leave, cap_out))


def hit_rounded(shapes: Shapes, origin: Tensor, direction: Tensor) -> Tensor:
    """Intersect a rounded box or capsule by sphere tracing, from where a ray enters its bounding box.

    Distance function: I. Quilez, "distance functions" (article). The error is below 3 mm.
    """
    o, d = local_rays(shapes, origin, direction)
    half, radius = shapes.half[..., None], shapes.radius[..., None]
    enter, leave = slab(o, d, half + radius[..., None, :])
    # Few rays hit any bounding box; only these are traced.
    near = ((enter < leave) & (leave > NEAR)).flatten(0, 1).any(0).nonzero()[:, 0]
    o = o[..., near] if o.shape[-1] > 1 else o
    t = _trace_rounded(o, d[..., near], enter[..., near], leave[..., near], half, radius)
    return torch.full_like(enter, MISS).index_copy_(2, near, t)


def _trace_rounded(
    o: Tensor, d: Tensor, enter: Tensor, leave: Tensor, half: Tensor, radius: Tensor
) -> Tensor:
    t = enter.clamp_min(NEAR)
    speed = d.square().sum(2).rsqrt()
    for _ in range(ROUNDED_STEPS):
        outside = (torch.addcmul(o, d, t.unsqueeze(2)).abs_() - half).clamp_min_(0)
        distance = outside.square_().sum(2).sqrt_().sub_(radius)
        t = torch.addcmul(t, distance, speed)
    return t.masked_fill_((distance > 3e-3) | (t >= leave) | (enter <= NEAR), MISS)


def hit_billboard(shapes: Shapes, origin: Tensor, direction: Tensor) -> Tensor:
    """Intersect a flat cut-out: it is hit where its alpha is at least one half."""
    o, d = local_rays(shapes, origin, direction)
    t = -o[:, :, 2] / d[:, :, 2]
    uv = o[:, :, :2] + t.unsqueeze(2) * d[:, :, :2]
    assert shapes.alpha is not None, "billboards carry their alpha"
    solid = shapes.alpha.flatten(2).gather(2, billboard_texel(uv, shapes.alpha.shape[-1])) >= 0.5
    return t.masked_fill_(~solid | (uv.abs().amax(2) >= 1) | ~(t > NEAR), MISS)


def billboard_texel(uv: Tensor, side: int) -> Tensor:
    """Convert uv (..., 2, P) in [-1, 1], v up, to int64 (..., P) into the texels of a side x side picture."""
    texel = ((uv.nan_to_num(2.0).clamp(-1, 1) * 0.5 + 0.5) * (side - 1)).round().long()
    return (side - 1 - texel[..., 1, :]) * side + texel[..., 0, :]


def hit_mesh(shapes: Shapes, origin: Tensor, direction: Tensor) -> Tensor:
    """Intersect meshes: find the nearest face for each ray that hits the bounding box."""
    o, d = local_rays(shapes, origin, direction)
    enter, leave = slab(o, d, shapes.half[..., None])
    near = (enter < leave) & (leave > NEAR)
    t = torch.full_like(enter, MISS)
    for b, n, mesh in each_mesh(shapes):
        where = near[b, n].nonzero()[:, 0]
        if len(where):
            rays = (rows_of(o[b, n], where), rows_of(d[b, n], where))
            t[b, n, where] = torch.from_numpy(mesh.cast(*rays)).to(t.device)
    return t.masked_fill_(t <= NEAR, MISS)


def each_mesh(shapes: Shapes) -> Iterator[tuple[int, int, Mesh]]:
    """Yield every mesh as (scene, index in the scene, mesh)."""
    for b, meshes in enumerate(shapes.meshes or ()):
        for n, mesh in enumerate(meshes):
            if mesh is not None:
                yield b, n, mesh


def rows_of(vectors: Tensor, where: Tensor) -> np.ndarray:
    """Select columns `where` (K,) of vectors (3, 1 or P): float32 (K, 3) on the CPU, as Embree needs them."""
    chosen = vectors.expand(3, len(where)) if vectors.shape[1] == 1 else vectors[:, where]
    return chosen.T.contiguous().cpu().numpy()


HIT = {
    "room": hit_room,
    "box": hit_box,
    "ellipsoid": hit_ellipsoid,
    "cylinder": hit_cylinder,
    "rounded": hit_rounded,
    "billboard": hit_billboard,
    "mesh": hit_mesh,
}
"""Kind -> function (shapes, origin, direction) -> t (B, N, P) of the first hit, MISS where there is none."""


def nearest(groups: list[Shapes], origin: Tensor, direction: Tensor) -> tuple[Tensor, Tensor]:
    """Find the first surface along each ray.

    Input: origin (B, 3, 1 or P), direction (B, 3, P).
    Output: t (B, P), MISS where nothing is hit; index (B, P) int64 into the scene's surface table.
    """
    best = torch.full_like(direction[:, 0], MISS)
    index = torch.zeros_like(best, dtype=torch.long)
    for group in groups:
        t, which = HIT[group.kind](group, origin, direction).min(1)
        closer = t < best
        best = torch.where(closer, t, best)
        index = torch.where(closer, which + group.first, index)
    return best, index


def blocked(groups: list[Shapes], origin: Tensor, segment: Tensor) -> Tensor:
    """Tell where origin + t * segment hits a primitive for t in (0, 1), rooms excepted: bool (B, P)."""
    hit = torch.zeros_like(segment[:, 0], dtype=torch.bool)
    for group in groups:
        if group.kind != "room":
            hit |= HIT[group.kind](group, origin, segment).amin(1) < 1
    return hit
