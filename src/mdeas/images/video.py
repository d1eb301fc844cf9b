"""Read and write videos with the FFmpeg inside OpenCV; nothing else opens video files.

Frames are read upright (the rotation flag is applied) as 8-bit RGB, with their times. A frame whose size
differs from the first frame's is stretched to it. Videos are written with a constant frame rate: `evenly`
turns a variable rate into a constant one, and moves no frame by more than half a frame's duration.
"""

import contextlib
import itertools
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np

from mdeas.errors import InputError, StorageError
from mdeas.images import video_headers
from mdeas.system.files import quoted, reopening_path, replacing

_MAX_PIXELS = 40_000_000  # per frame; 8K has 33 million
_DEFAULT_RATE = 25.0  # frames per second, where the source names none
_MAX_RATE = 60.0  # frames per second that are written of a variable rate
_PROBED_FRAMES = 100  # their times decide whether the rate is constant
_CODEC = "mp4v"  # MPEG-4 part 2: OpenCV can write it everywhere

Item = TypeVar("Item")


class VideoReader:
    """Frames of a video file or camera.

    Input: source: a file, or a camera by its number or /dev/video….
    Errors: InputError E-VIDEO-MISSING, E-VIDEO-FORMAT (no known video format begins like this; a
        playlist that names other files or addresses is refused, too), E-VIDEO-TRUNCATED (cut so that no frame
        can be read), E-VIDEO-SIZE, E-VIDEO-CAMERA.
    """

    def __init__(self, source: str):
        self.name = quoted(source)
        self.camera = is_camera(source)
        self.missing_bytes = 0
        """How many bytes, at least, are missing at the file's end."""
        with contextlib.ExitStack() as stack:
            self._capture = self._open_camera(source) if self.camera else self._open_file(source, stack)
            stack.callback(self._capture.release)
            self._check()
            self.rate = self._nominal_rate() if self.camera else self._file_rate()
            """Frames per second at which no frame is lost, at most 60 for a variable rate."""
            count = int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))
            self.num_frames = count if 0 < count < 10**9 and not self.camera else None
            """What the file says; None = unknown."""
            self.close = stack.pop_all().close

    def _open_camera(self, source: str) -> cv2.VideoCapture:
        return _capture(int(source) if source.isdecimal() else source, cv2.CAP_ANY)

    def _open_file(self, source: str, stack: contextlib.ExitStack) -> cv2.VideoCapture:
        file, self.missing_bytes = video_headers.open_checked(source)
        stack.enter_context(file)
        # OpenCV reads the file that was checked, and crashes on names that are not UTF-8.
        self._path = reopening_path(file)
        return _capture(self._path, cv2.CAP_FFMPEG)

    def _check(self) -> None:
        if not self._capture.isOpened():
            raise self._unreadable()
        properties = (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT)
        width, height = (int(self._capture.get(name)) for name in properties)
        if width * height > _MAX_PIXELS:
            size = f"{width}×{height} pixels, more than {_MAX_PIXELS:,}"
            raise InputError("E-VIDEO-SIZE", f"{self.name}: {size}. Make it smaller first.")

    def _unreadable(self) -> InputError:
        if self.camera:
            why = "cannot be opened. Check that it is there and not in use"
            return InputError("E-VIDEO-CAMERA", f"camera {self.name} {why}.")
        if self.missing_bytes:
            why = f"ends at least {self.missing_bytes:,} bytes early and no frame can be read"
            return InputError("E-VIDEO-TRUNCATED", f"{self.name}: {why}. Copy it again.")
        return video_headers.refused(self.name, "it cannot be decoded")

    def _nominal_rate(self) -> float:
        rate = self._capture.get(cv2.CAP_PROP_FPS)
        return writable_rate(rate) if 0 < rate < 1000 else _DEFAULT_RATE

    def _file_rate(self) -> float:
        """The nominal rate when frames come evenly, otherwise a rate that keeps the fast ones."""
        probe = _capture(self._path, cv2.CAP_FFMPEG)
        times: list[float] = []
        while len(times) < _PROBED_FRAMES and probe.grab():
            times.append(probe.get(cv2.CAP_PROP_POS_MSEC) / 1000)
        probe.release()
        return even_rate(np.array(times), self._nominal_rate())

    def __iter__(self) -> Iterator[tuple[float, np.ndarray]]:
        """Yield (seconds since the first frame, uint8 (H, W, 3) RGB); a camera never ends."""
        start = None
        while True:
            found, frame = self._capture.read()
            if not found:
                return
            now = time.monotonic() if self.camera else self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            start = now if start is None else start
            yield now - start, cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)


