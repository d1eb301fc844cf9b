"""Rendered pairs: exact labels, light, reproducibility."""

import dataclasses
import pickle

import cv2
import numpy as np
import pytest
import torch

from mdeas.create.scenes.maker import ScenesMaker, ScenesRecipe
from mdeas.create.scenes.render.render import render
from mdeas.create.scenes.scene import Camera, Light, Primitive, Scene, Surface, rotation
from mdeas.create.scenes.texture import SIDE, TextureBank, procedural_tile
from mdeas.errors import UsageError
from mdeas.sample import check

SIZE = 48


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def bank():
    return TextureBank([np.full((SIDE, SIDE, 3), 128, np.uint8)])


def plain(level, **more):
    return Surface(tile=0, tile_m=1.0, base=np.full(3, level), contrast=0.0, **more)


def primitive(kind, centre, half, level=0.5, **more):
    return Primitive(
        kind=kind, centre=np.array(centre, float), half=np.array(half, float), rotation=np.eye(3),
        surface=plain(level), **more,
    )  # fmt: skip


def scene(*added, lamp=(0.0, 1.5, 4.0), moved=None):
    """A 4 x 4 x 12 m room, camera in the middle of one end looking along z, and what is added."""
    camera = Camera(position=np.array([0.0, 0, 0.5]), rotation=np.eye(3), fov_deg=60.0)
    light = Light(position=np.array(lamp), colour=np.ones(3), size_m=0.02, reference_m=2.0)
    return Scene(
        primitives=[primitive("room", (0, 0, 6), (2, 2, 6)), *added],
        camera=camera,
        image_camera=moved or camera,
        lights=[light],
        image_gain=np.ones((2, 3)),
        ambient=np.full(3, 0.2),
        sky=None,
    )


def rendered(bank, *scenes, size=SIZE):
    with torch.inference_mode():
        return render(list(scenes), size, bank, None, [0.2] * len(scenes), "cpu")


