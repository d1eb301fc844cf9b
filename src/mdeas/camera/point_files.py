"""Encode coloured points for other programs: binary PLY, and binary glTF 2.0 (GLB).

Written from the PLY description (Turk, 1994) and the Khronos glTF 2.0 specification.
"""

import json
import struct

import numpy as np

POINT_FORMATS = ("ply", "glb")


def encode_points(points: np.ndarray, colours: np.ndarray, form: str) -> bytes:
    """The bytes of a file of one of POINT_FORMATS; equal arrays give equal bytes.

    Input: points: float32 (N, 3); colours: uint8 (N, 3) sRGB.
    """
    return {"ply": _ply, "glb": _glb}[form](points, colours)


def _ply(points: np.ndarray, colours: np.ndarray) -> bytes:
    rows = np.empty(len(points), [("place", "<f4", 3), ("colour", "u1", 3)])
    rows["place"], rows["colour"] = points, colours
    names = [f"property float {axis}" for axis in "xyz"]
    names += [f"property uchar {colour}" for colour in ("red", "green", "blue")]
    head = ["ply", "format binary_little_endian 1.0", f"element vertex {len(rows)}", *names, "end_header", ""]
    return "\n".join(head).encode() + rows.tobytes()


_FLOAT, _USHORT, _ARRAY_BUFFER, _POINTS = 5126, 5123, 34962, 0  # enumerations of glTF


def _glb(points: np.ndarray, colours: np.ndarray) -> bytes:
    places = points.astype("<f4").tobytes()
    # glTF's vertex colours are linear light: 8 bits of that would be too few in the dark.
    linear = _linear()[np.pad(colours, ((0, 0), (0, 1)), constant_values=255)].tobytes()
    extent = {"min": points.min(axis=0).tolist(), "max": points.max(axis=0).tolist()} if len(points) else {}
    common = {"count": len(points), "byteOffset": 0}
    attributes = {"POSITION": 0, "COLOR_0": 1}
    scene = {
        "asset": {"version": "2.0", "generator": "mdeas"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": attributes, "mode": _POINTS, "material": 0}]}],
        "materials": [{"extensions": {"KHR_materials_unlit": {}}}],
        "extensionsUsed": ["KHR_materials_unlit"],
        "buffers": [{"byteLength": len(places) + len(linear)}],
        "bufferViews": [
            {"buffer": 0, "byteOffset": 0, "byteLength": len(places), "target": _ARRAY_BUFFER},
            {"buffer": 0, "byteOffset": len(places), "byteLength": len(linear), "target": _ARRAY_BUFFER},
        ],
        "accessors": [
            {"bufferView": 0, "componentType": _FLOAT, "type": "VEC3", **common, **extent},
            {"bufferView": 1, "componentType": _USHORT, "type": "VEC4", "normalized": True, **common},
        ],
    }  # fmt: skip
    text = json.dumps(scene, sort_keys=True).encode()
    chunks = _chunk(b"JSON", text + b" " * (-len(text) % 4)) + _chunk(b"BIN\0", places + linear)
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks


def _chunk(kind: bytes, data: bytes) -> bytes:
    assert len(data) % 4 == 0, (kind, len(data))
    return struct.pack("<I4s", len(data), kind) + data


def _linear() -> np.ndarray:
    """sRGB levels of 255 -> linear light, uint16 (256,) (IEC 61966-2-1)."""
    share = np.arange(256) / 255
    light = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return np.rint(light * 65535).astype("<u2")
