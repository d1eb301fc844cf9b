"""Folders of GLB meshes: files, true sizes, and their record in index.json.

A table `meshes.csv` in the folder or beside it may give true sizes, with the columns `file`,
`real_longest_m_guess` (metres) and `category`. A mesh that is not in it is in metres, as glTF requires.
"""

from __future__ import annotations

import csv
import functools
import importlib.metadata
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mdeas.create.assets import Asset, Pool, load_pool
from mdeas.create.scenes.meshes.glb import read_glb, trimesh_module
from mdeas.create.scenes.meshes.mesh import Mesh
from mdeas.errors import InputError
from mdeas.system.files import json_bytes, quoted, sha256_bytes

TABLE = "meshes.csv"
_CACHED = 256  # meshes in the memory of a process


@dataclass(frozen=True, kw_only=True)
class Known:
    """What the table says about a mesh. Data sets hash its repr: never rename this class or its fields."""

    longest_m: float | None = None
    """The mesh's longest extent; None = as in its file."""
    category: str = ""
    """Such as "furniture" or "person", see draw/mesh_things.py; "" = unknown."""


@dataclass(frozen=True, kw_only=True)
class MeshPool:
    """The meshes of a folder."""

    pool: Pool
    table: Mapping[str, Known]
    """By file name."""

    def describe(self) -> dict[str, Any]:
        """Describe the meshes and the table by content, with the packages that read and trace meshes."""
        known = [repr(self.table.get(asset.path.name)) for asset in self.pool.assets]
        versions = {name: importlib.metadata.version(name) for name in ("trimesh", "embreex", "pillow")}
        return self.pool.describe() | {"table": sha256_bytes(json_bytes(known))} | versions


def load_meshes(folder: Path, shares: Mapping[str, float] | None, skip_bad: bool) -> MeshPool:
    """Find the meshes in a folder, or in its sub-folder `meshes`.

    Errors: InputError E-NO-MESHES, E-MESH-TABLE, with `skip_bad` E-NO-IMAGES when no mesh can be used;
        UsageError E-EXTRA without trimesh or embreex.
    """
    trimesh_module()
    folder = Path(folder)
    folder = folder / "meshes" if (folder / "meshes").is_dir() else folder
    files = sorted(path for path in folder.glob("*") if path.suffix.lower() == ".glb")
    if not files:
        raise InputError("E-NO-MESHES", f"{quoted(folder)}: it holds no .glb file. Check the path.")
    pool = load_pool(folder, "mesh", shares, skip_bad, files=files, decode=lambda asset: read_glb(asset.path))
    return MeshPool(pool=pool, table=_read_table(folder))


def _read_table(folder: Path) -> dict[str, Known]:
    """Read meshes.csv by file name; {} without one. InputError E-MESH-TABLE."""
    paths = [place / TABLE for place in (folder, folder.resolve().parent) if (place / TABLE).is_file()]
    if not paths:
        return {}
    try:
        rows = csv.DictReader(io.StringIO(paths[0].read_text(encoding="utf-8")))
        return {row["file"]: _known(row) for row in rows}
    except (KeyError, ValueError, TypeError, OSError, csv.Error) as error:
        advice = "It needs the columns file, real_longest_m_guess (metres) and category."
        raise InputError("E-MESH-TABLE", f"{quoted(paths[0])}: cannot be used ({error}). {advice}") from error


def _known(row: Mapping[str, str]) -> Known:
    longest = float(row["real_longest_m_guess"])
    if not 1e-3 <= longest <= 100:
        raise ValueError(f"{row['file']}: {longest} m")
    return Known(longest_m=longest, category=row["category"])


@functools.lru_cache(maxsize=_CACHED)
def mesh_of(asset: Asset, longest_m: float | None) -> Mesh:
    """Read a mesh, see `read_glb`; a process reads each file once."""
    return read_glb(asset.path, longest_m)
