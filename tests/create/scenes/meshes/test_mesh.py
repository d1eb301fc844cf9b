"""Meshes: read from GLB files, rendered like primitives, refused when damaged."""

import numpy as np
import pytest
import torch
import trimesh
from PIL import Image
from tiny_mesh import HALF, box, broken, write

from mdeas.create.scenes.meshes.glb import read_glb
from mdeas.create.scenes.render.render import render
from mdeas.create.scenes.scene import Camera, Light, Primitive, Scene, Surface, rotation
from mdeas.create.scenes.texture import SIDE, TextureBank
from mdeas.errors import InputError

SIZE = 64
TURN = rotation(31, 12, 7)

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def bank():
    return TextureBank([np.full((SIDE, SIDE, 3), 128, np.uint8)])


def standing(kind, mesh=None, half=HALF, centre=(0.1, -0.2, 4.0), turn=TURN):
    surface = Surface(tile=0, tile_m=1.0, base=np.full(3, 0.5), contrast=0.0)
    return Primitive(
        kind=kind, centre=np.array(centre), half=np.array(half, float), rotation=turn, surface=surface,
        mesh=mesh, added=True,
    )  # fmt: skip


def view(thing):
    """A grey room with the thing in it."""
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
    return Scene(
        primitives=[walls, thing], camera=camera, image_camera=camera, lights=[light],
        image_gain=np.ones((2, 3)), ambient=np.full(3, 0.2), sky=None,
    )  # fmt: skip


def picture(bank, thing):
    with torch.inference_mode():
        return render([view(thing)], SIZE, bank, None, [0.2], "cpu")


@pytest.mark.parametrize("flipped", [False, True], ids=["outward", "inward"])
def test_a_box_of_faces_is_the_box(bank, tmp_path, flipped):
    grey = (128, 128, 128, 255)
    mesh = read_glb(write(tmp_path / "box.glb", box(colour=grey, flipped=flipped)))
    faces, solid = picture(bank, standing("mesh", mesh)), picture(bank, standing("box"))
    assert torch.equal(faces.mask, solid.mask) and 0 < faces.mask.mean() < 0.5
    torch.testing.assert_close(faces.depth, solid.depth, atol=1e-3, rtol=0)
    apart = (faces.image - solid.image).abs()  # a few shadow rays along an edge fall on the other side of it
    assert apart.mean() < 2e-3 and apart.max() < 0.1


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


def test_colours_are_the_material_s_and_the_vertices(tmp_path):
    # Both are linear in glTF: 51 / 255 = 0.2.
    plain = read_glb(write(tmp_path / "a.glb", box(colour=(51, 102, 255, 255))))
    np.testing.assert_allclose(plain.colours, np.tile((0.2, 0.4, 1.0), (12, 3, 1)), atol=0.01)
    painted = trimesh.creation.box()
    painted.visual.vertex_colors = np.tile([255, 51, 0, 255], (8, 1))
    mesh = read_glb(write(tmp_path / "b.glb", painted))
    np.testing.assert_allclose(mesh.colours, np.tile((1, 0.2, 0), (12, 3, 1)), atol=0.01)


def test_what_a_mask_texture_hides_is_left_out(tmp_path):
    hidden = sheet()
    picture = np.full((64, 64, 4), 255, np.uint8)
    picture[:, :, 3] = 255 * (np.add.outer(range(64), range(64)) > 63)  # one of the two faces
    hidden.visual.material.baseColorTexture = Image.fromarray(picture)
    hidden.visual.material.alphaMode = "MASK"
    assert len(read_glb(write(tmp_path / "sheet.glb", hidden)).corners) == 1


def test_a_round_body_is_shaded_round_and_a_box_is_not(tmp_path):
    ball = read_glb(write(tmp_path / "ball.glb", trimesh.creation.icosphere(subdivisions=2)))
    np.testing.assert_allclose(ball.normals, ball.corners, atol=0.05)
    flat = read_glb(write(tmp_path / "box.glb", box()))
    assert np.allclose(np.abs(flat.normals).max(2), 1)


@pytest.mark.parametrize(
    "content", [b"", b"glTF", b"\x89PNG", None], ids=["empty", "short", "picture", "cut"]
)
def test_a_broken_file_is_refused_in_one_line(tmp_path, content):
    path = broken(tmp_path / "a b.glb")
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"a b\.glb.*not a mesh that can be used") as caught:
        read_glb(path)
    assert caught.value.code == "E-MESH" and "\n" not in str(caught.value)


def test_points_without_faces_are_refused(tmp_path):
    with pytest.raises(InputError, match="0 faces"):
        read_glb(write(tmp_path / "points.glb", trimesh.PointCloud(np.eye(3))))


def test_a_batch_with_and_without_a_mesh_equals_its_scenes(bank, tmp_path):
    mesh = read_glb(write(tmp_path / "box.glb", box()))
    things = [standing("mesh", mesh), standing("ellipsoid"), standing("mesh", mesh, centre=(-0.3, 0.2, 3.0))]
    with torch.inference_mode():
        together = render([view(thing) for thing in things], SIZE, bank, None, [0.2] * 3, "cpu")
    for k, thing in enumerate(things):
        alone = picture(bank, thing)
        assert torch.equal(together.mask[k], alone.mask[0]) and together.mask[k].max() == 1
        torch.testing.assert_close(together.image[k], alone.image[0], atol=2e-3, rtol=0)


def test_a_mesh_casts_a_shadow(bank, tmp_path):
    mesh = read_glb(write(tmp_path / "box.glb", box()))
    out = picture(bank, standing("mesh", mesh, centre=(0.0, 0.0, 4.0)))
    darker = (out.background - out.image).mean(1)[0] > 0.05
    assert (darker & (out.mask[0] == 0)).float().mean() > 0.01
