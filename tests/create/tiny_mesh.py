"""Small GLB files for the tests."""

import numpy as np
import trimesh

HALF = np.array([0.5, 0.3, 0.4])


def write(path, *geometries, transform=None):
    scene = trimesh.Scene()
    for geometry in geometries:
        scene.add_geometry(geometry, transform=transform)
    path.write_bytes(scene.export(file_type="glb"))
    return path


def box(extents=2 * HALF, colour=(255, 255, 255, 255), flipped=False):
    mesh = trimesh.creation.box(extents=extents)
    material = trimesh.visual.material.PBRMaterial(baseColorFactor=colour)
    mesh.visual = trimesh.visual.TextureVisuals(uv=np.zeros((len(mesh.vertices), 2)), material=material)
    if flipped:
        mesh.faces = mesh.faces[:, ::-1]
    return mesh


def broken(path):
    whole = write(path, box()).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    return path
