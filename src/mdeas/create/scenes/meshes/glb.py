"""Read meshes from GLB files (glTF 2.0, Khronos Group) with trimesh (MIT).

It reads faces with their nodes' transforms, and the base colour: texture, factor and vertex colours. It
ignores the rest of a material, animation and skins (a figure keeps its bind pose). A face is left out if a
texture of alpha mode MASK hides more than half of it; every other transparent face is opaque.
"""

from __future__ import annotations

import importlib.util
import io
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mdeas.create.scenes.meshes.mesh import Mesh, areas, corner_normals
from mdeas.create.scenes.texture import TextureBank
from mdeas.errors import InputError
from mdeas.images.codec import MAX_PIXELS
from mdeas.system.files import quoted
from mdeas.system.optional import extra_error

TEXTURE_SIDE = 256
"""Height and width in texels to which textures are resized; a mesh rarely covers more pixels of a picture."""
MAX_FACES = 500_000
LARGEST = 1e6
"""Limit of a mesh's longest extent, in the file's unit."""
_THIN = 1e-3  # least half extent as a share of the longest: a flat sheet needs a bounding box with a volume


@dataclass(frozen=True, kw_only=True)
class _Part:
    """The faces of one node."""

    corners: np.ndarray
    """(F, 3, 3) metres."""
    colours: np.ndarray
    """(F, 3, 3) linear RGB."""
    uv: np.ndarray
    """(F, 3, 2), v down."""
    texture: np.ndarray | None
    """uint8 RGB (TEXTURE_SIDE, TEXTURE_SIDE, 3) sRGB."""


def read_glb(path: Path, longest_m: float | None = None) -> Mesh:
    """Read a GLB file; scale its longest extent to `longest_m` metres, None = keep the file's size.

    Errors: InputError E-MESH for a file that cannot be used; UsageError E-EXTRA without trimesh or embreex.
    """
    trimesh = trimesh_module()
    try:
        with np.errstate(all="ignore"):  # NaN and infinity are replaced later
            # From memory: then a reference to another file cannot be followed.
            scene = trimesh.load_scene(io.BytesIO(path.read_bytes()), file_type="glb", process=False)
            return _joined(_parts(scene), longest_m)
    except MemoryError:
        raise
    except Exception as error:  # a damaged file makes the parser raise anything
        what = " ".join(str(error).split())[:200] or type(error).__name__
        advice = "Export it as glTF 2.0 binary with triangles, without compression, or pass --skip-bad."
        raise InputError(
            "E-MESH", f"{quoted(path)}: not a mesh that can be used ({what}). {advice}"
        ) from error


def trimesh_module() -> Any:
    """Import trimesh; UsageError E-EXTRA when it or a package that it needs here is not installed."""
    for name in ("trimesh", "PIL", "embreex"):  # without PIL, trimesh drops textures silently
        if importlib.util.find_spec(name) is None:
            raise extra_error(name, "a mesh")
    import trimesh

    log = logging.getLogger("trimesh")
    if not log.handlers:  # keeps trimesh's warnings off stderr
        log.addHandler(logging.NullHandler())
    return trimesh


def _parts(scene: Any) -> list[_Part]:
    """Read a part for every node that has a geometry."""
    placed = [scene.graph[node] for node in scene.graph.nodes_geometry]
    _check_count(sum(len(getattr(scene.geometry[name], "faces", ())) for _, name in placed))
    return [_part(scene.geometry[name], matrix) for matrix, name in placed]


def _check_count(num_faces: int) -> None:
    """Raise ValueError when there are no faces or too many; `read_glb` names the file."""
    if not 1 <= num_faces <= MAX_FACES:
        raise ValueError(f"{num_faces} faces; from 1 to {MAX_FACES}")


