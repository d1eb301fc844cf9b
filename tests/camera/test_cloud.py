"""Point clouds: where points are, what colour they have, which are left out, and who can read the files."""

import json
import math
import os
import struct
from pathlib import Path

import numpy as np
import pytest
import tiny_model
from hypothesis import given, settings
from hypothesis import strategies as st

from mdeas.camera.cloud import FAR, NEAR, build_cloud, hanging, up_to_scale
from mdeas.camera.point_files import encode_points
from mdeas.camera.rays import ASSUMED_FOV_DEG, pinhole_of
from mdeas.cli import main
from mdeas.errors import InputError
from mdeas.images import headers
from mdeas.images.codec import encode_jpeg, encode_png, write_png
from mdeas.images.photo import open_photo


def camera(height, width, fov_deg=90.0):
    return pinhole_of(height, width, fov_deg=fov_deg, focal_35mm=0)


def read_ply(data: bytes):
    head, body = data.split(b"end_header\n", 1)
    (count,) = (
        int(line.split()[-1]) for line in head.decode().splitlines() if line.startswith("element vertex")
    )
    rows = np.frombuffer(body, [("place", "<f4", 3), ("colour", "u1", 3)])
    assert head.startswith(b"ply\nformat binary_little_endian 1.0\n") and len(rows) == count
    return rows["place"], rows["colour"]


class TestCamera:
    def test_focal_length_of_a_right_angle_is_half_the_width(self):
        assert camera(30, 40).focal_px == pytest.approx(20)

    def test_exif_is_about_the_diagonal(self):
        found = pinhole_of(2400, 3600, fov_deg=None, focal_35mm=36)
        assert found.focal_px == pytest.approx(3600) and found.source == "exif"
        assert found.fov_deg == pytest.approx(math.degrees(2 * math.atan(0.5)))
        assert pinhole_of(3600, 2400, fov_deg=None, focal_35mm=36).focal_px == pytest.approx(3600)

    def test_nothing_known_is_assumed_for_the_longer_side(self):
        assert pinhole_of(100, 200, fov_deg=None, focal_35mm=0).fov_deg == pytest.approx(ASSUMED_FOV_DEG)
        assert pinhole_of(200, 100, fov_deg=None, focal_35mm=0).fov_deg < ASSUMED_FOV_DEG

    def test_axes(self):
        points = camera(4, 4).points(np.full((4, 4), 2, np.float32))
        np.testing.assert_allclose(points[0, 0], [-1.5, 1.5, -2])  # upper left: -X, +Y, ahead is -Z
        np.testing.assert_allclose(points[3, 2], [0.5, -1.5, -2])

    @settings(deadline=None, max_examples=50)
    @given(st.integers(1, 50), st.integers(1, 50), st.floats(0.1, 100))
    def test_points_project_back_to_their_pixels(self, height, width, depth):
        seen = camera(height, width, 70.0)
        points = seen.points(np.full((height, width), depth, np.float32))
        column = points[..., 0] / -points[..., 2] * seen.focal_px + width / 2 - 0.5
        np.testing.assert_allclose(column, np.tile(np.arange(width), (height, 1)), atol=1e-2)


def exif(focal_35mm, order="<"):
    """An Exif block with orientation 1 and a sub-directory that holds FocalLengthIn35mmFilm."""
    head = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, 8)
    first = struct.pack(order + "H", 2)
    first += struct.pack(order + "HHIHH", 274, 3, 1, 1, 0) + struct.pack(order + "HHII", 34665, 4, 1, 38)
    second = struct.pack(order + "HHHIHHI", 1, 41989, 3, 1, focal_35mm, 0, 0)
    return head + first + struct.pack(order + "I", 0) + second


def photo_with_exif(block):
    data = encode_jpeg(np.zeros((6, 9, 3), np.uint8))
    segment = b"Exif\0\0" + block
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + data[2:]


class TestExif:
    @pytest.mark.parametrize("order", "<>")
    def test_focal_length_is_read(self, order):
        assert headers.inspect(photo_with_exif(exif(26, order)), "a").focal_35mm == 26

    def test_a_photo_carries_it(self, tmp_path):
        for name, data in (("a.jpg", photo_with_exif(exif(26))), ("b.jpg", photo_with_exif(b""))):
            (tmp_path / name).write_bytes(data)
        assert open_photo(tmp_path / "a.jpg").focal_35mm == 26
        assert open_photo(tmp_path / "b.jpg").focal_35mm == 0

    def test_none_said_is_0(self):
        assert headers.inspect(encode_png(np.zeros((2, 3), np.uint8)), "a").focal_35mm == 0

    @settings(deadline=None, max_examples=50)
    @given(st.integers(0, 60), st.binary(max_size=4))
    def test_damage_is_no_error(self, cut, filling):
        found = headers.inspect(photo_with_exif(exif(26)[:cut] + filling), "a")
        assert found.focal_35mm >= 0 and (found.width, found.height) == (9, 6)


