"""The records of a scene: primitives, camera, lights. They are drawn with numpy and hold no tensors.

World: metres, y up, floor at y = 0. Camera: x right, y up, z forward.
"""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from mdeas.create.scenes.meshes.mesh import Mesh

Rng = np.random.Generator

MESH_GREY = 0.5
"""The albedo at which a surface leaves a mesh's own colours as they are in the file."""


@dataclass(frozen=True, kw_only=True)
class Surface:
    """Look of one primitive: albedo = clip(base + contrast * (tile - mean of tile)).

    The albedo of a mesh's surface multiplies the mesh's own colours; MESH_GREY leaves them as they are.
    """

    tile: int
    """Index into the texture bank; for billboards into the list of cut-outs."""
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
    """Its faces and colours ("mesh" only); scaled as a whole until the longest of its extents fits `half`."""


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
        """World point at picture coordinates in [-1, 1] (v up) and depth along the optical axis."""
        return self.position + self.rotation @ (np.array([u * self.reach, v * self.reach, 1.0]) * depth_m)

    def seen(self, point: np.ndarray) -> tuple[float, float, float]:
        """Return picture coordinates and depth of a world point (3,); the reverse of `point`."""
        across, up, depth = self.rotation.T @ (point - self.position)
        return across / (depth * self.reach), up / (depth * self.reach), depth


@dataclass(frozen=True, kw_only=True)
class Light:
    """A lamp or the sun."""

    position: np.ndarray
    """(3,) metres; a sun is far away."""
    colour: np.ndarray
    """(3,) linear, at `reference_m`."""
    size_m: float
    """Radius of the lamp: soft shadows."""
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
    """(3,) linear."""
    sky: np.ndarray | None
    """(2, 3) linear, horizon and zenith; None indoors."""
    sky_tile: int = 0


def rotation(yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0) -> np.ndarray:
    """(3, 3) from degrees: roll about z, then pitch about x (up is positive), then yaw about y."""
    y, p, r = np.radians([yaw, -pitch, roll])
    about_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    about_z = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    return about_y @ about_x @ about_z


def log_uniform(rng: Rng, low: float, high: float) -> float:
    """Draw a number whose logarithm is uniform between those of `low` and `high`."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def random_colour(rng: Rng) -> np.ndarray:
    """(3,) linear RGB: greys, browns and whites are common, vivid colours rare."""
    value = rng.uniform(0.03, 0.95) ** 2.2
    tint = 1 + rng.beta(1.0, 3.0) * rng.uniform(-1, 1, 3)
    return np.clip(value * tint, 0.01, 0.95)


@dataclass
class Palette:
    """Draws surfaces from a bank of `num_tiles` textures."""

    rng: Rng
    num_tiles: int
    photos_from: int
    """Tiles from this index on are photographs."""

    def surface(self, *, plain: float = 0.4, tile_m: float | None = None, **fixed: Any) -> Surface:
        """Draw a surface.

        Input: plain: chance of a faint texture; tile_m: metres that a tile covers; fixed: Surface's fields.
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
    turn: np.ndarray
    """(3, 3) rotation of the whole thing."""
    scale: float = 1.0
    added: bool = False
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
