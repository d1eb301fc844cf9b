"""The parts of a scene before it is rendered: primitives, camera, lights. They hold numpy arrays, no tensors.

World: metres, y up, floor at y = 0. Camera: x right, y up, z forward.
"""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from mdeas.create.scenes.meshes.mesh import Mesh

Rng = np.random.Generator

MESH_GREY = 0.5
"""Albedo of a surface that leaves the colours of a mesh as they are in its file."""


@dataclass(frozen=True, kw_only=True)
class Surface:
    """Appearance of one primitive: albedo = clip(base + contrast * (tile - mean of tile)).

    For a mesh, albedo / MESH_GREY multiplies the mesh's own colours.
    """

    tile: int
    """Index into the texture bank; for a billboard, into the cut-outs."""
    tile_m: float
    """Metres that one tile covers."""
    base: np.ndarray
    """(3,) linear RGB in [0, 1]; NaN = the tile's own mean."""
    contrast: float
    """0 = plain, 1 = the tile as it is."""
    gloss: float = 0.0
    """Strength of the highlight, 0 = matte."""
    emission: float = 0.0
    """Light given off, as a multiple of the albedo."""


@dataclass(frozen=True, kw_only=True)
class Primitive:
    """One simple shape of a scene."""

    kind: str
    """One of shapes.KINDS."""
    centre: np.ndarray
    """(3,) metres."""
    half: np.ndarray
    """(3,) half extents in metres along the local axes."""
    rotation: np.ndarray
    """(3, 3): columns are the local axes in the world."""
    surface: Surface
    radius: float = 0.0
    """Corner radius in metres, added outside `half` ("rounded" only)."""
    added: bool = False
    """Part of the foreground: in `image`, not in `background`."""
    mesh: Mesh | None = None
    """Its faces and colours ("mesh" only), scaled uniformly so that its longest extent is that of `half`."""


@dataclass(frozen=True, kw_only=True)
class Camera:
    """A pinhole camera with square pictures."""

    position: np.ndarray
    """(3,) metres."""
    rotation: np.ndarray
    """(3, 3): columns right, up, forward."""
    fov_deg: float
    """Horizontal field of view."""

    @property
    def reach(self) -> float:
        """Half the picture's width at one metre."""
        return float(np.tan(np.radians(self.fov_deg) / 2))

    def point(self, u: float, v: float, depth_m: float) -> np.ndarray:
        """Return the world point (3,) at picture coordinates in [-1, 1] (v up) and depth along the axis."""
        return self.position + self.rotation @ (np.array([u * self.reach, v * self.reach, 1.0]) * depth_m)

    def seen(self, point: np.ndarray) -> tuple[float, float, float]:
        """Return (u, v, depth_m) of a world point (3,); the inverse of `point`."""
        across, up, depth = self.rotation.T @ (point - self.position)
        return across / (depth * self.reach), up / (depth * self.reach), depth


@dataclass(frozen=True, kw_only=True)
class Light:
    """A lamp or the sun."""

    position: np.ndarray
    """(3,) metres; a sun is far away."""
    colour: np.ndarray
    """(3,) linear RGB, at `reference_m`."""
    size_m: float
    """Radius of the lamp; a larger one casts softer shadows."""
    reference_m: float
    """Distance at which `colour` holds; 0 = no falloff (sun)."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """One pair before it is rendered: what both photos show, and what changes between them."""

    primitives: list[Primitive]
    """The first one is the room (or the open ground)."""
    camera: Camera
    image_camera: Camera
    """Camera of `image`; it differs from `camera` when the camera was knocked between the photos."""
    lights: list[Light]
    image_gain: np.ndarray
    """(number of lights + 1, 3): drift of each light and of the ambient term in `image`."""
    ambient: np.ndarray
    """(3,) linear RGB."""
    sky: np.ndarray | None
    """(2, 3) linear RGB, horizon and zenith; None indoors."""
    sky_tile: int = 0
    """Index into the texture bank: the texture of the clouds."""


def rotation(yaw_deg: float = 0.0, pitch_deg: float = 0.0, roll_deg: float = 0.0) -> np.ndarray:
    """Return the matrix (3, 3): roll about z, then pitch about x (up is positive), then yaw about y."""
    y, p, r = np.radians([yaw_deg, -pitch_deg, roll_deg])
    about_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    about_z = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    return about_y @ about_x @ about_z


def log_uniform(rng: Rng, low: float, high: float) -> float:
    """Draw a number whose logarithm is uniform between those of `low` and `high`."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def random_colour(rng: Rng) -> np.ndarray:
    """Draw linear RGB (3,): greys, browns and whites are common, vivid colours rare."""
    value = rng.uniform(0.03, 0.95) ** 2.2
    tint = 1 + rng.beta(1.0, 3.0) * rng.uniform(-1, 1, 3)
    return np.clip(value * tint, 0.01, 0.95)


@dataclass
class Palette:
    """Draw surfaces with the textures of a bank."""

    rng: Rng
    num_tiles: int
    """Number of textures in the bank."""
    photos_from: int
    """Textures from this index on are photographs."""

    def surface(self, *, plain: float = 0.4, tile_m: float | None = None, **fixed: Any) -> Surface:
        """Draw a surface.

        Input: plain: probability of a faint texture; tile_m: metres that a tile covers, None = drawn;
            fixed: other fields of Surface that are not drawn.
        """
        rng = self.rng
        own = rng.random() < 0.45
        faint = rng.random() < plain
        look = Surface(
            tile=self.tile(),
            tile_m=tile_m or log_uniform(rng, 0.15, 2.0),
            base=np.full(3, np.nan) if own else random_colour(rng),
            contrast=rng.uniform(0.0, 0.3) if faint else rng.uniform(0.5, 1.1),
            gloss=rng.uniform(0.1, 0.8) if rng.random() < 0.25 else 0.0,
        )
        return replace(look, **fixed)

    def tile(self) -> int:
        """Draw the index of a texture; photographs are preferred where there are any."""
        if self.photos_from < self.num_tiles and self.rng.random() < 0.6:
            return int(self.rng.integers(self.photos_from, self.num_tiles))
        return int(self.rng.integers(0, self.photos_from))


@dataclass
class Group:
    """The primitives of one thing, placed around its base point in the thing's own frame."""

    base: np.ndarray
    """(3,) metres: the point in the world on which the thing stands."""
    turn: np.ndarray
    """(3, 3) rotation of the whole thing."""
    scale: float = 1.0
    """Factor on all offsets and sizes; things are about 1 m tall before it."""
    added: bool = False
    """See Primitive.added."""
    primitives: list[Primitive] = field(default_factory=list)

    def add(
        self,
        kind: str,
        offset: ArrayLike,
        half: ArrayLike,
        surface: Surface,
        *,
        turn: np.ndarray | None = None,
        radius: float = 0.0,
    ) -> None:
        """Add one primitive: `offset` and `half` (3,) in metres before scaling, `turn` its own rotation."""
        own = self.turn if turn is None else self.turn @ turn
        self.primitives.append(
            Primitive(
                kind=kind,
                centre=self.base + self.turn @ (np.asarray(offset, float) * self.scale),
                half=np.maximum(np.asarray(half, float) * self.scale, 1e-4 if kind != "rounded" else 0.0),
                rotation=own,
                surface=surface,
                radius=radius * self.scale,
                added=self.added,
            )
        )