def scene(height=48, width=64):
    """cutout, background, front, behind: a red square at distance 1 before a green wall at 2."""
    cutout = np.zeros((height, width, 4), np.uint8)
    cutout[..., 1] = 200
    cutout[12:36, 16:48] = (200, 0, 0, 255)
    background = np.zeros((height, width, 3), np.uint8)
    background[..., 1] = 200
    front, behind = (np.full((height, width), depth, np.float32) for depth in (1, 2))
    return cutout, background, front, behind


class TestCloud:
    def test_no_hole_behind_the_subject(self):
        cloud = build_cloud(*scene(), camera(48, 64))
        near, far = cloud.points[:, 2] == -1, cloud.points[:, 2] == -2
        assert near.sum() == 24 * 32 and far.sum() == 48 * 64 and len(cloud.points) == near.sum() + far.sum()
        assert (cloud.colours[near] == (200, 0, 0)).all()
        assert np.abs(cloud.colours[far].astype(int) - (0, 200, 0)).max() < 12

    def test_no_point_hangs_between_two_surfaces(self):
        cutout, background, front, behind = scene()
        behind[:, 30:] = 6
        behind[:, 28:30] = (3, 4.5)
        cutout[..., 3] = 0
        depths = -build_cloud(cutout, background, front, behind, camera(48, 64)).points[:, 2]
        assert set(np.unique(depths)) == {2, 6} and len(depths) > 0.9 * 48 * 64

    def test_unknown_depth_is_left_out(self):
        cutout, background, front, behind = scene()
        behind[:, :20] = 0
        depths = -build_cloud(cutout, background, front, behind, camera(48, 64)).points[:, 2]
        assert set(np.unique(depths)) == {1, 2} and (depths == 2).sum() == 48 * 43

    def test_a_floor_stays(self):
        rows = np.arange(200, dtype=np.float32)[:, None] + np.zeros((1, 200), np.float32)
        depth = 1.5 * 100 / (rows + 12)  # a camera 1.5 above it, the horizon 12 pixels above the photo
        assert not hanging(depth, 100)[5:].any()

    def test_ringing_at_the_edge_goes(self):
        depth = np.full((300, 400), 2, np.float32)
        depth[:, :2] = 4
        assert hanging(depth, 300)[:, :3].all() and not hanging(depth, 300)[:, 5:].any()

    def test_noise_alone_is_no_scene(self):
        cutout, background, front, _ = scene()
        noise = np.random.default_rng(0).uniform(1, 9, front.shape).astype(np.float32)
        with pytest.raises(InputError, match="no surface") as found:
            build_cloud(cutout, background, noise, noise, camera(48, 64, 1.0))
        assert found.value.code == "E-CLOUD-EMPTY"

    def test_relative_depth_lies_between_near_and_far(self):
        inverse = np.linspace(-3, 50, 10_000, dtype=np.float32).reshape(100, 100)
        front, behind = up_to_scale(inverse, inverse)
        assert front[99, 99] == pytest.approx(NEAR, rel=0.05) and behind[0, 0] == pytest.approx(FAR, rel=0.1)
        assert (np.diff(front.ravel()) < 0).all()

    def test_depth_without_relief(self):
        flat = np.full((4, 5), 7, np.float32)
        assert all((depth == FAR).all() for depth in up_to_scale(flat, flat))

    @pytest.mark.parametrize("size", [(1, 1), (1, 9), (3, 2)])
    def test_tiny_photos(self, size):
        flat = np.full(size, 2, np.float32)
        cutout, background = np.zeros((*size, 4), np.uint8), np.zeros((*size, 3), np.uint8)
        assert len(build_cloud(cutout, background, flat, flat, camera(*size)).points) == size[0] * size[1]


POINTS = np.float32([[0, 1, -2], [3, -4, -5], [0.5, 0, -9]])
COLOURS = np.uint8([[255, 0, 10], [1, 2, 3], [128, 128, 128]])


