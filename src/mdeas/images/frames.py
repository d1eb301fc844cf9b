"""Frames of one camera, from photos, folders of photos or a video file, that can be read repeatedly."""

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from mdeas.errors import InputError, UsageError
from mdeas.images import video_headers
from mdeas.images.codec import list_images, read_rgb
from mdeas.images.video import VideoReader, is_camera
from mdeas.system.files import quoted

MAX_FRAMES = 60
"""Of more frames, so many evenly spaced ones are used: more add little information and cost time."""


class Frames:
    """Frames of one size. Every iteration reads them again and yields uint8 (H, W, 3) RGB.

    Input: sources: picture files, folders of them, or one video file.
    Errors: UsageError E-USAGE for a camera, whose frames cannot be read twice; InputError E-FRAMES (fewer
        than three), E-FRAMES-SIZE (while iterating), those of list_images, read_rgb and VideoReader.
    """

    def __init__(self, sources: Sequence[str | Path]):
        self.paths: list[Path] = []
        for source in map(Path, sources):
            if not os.path.exists(source) and not is_camera(str(source)):
                read_rgb(source)  # raises the error that says why it cannot be read
            self.paths += list_images(source) if os.path.isdir(source) else [source]
        self.video = str(sources[0]) if len(sources) == 1 and _is_video(Path(sources[0])) else None
        self.num_found = _count(self.video) if self.video else len(self.paths)
        if self.num_found < 3:
            raise InputError(
                "E-FRAMES",
                f"got {self.num_found} frames, expected 3 or more: the empty scene is what most frames show. "
                "Add photos, or give a video.",
            )
        wanted = np.linspace(0, self.num_found - 1, min(self.num_found, MAX_FRAMES))
        self._chosen = {int(number) for number in wanted.round()}

    def __len__(self) -> int:
        """How many frames are used."""
        return len(self._chosen)

    def __iter__(self) -> Iterator[np.ndarray]:
        return self._of_video(self.video) if self.video else self._of_pictures()

    def _of_pictures(self) -> Iterator[np.ndarray]:
        first = None
        for number in sorted(self._chosen):
            picture = read_rgb(self.paths[number])
            first = first or (self.paths[number], picture.shape)
            if picture.shape != first[1]:
                raise _other_size(self.paths[number], picture.shape, *first)
            yield picture

    def _of_video(self, video: str) -> Iterator[np.ndarray]:
        with contextlib.closing(VideoReader(video)) as reader:
            for number, (_, frame) in enumerate(reader):
                if number in self._chosen:
                    yield frame


def _is_video(path: Path) -> bool:
    """Whether the first bytes of the file are those of a video. Errors: UsageError E-USAGE for a camera."""
    if is_camera(str(path)):
        raise UsageError(
            "E-USAGE", f"{quoted(path)} is a camera. Record a video first: it is read more than once."
        )
    try:
        file, _ = video_headers.open_checked(str(path))
    except InputError:
        return False
    file.close()
    return True


def _count(video: str) -> int:
    with contextlib.closing(VideoReader(video)) as reader:
        return sum(1 for _ in reader)


def _other_size(path: Path, shape: tuple[int, ...], first: Path, wanted: tuple[int, ...]) -> InputError:
    return InputError(
        "E-FRAMES-SIZE",
        f"{quoted(path)} is {shape[1]}×{shape[0]} and {quoted(first)} {wanted[1]}×{wanted[0]}. "
        "Give frames of one size, of a camera that does not move.",
    )
