"""Meshes in scenes: read from GLB files, seen like primitives, kept to one split, refused when broken."""

import numpy as np
import pytest
import torch
import trimesh
from PIL import Image

from mdeas.create.scenes.glb import read_glb
from mdeas.create.scenes.picture import render
from mdeas.create.scenes.scene import Camera, Light, Primitive, Scene, Surface, rotation
from mdeas.create.scenes.texture import SIDE, TextureBank

SIZE = 64
HALF = np.array([0.5, 0.3, 0.4])
TURN = rotation(31, 12, 7)

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def bank():
    return TextureBank([np.full((SIDE, SIDE, 3), 128, np.uint8)])


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


def standing(kind, mesh=None, half=HALF, centre=(0.1, -0.2, 4.0), turn=TURN):
    surface = Surface(tile=0, tile_m=1.0, base=np.ones(3), contrast=0.0)
    return Primitive(
        kind=kind, centre=np.array(centre), half=np.array(half, float), rotation=turn, surface=surface,
        mesh=mesh, added=True,
    )  # fmt: skip


def picture(bank, thing, size=SIZE):
    grey = Surface(tile=0, tile_m=1.0, base=np.full(3, 0.3), contrast=0.0)
    walls = Primitive(
        kind="room",
        centre=np.array([0, 0, 5.0]),
        half=np.array([2.0, 2, 5]),
        rotation=np.eye(3),
        surface=grey,
    )
    camera = Camera(position=np.array([0, 0, 0.2]), rotation=np.eye(3), fov_deg=50.0)
    light = Light(position=np.array([1.0, 1.5, 1]), colour=np.ones(3), size_m=0.05, reference_m=3.0)
    scene = Scene(
        primitives=[walls, thing], camera=camera, image_camera=camera, lights=[light],
        image_gain=np.ones((2, 3)), ambient=np.full(3, 0.2), sky=None,
    )  # fmt: skip
    with torch.inference_mode():
        return render([scene], size, bank, None, [0.2], "cpu")


@pytest.mark.parametrize("flipped", [False, True], ids=["outward", "inward"])
def test_a_box_of_faces_is_the_box(bank, tmp_path, flipped):
    mesh = read_glb(write(tmp_path / "box.glb", box(flipped=flipped)))
    faces, solid = picture(bank, standing("mesh", mesh)), picture(bank, standing("box"))
    assert torch.equal(faces.mask, solid.mask) and 0 < faces.mask.mean() < 0.5
    torch.testing.assert_close(faces.depth, solid.depth, atol=1e-3, rtol=0)
    apart = (faces.image - solid.image).abs()  # a few shadow rays along an edge fall on the other side of it
    assert apart.mean() < 1e-3 and apart.max() < 0.1


def test_a_mesh_is_scaled_as_a_whole(bank, tmp_path):
    mesh = read_glb(write(tmp_path / "box.glb", box(extents=2 * HALF / 3)))
    faces, solid = picture(bank, standing("mesh", mesh)), picture(bank, standing("box"))
    torch.testing.assert_close(faces.depth, solid.depth, atol=1e-3, rtol=0)


def test_nodes_are_placed_and_the_longest_side_is_given(tmp_path):
    move = trimesh.transformations.translation_matrix((3, 4, 5)) @ np.diag([2.0, 1, 1, 1])
    path = write(tmp_path / "box.glb", box(extents=(1, 1, 1)), transform=move)
    np.testing.assert_allclose(read_glb(path).half, (1, 0.5, 0.5), rtol=1e-3)
    np.testing.assert_allclose(read_glb(path, longest_m=0.5).half, (0.25, 0.125, 0.125), rtol=1e-3)


def sheet(mirrored=False):
    """A square facing +z, its texture red at the upper left, green at the upper right, blue below."""
    texture = np.zeros((64, 64, 3), np.uint8)
    texture[:32, :32, 0] = texture[:32, 32:, 1] = texture[32:, :, 2] = 255
    points = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]], float)
    visual = trimesh.visual.TextureVisuals(
        uv=(points[:, :2] + 1) / 2,
        material=trimesh.visual.material.PBRMaterial(baseColorTexture=Image.fromarray(texture)),
    )
    return trimesh.Trimesh(points, [[0, 1, 2], [0, 2, 3]], visual=visual, process=False)


def test_textures_are_neither_mirrored_nor_upside_down(bank, tmp_path):
    mesh = read_glb(write(tmp_path / "sheet.glb", sheet()))
    # A glTF thing looks along +z, towards whoever stands before it: in scenes that is -z, our camera.
    shown = picture(bank, standing("mesh", mesh, half=(0.5, 0.5, 0.001), turn=np.eye(3))).image[0]
    centre = SIZE // 2
    row, column = centre + 3, centre + 2  # of the sheet's own middle
    corners = {"left": shown[:, row - 5, column - 5], "right": shown[:, row - 5, column + 5]}
    assert corners["left"].argmax() == 0 and corners["right"].argmax() == 1
    assert shown[:, row + 5, column].argmax() == 2