def _part(geometry: Any, matrix: np.ndarray) -> _Part:
    """Read the faces of one node; points and lines have none."""
    faces = np.asarray(getattr(geometry, "faces", np.zeros((0, 3), int)))
    points = np.asarray(geometry.vertices) @ matrix[:3, :3].T + matrix[:3, 3]
    # glTF is right-handed, scenes are left-handed: without this every mesh would be its mirror image.
    points, faces = points * (1, 1, -1), faces[:, ::-1]
    material = getattr(geometry.visual, "material", None)
    uv = getattr(geometry.visual, "uv", None)
    picture = getattr(material, "baseColorTexture", None) if uv is not None else None
    rgba = None if picture is None else _rgba(picture)
    uv = np.zeros((len(points), 2)) if uv is None else _numbers(uv, 1e4) * (1, -1) + (0, 1)
    keep = _solid(faces, points, uv, rgba if getattr(material, "alphaMode", "") == "MASK" else None)
    chosen = faces[keep]
    return _Part(
        corners=points[chosen],
        colours=_colours(geometry, material)[chosen],
        uv=uv[chosen],
        texture=None if rgba is None else rgba[..., :3],
    )


def _rgba(picture: Any) -> np.ndarray:
    """Decode a texture, a PIL image: uint8 (TEXTURE_SIDE, TEXTURE_SIDE, 4)."""
    if picture.width * picture.height > MAX_PIXELS:
        raise ValueError(f"a texture of {picture.width}x{picture.height} pixels; at most {MAX_PIXELS}")
    rgba = np.asarray(picture.convert("RGBA"))
    return cv2.resize(rgba, (TEXTURE_SIDE, TEXTURE_SIDE), interpolation=cv2.INTER_AREA)


def _solid(faces: np.ndarray, points: np.ndarray, uv: np.ndarray, rgba: np.ndarray | None) -> np.ndarray:
    """Tell which faces have an area and are not hidden by their texture's alpha: bool (F,)."""
    keep = areas(points[faces]) > 0
    if rgba is None:
        return keep
    middle = uv[faces].mean(1, keepdims=True)
    spots = np.concatenate([0.6 * uv[faces] + 0.4 * middle, middle], 1)  # four points well inside the face
    column, row = (np.floor(spots * TEXTURE_SIDE).astype(int) % TEXTURE_SIDE).transpose(2, 0, 1)
    return keep & (rgba[row, column, 3].mean(1) >= 128)


def _colours(geometry: Any, material: Any) -> np.ndarray:
    """Return the colours of vertices, linear RGB (V, 3): factor times vertex colours, both linear in glTF."""
    factor = getattr(material, "baseColorFactor", None)
    base = np.ones(3) if factor is None else _unit_range(factor)[:3]
    own = getattr(geometry.visual, "vertex_attributes", {}).get("color")
    if geometry.visual.kind == "vertex":
        own = geometry.visual.vertex_colors
    colours = np.ones((len(geometry.vertices), 3)) if own is None else _unit_range(own)[:, :3]
    return _numbers(colours * base, 1)


def _numbers(values: Any, most: float) -> np.ndarray:
    """Convert values to float, NaN and infinity to 0; clip to [-most, most]."""
    return np.clip(np.nan_to_num(np.asarray(values, float), posinf=0, neginf=0), -most, most)


def _unit_range(values: Any) -> np.ndarray:
    """Scale colours of an integer type to [0, 1]; return floats unchanged."""
    values = np.asarray(values)
    return values / np.iinfo(values.dtype).max if values.dtype.kind in "ui" else values


def _joined(parts: list[_Part], longest_m: float | None) -> Mesh:
    """Join all parts into one mesh around the middle of its bounding box."""
    corners = np.concatenate([part.corners for part in parts])
    _check_count(len(corners))
    low, high = corners.min((0, 1)), corners.max((0, 1))
    longest = float((high - low).max())
    if not longest < LARGEST:
        raise ValueError(f"{longest:g} metres long; less than {LARGEST:g}")
    scale = 1.0 if longest_m is None else longest_m / longest
    corners = ((corners - (low + high) / 2) * scale).astype(np.float32)
    half = (high - low) / 2 * scale
    textures = [part.texture for part in parts if part.texture is not None]
    numbers = iter(range(len(textures)))
    tiles = [(-1 if part.texture is None else next(numbers)) for part in parts]
    return Mesh(
        half=np.maximum(half, _THIN * half.max()) * (1 + 1e-4),
        corners=corners,
        normals=corner_normals(corners),
        colours=np.concatenate([part.colours for part in parts]).astype(np.float32),
        uv=np.concatenate([part.uv for part in parts]).astype(np.float32),
        tile=np.repeat(tiles, [len(part.corners) for part in parts]),
        textures=TextureBank(textures) if textures else None,
    )
