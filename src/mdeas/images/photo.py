"""A photo read from disk, and the smaller copy that everything works on."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mdeas.images.codec import read_rgb_and_header
from mdeas.images.resize import within

MAX_VIEW = 4096
"""Largest long side of the copy that is predicted, pixels. Results of larger photos are enlarged one by one
when they are written, so that 144 megapixels fit into 2 GB."""


@dataclass(frozen=True)
class Photo:
    """A photo: its size, and a copy at MAX_VIEW at most."""

    path: Path
    height: int
    width: int
    view: np.ndarray
    """uint8 (h, w, 3) RGB, long side at most MAX_VIEW, same aspect as the photo."""
    focal_35mm: int = 0
    """Exif's focal length for 36 × 24 mm film, millimetres; 0 = unknown."""

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the photo itself."""
        return self.height, self.width


def open_photo(path: Path) -> Photo:
    """Read a photo. Errors: those of read_rgb."""
    pixels, header = read_rgb_and_header(path)
    return Photo(path, pixels.shape[0], pixels.shape[1], within(pixels, MAX_VIEW), header.focal_35mm)
