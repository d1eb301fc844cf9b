"""Meshes in scenes: where they stand, their splits, errors in their files."""

import dataclasses
import importlib.util

import numpy as np
import pytest
import trimesh
from tiny_mesh import box, broken, write

from mdeas.cli import main
from mdeas.create.scenes.draw.mesh_things import has_flat_top, thing_kind
from mdeas.create.scenes.maker import ScenesMaker, ScenesRecipe
from mdeas.create.scenes.meshes.files import load_meshes, mesh_of
from mdeas.create.scenes.meshes.glb import read_glb
from mdeas.create.scenes.scene import Camera, rotation
from mdeas.dataset.dataset import Dataset
from mdeas.errors import InputError, UsageError

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """40 boxes of different sizes, 0.2 to 0.6 m, and a table for one of them."""
    folder = tmp_path_factory.mktemp("assets") / "meshes"
    folder.mkdir()
    for k in range(40):
        write(folder / f"{k:02}.glb", box(extents=(0.2 + k / 100, 0.3, 0.2)))
    return folder


RECIPE = ScenesRecipe(
    count=30, size=32, validation_count=5, test_count=5, tiles=10, mesh_share=1.0, empty_share=0.0,
    validation_share=0.3, test_share=0.3,
)  # fmt: skip


def test_meshes_come_from_the_split_of_the_sample(folder):
    maker = ScenesMaker(dataclasses.replace(RECIPE, assets=folder), seed=0)
    identities = {
        split: {a.identity for a in maker.files.meshes.pool.of(split)} for split in ("train", "test")
    }
    assert not identities["train"] & identities["test"]
    seen = {split: set() for split in identities}
    for index in (*range(4), *range(25, 29)):
        meta = maker.make(index).meta
        seen[meta["split"]] |= set(meta["foreground_ids"])
    assert all(seen[split] and seen[split] <= identities[split] for split in seen)


def test_meshes_stand_on_something_and_touch_nothing(folder):
    maker = ScenesMaker(dataclasses.replace(RECIPE, assets=folder.parent), seed=1)
    stock, num_meshes = maker._stock("train"), 0
    for k in range(10):
        scene, _ = maker._draw(stock, np.random.default_rng(k), empty=False)
        boxes = [(p.centre, np.abs(p.rotation) @ (p.half + p.radius), p.kind) for p in scene.primitives]
        for n, (centre, reach, kind) in enumerate(boxes):
            if kind != "mesh":
                continue
            num_meshes += 1
            others = [box for i, box in enumerate(boxes) if i != n and box[2] != "room"]
            gaps = [(np.abs(c - centre) - r - reach).max() for c, r, _ in others]
            assert min(gaps) > -0.006
            below = [c[1] + r[1] for c, r, _ in others]
            assert min(abs(centre[1] - reach[1] - top) for top in below) < 1e-6
    assert num_meshes > 10


def test_true_sizes_come_from_the_table(folder, tmp_path):
    (tmp_path / "meshes.csv").write_text("file,real_longest_m_guess,category\n00.glb,1.5,furniture\n")
    (tmp_path / "meshes").mkdir()
    (tmp_path / "meshes" / "00.glb").write_bytes((folder / "00.glb").read_bytes())
    maker = ScenesMaker(dataclasses.replace(RECIPE, assets=tmp_path, split="rows"), seed=0)
    (asset,) = maker.files.meshes.pool.assets
    known = maker.files.meshes.table["00.glb"]
    assert (known.longest_m, known.category) == (1.5, "furniture")
    assert mesh_of(asset, known.longest_m).half.max() == pytest.approx(0.75, rel=1e-3)


@pytest.mark.parametrize(
    ("category", "longest_m", "place"),
    [("food", 0.2, "small"), ("furniture", 0.5, "large"), ("furniture", 3.2, "large"),
     ("plant", 6, "outdoor"), ("vehicle", 1.5, "outdoor"), ("architecture", 2, ""), ("books", 0.3, "small"),
     ("books", 1.6, ""), ("", 1.8, "large")],
)  # fmt: skip
def test_places_follow_from_size_and_kind(category, longest_m, place):
    assert thing_kind(category, longest_m) == place


def test_what_a_camera_sees_is_where_it_points():
    camera = Camera(position=np.array([1.0, 2, 3]), rotation=rotation(20, -10, 5), fov_deg=70.0)
    assert camera.seen(camera.point(0.3, -0.2, 4.0)) == pytest.approx((0.3, -0.2, 4.0))


def test_flat_tops(tmp_path):
    assert has_flat_top(read_glb(write(tmp_path / "box.glb", box())))
    assert not has_flat_top(read_glb(write(tmp_path / "ball.glb", trimesh.creation.icosphere())))


def test_skip_bad_lists_what_is_broken(folder, tmp_path):
    for path in folder.glob("0*.glb"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    broken(tmp_path / "99.glb")
    maker = ScenesMaker(dataclasses.replace(RECIPE, assets=tmp_path, split="rows"), 0, skip_bad=True)
    (left_out,) = maker.left_out
    assert (left_out["kind"], left_out["name"], left_out["code"]) == ("mesh", "99.glb", "E-MESH")
    assert len(maker.files.meshes.pool.assets) == 10
    assert {row["kind"] for row in maker.provenance()} == {"mesh"}


def test_mistakes_are_told(tmp_path, folder, monkeypatch):
    with pytest.raises(InputError, match=r"it holds no \.glb file"):
        load_meshes(tmp_path, None, False)
    write(tmp_path / "a.glb", box())
    (tmp_path / "meshes.csv").write_text("file,real_longest_m_guess,category\na.glb,large,food\n")
    with pytest.raises(InputError, match=r"'large'.*real_longest_m_guess"):
        load_meshes(tmp_path, None, False)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"a mesh needs trimesh. Run: pip install '\.\[3d\]'"):
        load_meshes(folder, None, False)


def test_the_command_furnishes_and_refuses(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    fields = ["--set", "tiles=8", "--set", "split=rows", "--set", "mesh_share=1"]
    words = ["create", "scenes", "--count", "2", "--size", "32", *fields, "-o"]
    assert main([*words, "good", "--assets", str(folder)]) == 0
    assert len(Dataset("good")) == 2
    (tmp_path / "bad").mkdir()
    broken(tmp_path / "bad" / "a.glb")
    capsys.readouterr()
    assert main([*words, "out", "--assets", "bad"]) == 3
    assert capsys.readouterr().err.count("\n") == 1


def test_without_meshes_the_recipe_reads_as_before():
    told = ScenesMaker(RECIPE, seed=0).describe()
    assert "assets" not in told and "mesh_share" not in told