def is_camera(source: str) -> bool:
    """Whether `source` names a camera: a number that is no file, or /dev/video…."""
    return source.startswith("/dev/video") or (source.isdecimal() and not os.path.exists(source))


def even_rate(times: np.ndarray, nominal: float) -> float:
    """Choose the constant frame rate for frames that come at `times`.

    Input: times: float64 (N,) seconds of the first frames; nominal: frames per second that the file claims.
    Output: `nominal` when the frames come evenly (times may be rounded to milliseconds); otherwise the rate
        of the fastest tenth of them, so that few are lost, at most 60.
    """
    gaps = np.diff(times)
    gaps = gaps[gaps > 0]
    if not len(gaps) or np.abs(gaps - 1 / nominal).max() <= max(0.1 / nominal, 0.0015):
        return nominal
    return writable_rate(min(max(nominal, float(1 / np.quantile(gaps, 0.1))), _MAX_RATE))


def writable_rate(rate: float) -> float:
    """Round to a frame rate that MPEG-4 part 2 can store: a fraction of numbers up to 65,535."""
    return round(min(rate, 240.0), 2 if rate > _MAX_RATE else 3)


def evenly(timed: Iterable[tuple[float, Item]], rate: float) -> Iterator[tuple[Item, int]]:
    """Repeat or drop items so that they are shown at a constant rate.

    Input: timed: (seconds, item), the first at 0; rate: per second.
    Output: (item, how many times it is shown); an item that the next one would hide is dropped.
    """
    shown, held = 0, None
    for seconds, item in timed:
        due = round(seconds * rate)
        if held is not None and due > shown:
            yield held[0], due - shown
            shown = due
        held = (item,)
    if held is not None:
        yield held[0], 1


def write_video(
    path: str | os.PathLike[str], pictures: Iterable[np.ndarray], rate: float, *, force: bool = False
) -> int:
    """Write an MP4 (MPEG-4 part 2), whole or not at all.

    Input: pictures: uint8 (H, W, 3) RGB of one size, H and W even; rate: frames per second.
    Output: the number of frames; 0 = nothing was written.
    Errors: StorageError; what `pictures` raises, and then nothing is written.
    """
    count = 0
    rest = iter(pictures)
    first = next(rest, None)
    if first is None:
        return 0
    height, width = first.shape[:2]
    with replacing(path, force=force, ending=".mp4") as temporary:
        with contextlib.closing(_Writer(temporary, rate, (width, height))) as writer:
            for count, picture in enumerate(itertools.chain([first], rest), 1):  # noqa: B007
                writer.write(picture)
        _check_written(path, temporary, count)
    return count


class _Writer:
    """cv2.VideoWriter. It does not report a failed write: call `_check_written` afterwards."""

    def __init__(self, path: Path, rate: float, size: tuple[int, int]):
        _hush()
        self._writer = cv2.VideoWriter(
            os.fspath(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*_CODEC), rate, size
        )

    def write(self, picture: np.ndarray) -> None:
        self._writer.write(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))

    def close(self) -> None:
        self._writer.release()


def _check_written(path: str | os.PathLike[str], temporary: Path, count: int) -> None:
    """Raise StorageError unless the file holds `count` frames. A full disk cuts off the index at its end."""
    capture = _capture(os.fspath(temporary), cv2.CAP_FFMPEG)
    found = capture.get(cv2.CAP_PROP_FRAME_COUNT) if capture.isOpened() else 0
    capture.release()
    if found != count:
        raise StorageError(
            "E-IO", f"{quoted(path)}: the video could not be written whole. Check the room on the disk."
        )


def _capture(source: str | int, backend: int) -> cv2.VideoCapture:
    _hush()
    return cv2.VideoCapture(source, backend)


def _hush() -> None:
    """Keep OpenCV and FFmpeg from printing: the messages of mdeas say what is wrong."""
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    # OpenCV reads these once, at its first video. -8 is FFmpeg's "quiet"; it needs the other variable, too.
    os.environ.setdefault("OPENCV_FFMPEG_DEBUG", "1")
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
