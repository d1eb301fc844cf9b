"""Intersections against hand-computed distances, and against a brute-force distance field."""

import numpy as np
import pytest
import torch
import trimesh

from mdeas.create.scenes.meshes.mesh import Mesh
from mdeas.create.scenes.render.shapes import KINDS, Shapes, blocked, dominant_axis, nearest, unit
from mdeas.create.scenes.scene import rotation


def one_shape(kind, centre=(0, 0, 5), half=(1, 1, 1), turn=None, radius=0.0, alpha=None):
    """A single primitive of one scene, packed the way pack() does."""
    inverse = (np.eye(3) if turn is None else turn).T
    scaled = inverse if kind in ("rounded", "mesh") else inverse / np.asarray(half)[:, None]
    as_tensor = lambda v, *shape: torch.tensor(np.asarray(v, np.float32)).view(*shape)  # noqa: E731
    return Shapes(
        kind=kind,
        to_local=as_tensor(scaled, 1, 1, 3, 3),
        centre=as_tensor(centre, 1, 1, 3),
        half=as_tensor(half, 1, 1, 3),
        radius=as_tensor(radius, 1, 1),
        first=7,
        alpha=None if alpha is None else as_tensor(alpha, 1, 1, *np.shape(alpha)),
        meshes=[[box_mesh(half)]] if kind == "mesh" else None,
    )


def box_mesh(half):
    corners = trimesh.creation.box(extents=2 * np.asarray(half)).triangles.astype(np.float32)
    return Mesh(
        half=np.asarray(half, float), corners=corners, normals=corners, colours=np.ones_like(corners),
        uv=corners[..., :2], tile=np.full(12, -1), textures=None,
    )  # fmt: skip


def cast(shape, directions, origin=(0, 0, 0)):
    direction = torch.tensor(np.asarray(directions, np.float32).T[None])
    return nearest([shape], torch.tensor(origin, dtype=torch.float32).view(1, 3, 1), direction)


STRAIGHT = [
    ("box", {}, 4.0),
    ("box", {"half": (1, 1, 0.25)}, 4.75),
    ("box", {"half": (1, 1, 3), "turn": rotation(90)}, 4.0),
    ("room", {}, 6.0),
    ("ellipsoid", {"half": (1, 1, 2)}, 3.0),
    ("cylinder", {"half": (0.5, 1, 0.5)}, 4.5),
    ("cylinder", {"half": (0.5, 2, 0.5), "turn": rotation(0, 90)}, 3.0),
    ("rounded", {"half": (1, 1, 0.5), "radius": 0.25}, 4.25),
    ("rounded", {"half": (0, 0, 0), "radius": 1.5}, 3.5),
    ("billboard", {"alpha": np.ones((4, 4))}, 5.0),
    ("mesh", {"half": (1, 1, 0.25)}, 4.75),
    ("mesh", {"half": (1, 1, 3), "turn": rotation(90)}, 4.0),
]


@pytest.mark.parametrize(("kind", "options", "expected"), STRAIGHT)
def test_straight_ahead(kind, options, expected):
    t, index = cast(one_shape(kind, **options), [(0, 0, 1)])
    assert t.item() == pytest.approx(expected, abs=3e-3)
    assert index.item() == 7


def test_every_kind_is_tested():
    assert {kind for kind, _, _ in STRAIGHT} == set(KINDS)


@pytest.mark.parametrize("kind", [k for k in KINDS if k not in ("room",)])
def test_misses_beside_and_behind(kind):
    shape = one_shape(kind, alpha=np.ones((4, 4)) if kind == "billboard" else None)
    t, _ = cast(shape, [(1, 0, 1), (0, 0, -1), (0, 1, 0.0001)])
    assert torch.isinf(t).all()


def test_oblique_sphere():
    t, _ = cast(one_shape("ellipsoid", centre=(3, 0, 4)), [(0.75, 0, 1)])
    # The ray (.75, 0, 1) passes through the centre at t = 4 with speed 1.25: it enters one metre before.
    assert t.item() == pytest.approx(4 - 1 / 1.25, rel=1e-5)


def test_billboard_shows_what_its_alpha_says():
    alpha = np.zeros((4, 4))
    alpha[0] = 1  # top row of the cut-out
    t, _ = cast(one_shape("billboard", alpha=alpha), [(0, 0.15, 1), (0, -0.15, 1)])
    assert torch.isfinite(t[0]).tolist() == [True, False]


@pytest.mark.parametrize("kind", ["box", "ellipsoid", "cylinder", "rounded"])
def test_hits_lie_on_the_surface(kind):
    """Points found from random directions satisfy the shape's own equation."""
    half = np.array([0.8, 1.1, 0.6])
    turn = rotation(30, 20, 10)
    rays = np.random.default_rng(0).normal(0, 0.25, (400, 3)) * (1, 1, 0) + (0, 0, 1)
    t, _ = cast(one_shape(kind, half=half, turn=turn, radius=0.2), rays)
    hit = torch.isfinite(t[0]).numpy()
    local = (rays[hit] * t[0].numpy()[hit, None] - (0, 0, 5)) @ turn
    assert hit.sum() > 50
    np.testing.assert_allclose(SURFACE[kind](local, half), 0, atol=5e-3)


def _cylinder(p, half):
    side = np.hypot(p[:, 0] / half[0], p[:, 2] / half[2])
    return np.maximum(side, np.abs(p[:, 1]) / half[1]) - 1


SURFACE = {
    "box": lambda p, half: np.abs(p / half).max(1) - 1,
    "ellipsoid": lambda p, half: np.linalg.norm(p / half, axis=1) - 1,
    "cylinder": _cylinder,
    "rounded": lambda p, half: np.linalg.norm(np.maximum(np.abs(p) - half, 0), axis=1) - 0.2,
}


def test_blocked_counts_only_what_lies_between():
    box = one_shape("box")
    origin = torch.zeros(1, 3, 1)
    segments = torch.tensor([[[0.0, 0, 0], [0, 0, 0], [3.5, 4.5, 9]]])
    assert blocked([box], origin, segments)[0].tolist() == [False, True, True]
    assert not blocked([one_shape("room")], origin, segments).any()


def test_unit_and_dominant_axis_agree_with_torch():
    vectors = torch.randn(2, 3, 50, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(unit(vectors), torch.nn.functional.normalize(vectors, dim=1))
    assert torch.equal(dominant_axis(vectors), vectors.abs().argmax(1, keepdim=True))
