"""A mesh for ray tracing: faces with normals and colours, in metres around the middle of its bounding box.

Embree (Intel, Apache-2.0; I. Wald et al., "Embree", 2014) traces the rays through the package `embreex`: 20
to 30 million per second on one thread.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from mdeas.create.scenes.texture import TextureBank

MAX_AROUND = 64
"""Greatest number of faces over which the normal at a vertex is averaged."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Mesh:
    """F triangles, visible from both sides. Frame: x right, y up, z forward."""

    half: np.ndarray
    """(3,) half extents in metres."""
    corners: np.ndarray
    """(F, 3, 3) float32 metres: the three corners of each face."""
    normals: np.ndarray
    """(F, 3, 3) float32 unit normals at the corners."""
    colours: np.ndarray
    """(F, 3, 3) float32 linear RGB at the corners; the texture is multiplied by them."""
    uv: np.ndarray
    """(F, 3, 2) float32 texture coordinates, v down."""
    tile: np.ndarray
    """(F,) int64 into `textures`, or -1 for none."""
    textures: TextureBank | None

    @functools.cached_property
    def _scene(self) -> Any:
        return embree_scene(self.corners)

    @functools.cached_property
    def _tiles_per_m(self) -> np.ndarray:
        """Texture tiles per metre on each face, float32 (F,)."""
        flat_uv = np.pad(self.uv, ((0, 0), (0, 0), (0, 1)))
        return np.sqrt(areas(flat_uv) / np.maximum(areas(self.corners), 1e-12)).astype(np.float32)

    def cast(self, origin: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """Find the nearest face on each ray origin + t * direction: t, float32 (K,), inf where there is none.

        Input: origin, direction: float32 (K, 3), in the mesh's frame.
        """
        hit = self._scene.run(origin, direction, output=True)
        return np.where(hit["primID"] < 0, np.float32(np.inf), hit["tfar"])

    def look(
        self, origin: np.ndarray, direction: np.ndarray, pixel_m: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Look up normal and albedo where rays hit the mesh.

        Input: origin, direction: as for `cast`, all rays hit; pixel_m (K,): width of a pixel on the surface.
        Output: unit normal (K, 3), albedo (K, 3) linear RGB.
        """
        hit = self._scene.run(origin, direction, output=True)
        face = np.maximum(hit["primID"], 0)
        weights = np.stack([1 - hit["u"] - hit["v"], hit["u"], hit["v"]], 1)[:, :, None]
        smooth = (self.normals[face] * weights).sum(1)
        normal = _facing(smooth, _flat_normals(self.corners[face]), direction)
        albedo = (self.colours[face] * weights).sum(1)
        texel = self._texels(face, (self.uv[face] * weights).sum(1), pixel_m)
        return normal, np.clip(albedo * texel, 0.005, 1.0)

    def _texels(self, face: np.ndarray, uv: np.ndarray, pixel_m: np.ndarray) -> np.ndarray:
        """Return the texture's linear RGB, (K, 3); white where a face has no texture."""
        if self.textures is None:
            return np.ones((len(face), 3), np.float32)
        tile = self.tile[face]
        where = [np.maximum(tile, 0), uv.T, pixel_m * self._tiles_per_m[face]]
        texels = self.textures.sample(*(torch.from_numpy(np.ascontiguousarray(w))[None] for w in where))
        return np.where(tile[:, None] < 0, np.float32(1), texels[0].T.numpy())


def _facing(smooth: np.ndarray, flat: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """Turn the smooth normals (K, 3) towards the viewer; where they still point away, take the flat ones."""
    flat = flat * -np.sign((flat * direction).sum(1, keepdims=True))
    smooth = smooth * np.sign((smooth * flat).sum(1, keepdims=True))
    away = (smooth * direction).sum(1, keepdims=True) >= 0
    return np.where(away, flat, smooth).astype(np.float32)


def _cross(corners: np.ndarray) -> np.ndarray:
    """Return the cross product of two edges of each face: (F, 3), twice the area long."""
    edges = corners[:, 1:] - corners[:, :1]
    return np.cross(edges[:, 0], edges[:, 1])


def _flat_normals(corners: np.ndarray) -> np.ndarray:
    """Return the unit normals of faces (K, 3, 3): (K, 3)."""
    cross = _cross(corners)
    return cross / np.maximum(np.linalg.norm(cross, axis=1, keepdims=True), 1e-20)


def areas(corners: np.ndarray) -> np.ndarray:
    """Return the areas of faces (F, 3, 3): (F,)."""
    return 0.5 * np.linalg.norm(_cross(corners), axis=1)


def corner_normals(corners: np.ndarray, crease_deg: float = 40.0) -> np.ndarray:
    """Compute unit normals at the corners of faces (F, 3, 3): (F, 3, 3).

    A corner's normal is the area-weighted mean over the faces at its vertex whose normals differ by less than
    `crease_deg`. Normals in files are ignored: they may smooth a box or split a sphere at its texture's seam.
    """
    cross, flat = (np.repeat(vectors, 3, axis=0) for vectors in (_cross(corners), _flat_normals(corners)))
    steps = np.round(corners.reshape(-1, 3) / 1e-5).astype(np.int64)
    _, vertex, count = np.unique(steps, axis=0, return_inverse=True, return_counts=True)
    order = np.argsort(vertex.reshape(-1), kind="stable")  # now corners at one vertex are adjacent
    first = np.repeat(np.cumsum(count) - count, count)
    place, count = np.arange(len(order)) - first, np.repeat(count, count)
    cross, flat = cross[order], flat[order]
    total = cross.copy()
    for k in range(1, min(int(count.max()), MAX_AROUND)):
        here = np.flatnonzero(count > k)
        there = first[here] + (place[here] + k) % count[here]
        alike = (flat[here] * flat[there]).sum(1, keepdims=True) > np.cos(np.radians(crease_deg))
        total[here] += cross[there] * alike
    normals = np.empty_like(total)
    normals[order] = total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-20)
    return normals.reshape(-1, 3, 3).astype(np.float32)


def embree_scene(corners: np.ndarray) -> Any:
    """Build Embree's search tree over faces (F, 3, 3)."""
    from embreex.mesh_construction import TriangleMesh
    from embreex.rtcore_scene import EmbreeScene

    # Robust, so that no ray slips through between two faces.
    scene = EmbreeScene(robust=True)
    faces = np.arange(3 * len(corners), dtype=np.int32).reshape(-1, 3)
    TriangleMesh(scene, np.ascontiguousarray(corners.reshape(-1, 3), np.float32), faces)
    return scene