def test_nothing_added_gives_equal_photos_and_no_mask(bank):
    out = rendered(bank, scene())
    assert torch.equal(out.background, out.image)
    assert out.mask.max() == 0
    assert out.depth[0, SIZE // 2, SIZE // 2].item() == pytest.approx(11.5, rel=1e-4)


def test_mask_and_depth_of_a_box(bank):
    out = rendered(bank, scene(primitive("box", (0, 0, 5), (0.5, 0.5, 0.5), added=True)))
    # Its face is 4 m away, where the picture is 2 * 4 * tan 30 deg = 4.62 m wide: it fills (1 / 4.62)^2.
    assert out.mask.mean().item() == pytest.approx((1 / (8 * np.tan(np.pi / 6))) ** 2, rel=0.06)
    assert out.depth[0, SIZE // 2, SIZE // 2].item() == pytest.approx(4.0, rel=1e-4)
    partial = (out.mask > 0) & (out.mask < 1)
    assert partial.any(), "edges have fractional coverage"


def test_depth_is_along_the_axis_not_along_the_ray(bank):
    out = rendered(bank, scene())
    row = out.depth[0, SIZE // 2]
    back_wall = row[row > 11.2]
    assert back_wall.std() < 1e-3


def test_shadow_darkens_the_image_and_is_not_mask(bank):
    lifted = primitive("box", (0, 0.5, 4), (0.4, 0.1, 0.4), added=True)
    out = rendered(bank, scene(lifted), size=96)
    darker = (out.background - out.image).mean(1)[0] > 0.08
    assert (darker & (out.mask[0] == 0)).float().mean() > 0.01


def test_hidden_parts_are_not_mask(bank):
    screen = primitive("box", (0, 0, 3), (0.6, 0.6, 0.1))
    out = rendered(bank, scene(screen, primitive("box", (0, 0, 6), (0.3, 0.3, 0.3), added=True)))
    assert out.mask.max() == 0


def test_moved_camera_changes_only_the_image(bank):
    here = scene().camera
    knocked = dataclasses.replace(here, rotation=rotation(1.0))
    block = primitive("box", (0.5, 0, 5), (0.5, 0.5, 0.5), level=0.9)
    out = rendered(bank, scene(block, moved=knocked))
    assert not torch.equal(out.background, out.image)
    assert torch.equal(out.background, rendered(bank, scene(block)).background)
    assert out.mask.max() == 0


def test_a_batch_equals_its_scenes_one_by_one(bank):
    scenes = [scene(primitive("box", (0, 0, 5), (0.5, 0.5, 0.5), added=True)), scene()]
    together = rendered(bank, *scenes)
    for k, single in enumerate(scenes):
        alone = rendered(bank, single)
        torch.testing.assert_close(together.image[k], alone.image[0], atol=2e-3, rtol=0)
        torch.testing.assert_close(together.depth[k], alone.depth[0])
        assert torch.equal(together.mask[k], alone.mask[0])


RECIPE = ScenesRecipe(count=30, size=SIZE, validation_count=5, test_count=5, tiles=10)


def same(a, b):
    arrays = ("background", "image", "mask", "depth")
    return a.meta == b.meta and all(np.array_equal(getattr(a, n), getattr(b, n)) for n in arrays)


def test_samples_keep_the_contract_and_differ():
    maker = ScenesMaker(RECIPE, seed=3)
    samples = [check(maker.make(i)) for i in range(8)]
    assert len({s.image.tobytes() for s in samples}) == 8
    assert all(s.depth.min() > 0.2 and s.depth.max() <= 80 for s in samples)


def test_sample_depends_on_seed_and_index_alone():
    first, again = ScenesMaker(RECIPE, seed=3), pickle.loads(pickle.dumps(ScenesMaker(RECIPE, seed=3)))
    first.make(0)
    assert same(first.make(7), again.make(7))
    assert not same(ScenesMaker(RECIPE, seed=4).make(7), again.make(7))


def test_splits_are_index_ranges():
    maker = ScenesMaker(RECIPE, seed=3)
    splits = [maker.split_of(i) for i in range(30)]
    assert splits == ["train"] * 20 + ["validation"] * 5 + ["test"] * 5
    assert maker.make(29).meta["split"] == "test"


def test_empty_share_and_areas():
    recipe = dataclasses.replace(RECIPE, size=32, count=24, validation_count=0, test_count=0, empty_share=0.5)
    maker = ScenesMaker(recipe, 1)
    areas = np.array([maker.make(i).mask.mean() for i in range(24)])
    assert 6 <= (areas == 0).sum() <= 18
    assert np.all(areas[areas > 0] < 0.75)


def test_billboards_come_from_the_split_of_the_sample(tmp_path):
    rng = np.random.default_rng(0)
    for k in range(12):
        picture = np.dstack([rng.integers(0, 255, (20, 12, 3)), np.full((20, 12), 255)]).astype(np.uint8)
        picture[:2, :2, 3] = 0
        cv2.imwrite(str(tmp_path / f"{k}.png"), picture)
    recipe = dataclasses.replace(
        RECIPE, cutouts=tmp_path, billboard_share=1.0, test_share=0.3, validation_share=0.3, empty_share=0.0
    )
    maker = ScenesMaker(recipe, seed=0)
    identities = {split: {a.identity for a in maker.files.cutouts.of(split)} for split in ("train", "test")}
    seen = {split: set() for split in identities}
    for index in (*range(4), *range(25, 29)):
        meta = maker.make(index).meta
        seen[meta["split"]] |= set(meta["foreground_ids"])
    assert all(seen[split] and seen[split] <= identities[split] for split in seen)


def test_recipe_refuses_nonsense():
    with pytest.raises(UsageError, match="more than count 10"):
        ScenesRecipe(count=10, validation_count=0, test_count=11)


@pytest.mark.parametrize(
    "fields",
    [
        {"tiles": 0},
        {"most_added": 0},
        {"apparent": (0.0, 1.0)},
        {"apparent": (1.0, 0.5)},
        {"area": (0.5, 0.1)},
        {"area": (0.1, 1.5)},
    ],
)
def test_impossible_recipes_are_refused(fields):
    with pytest.raises(UsageError, match=next(iter(fields))):
        ScenesRecipe(**fields)


def test_tiles_depend_on_seed_and_index():
    assert np.array_equal(procedural_tile(1, 4), procedural_tile(1, 4))
    assert not np.array_equal(procedural_tile(1, 4), procedural_tile(2, 4))


def test_bank_repeats_and_averages_from_afar(bank):
    rng = np.random.default_rng(0)
    noisy = TextureBank([rng.integers(0, 255, (SIDE, SIDE, 3)).astype(np.uint8)])
    uv = torch.tensor(rng.uniform(-3, 3, (1, 2, 40)), dtype=torch.float32)
    tile = torch.zeros(1, 40, dtype=torch.long)
    near = noisy.sample(tile, uv, torch.full((1, 40), 1 / SIDE))
    torch.testing.assert_close(
        near, noisy.sample(tile, uv + 2, torch.full((1, 40), 1 / SIDE)), atol=1e-3, rtol=0
    )
    far = noisy.sample(tile, uv, torch.full((1, 40), 1.0))
    assert far.std() < near.std() / 3
