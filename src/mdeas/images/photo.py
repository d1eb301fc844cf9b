"""A photo read from disk, small enough to work on."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mdeas.images.codec import read_rgb_and_header
from mdeas.images.resize import within

# Models work at a few hundred pixels. Above this long side a photo is shrunk before it is predicted, and the
# result enlarged picture by picture, so that 144 megapixels fit into 2 GB.
MAX_VIEW = 4096


@dataclass(frozen=True)
class Photo:
    """A photo read from disk."""

    path: Path
    height: int
    width: int
    view: np.ndarray
    """uint8 (h, w, 3) RGB, long side at most MAX_VIEW, same aspect."""
    focal_35mm: int = 0
    """Exif's focal length for 36 × 24 mm film, millimetres; 0 = unknown."""

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the photo itself."""
        return self.height, self.width


def open_photo(path: Path) -> Photo:
    """Errors: InputError of images.read_rgb."""
    pixels, header = read_rgb_and_header(path)
    return Photo(path, pixels.shape[0], pixels.shape[1], within(pixels, MAX_VIEW), header.focal_35mm)