class TestFiles:
    def test_ply(self):
        points, colours = read_ply(encode_points(POINTS, COLOURS, "ply"))
        np.testing.assert_array_equal(points, POINTS)
        np.testing.assert_array_equal(colours, COLOURS)

    @pytest.mark.parametrize("form", ["ply", "glb"])
    def test_another_program_reads_them(self, form):
        trimesh = pytest.importorskip("trimesh")
        from io import BytesIO

        loaded = trimesh.load(BytesIO(encode_points(POINTS, COLOURS, form)), file_type=form)
        (cloud,) = loaded.geometry.values() if isinstance(loaded, trimesh.Scene) else [loaded]
        np.testing.assert_allclose(cloud.vertices, POINTS)

    def test_glb_colours_are_linear_light(self):
        data = encode_points(POINTS, COLOURS, "glb")
        (length,) = struct.unpack("<I", data[12:16])
        assert len(data) == struct.unpack("<I", data[8:12])[0] and length % 4 == 0
        colours = np.frombuffer(data[20 + length + 8 + POINTS.nbytes :], "<u2").reshape(3, 4) / 65535
        np.testing.assert_allclose(colours[0], [1, 0, 0.00304, 1], atol=1e-5)
        assert colours[2, 0] == pytest.approx(0.2159, abs=1e-4)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("model.onnx").write_bytes(tiny_model.model_bytes())
    cutout, background, *_ = scene()
    write_png("background.png", background)
    os.mkdir("photos")
    for name in "ab":
        write_png(f"photos/{name}.png", cutout[..., :3])
    return tmp_path


def run(*options, images="photos/a.png"):
    words = ["--background", "background.png", "-o", "out", "--model", "model.onnx"]
    return main(["predict", images, *words, *options])


class TestCommand:
    def test_a_file_for_each_photo(self, here, capsys):
        assert run("--cloud", "ply", images="photos") == 0
        told = capsys.readouterr().out.split()
        for name in "ab":
            assert f"out/{name}-cloud.ply" in told
            points, _ = read_ply(Path(f"out/{name}-cloud.ply").read_bytes())
            assert len(points) > 48 * 64 * 0.8 and (points[:, 2] < 0).all()

    def test_a_file_of_a_name(self, here, capsys):
        assert run("--cloud", "some/where.GLB", "--fov", "80") == 0
        assert Path("some/where.GLB").read_bytes()[:4] == b"glTF"
        assert capsys.readouterr().out.split()[-1] == "some/where.GLB"

    def test_a_wider_view_spreads_the_points(self, here):
        widths = []
        for fov in ("40", "100"):
            assert run("--cloud", f"{fov}.ply", "--fov", fov, "--force") == 0
            widths.append(np.ptp(read_ply(Path(f"{fov}.ply").read_bytes())[0][:, 0]))
        assert widths[1] > 2.5 * widths[0]

    def test_exifs_focal_length_decides_without_an_option(self, here, capsys):
        # 18 mm on a 4:3 photo, whose width is .8 of its diagonal: 2 atan(.8 * 43.27 / 2 / 18) = 87.8 degrees
        data = encode_jpeg(scene()[0][..., :3])
        segment = b"Exif\0\0" + exif(18)
        marked = data[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + data[2:]
        Path("photos/c.jpg").write_bytes(marked)
        for name, options in (("exif", []), ("given", ["--fov", "87.8"])):
            assert run("--cloud", f"{name}.ply", "--force", *options, images="photos/c.jpg") == 0
        assert "W-CLOUD-FOV" not in capsys.readouterr().err
        places = [read_ply(Path(f"{name}.ply").read_bytes())[0] for name in ("exif", "given")]
        np.testing.assert_allclose(*places, rtol=2e-3, atol=2e-3)

    def test_an_angle_that_is_not_known_is_in_the_report(self, here, capsys):
        assert run("--cloud", "ply", "--report", "report.json") == 0
        assert "warning[W-CLOUD-FOV]" in capsys.readouterr().err
        (picture,) = json.loads(Path("report.json").read_text())["pictures"]
        assert "W-CLOUD-FOV" in str(picture["warnings"])

    @pytest.mark.parametrize(
        "options, images, code",
        [
            (["--cloud", "one.ply"], "photos", "E-CLOUD"),
            (["--cloud", "obj"], "photos/a.png", "E-CLOUD"),
            (["--cloud", "cloud.las"], "photos/a.png", "E-CLOUD"),
            (["--fov", "60"], "photos/a.png", "E-CLOUD"),
            (["--cloud", "ply", "--fov", "180"], "photos/a.png", "E-FOV"),
        ],
    )
    def test_wrong_options_are_told_before_any_work(self, here, capsys, options, images, code):
        assert run(*options, images=images) == 2
        assert f"error[{code}]" in capsys.readouterr().err and not Path("out").exists()
