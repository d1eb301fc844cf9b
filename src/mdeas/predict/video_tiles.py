"""Turn a video or camera into 2×2 tiles: frame, mask, depth and cut-out; one frame is in memory at a time.

Colours have one scale for the whole video: the depth range of the empty scene, with room for nearer things.
A network's relative depth drifts from frame to frame, so each frame is fitted to the depth of the empty scene
where nothing is new.
"""

import contextlib
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.progress import Progress

from mdeas.depth_fit import UNCOVERED, fit_unchanged
from mdeas.errors import InputError, Stopped, UsageError
from mdeas.images.levels import to_uint8
from mdeas.images.photo import Photo, open_photo
from mdeas.images.resize import resize
from mdeas.images.sheets import colorize, labelled, robust_range
from mdeas.images.video import VideoReader, evenly, is_camera, write_video
from mdeas.pairing.match import Mode, match_photos
from mdeas.pairing.sanity import shows_nothing, tell
from mdeas.runtime.choice import DEFAULT_MODEL, ModelChoice
from mdeas.runtime.onnx_predictor import tell_model
from mdeas.runtime.predictor import Predictor
from mdeas.system.files import quoted, refuse_outputs
from mdeas.system.signals import StopRequest, stop_requests

_MAX_TILE = 640  # long side of a tile, pixels
_HEADROOM = 0.5  # share of the empty scene's range of depth that is kept for nearer things


def tile_video(
    source: str,
    background: str | Path,
    out: str | Path,
    *,
    model: ModelChoice = DEFAULT_MODEL,
    pair: Mode = "auto",
    frames: int | None = None,
    force: bool = False,
) -> dict[str, object]:
    """Predict every frame of `source` and write an MP4 of 2×2 tiles: frame, mask, depth, cut-out.

    Input:
        source: video file, or camera (its number or /dev/video…).
        background: photo of the same view with nothing in it.
        model: which to predict with.
        pair: what to do where the background does not fit the first frame that shows something: see
            pairing.match.match.
        frames: write at most this many.
    Output: {"video", "frames", "seconds"}. A tile has the frame's size, its long side at most 640 pixels.
    Errors: those of VideoReader, runtime.load and system.files.replacing; InputError E-PAIR-...; Stopped,
        and InputError E-VIDEO-SHORT for a truncated file, with the finished frames in `out`.
    """
    out = Path(out)
    if out.suffix.lower() != ".mp4":
        raise UsageError("E-VIDEO-OUT", f"{quoted(out)}: videos are written as MP4. Give a name with .mp4.")
    refuse_outputs([out], [background] if is_camera(source) else [background, source], force)
    predictor = model.load()
    empty = open_photo(Path(background))
    with contextlib.closing(VideoReader(source)) as reader, stop_requests() as stop:
        begin = partial(TileMaker, predictor, empty, source, mode=pair)
        count = write_video(out, _tiles(reader, begin, frames, stop), reader.rate, force=force)
        _tell_what_is_missing(reader, stop, count, out)
        tell_model(predictor)
        return {"video": str(out), "frames": count, "seconds": round(count / reader.rate, 2)}


def _tiles(
    reader: VideoReader,
    begin: Callable[[np.ndarray], "TileMaker"],
    frames: int | None,
    stop: StopRequest,
) -> Iterator[np.ndarray]:
    """Tiles at the reader's rate, at most `frames`, until the video ends or a signal arrives.

    Input: begin: from the first frame to the TileMaker.
    """
    maker, count = None, 0
    expected = min(filter(None, (frames, reader.num_frames)), default=None)
    with Progress(console=Console(stderr=True)) as progress:  # ends before an error is printed
        timed = progress.track(reader, total=expected, description="predicting")
        for frame, times in evenly(timed, reader.rate):
            maker = maker or begin(frame)
            tile = maker.of(frame)
            for _ in range(times):
                if stop.signum is not None or count == frames:
                    return
                count += 1
                yield tile


def _tell_what_is_missing(reader: VideoReader, stop: StopRequest, count: int, out: Path) -> None:
    kept = f"{count} frames are in {quoted(out)}" if count else "no frame was finished"
    if stop.signum is not None:
        name = signal.Signals(stop.signum).name
        raise Stopped(stop.signum, f"stopped by {name}; {kept}.")
    if reader.missing_bytes:
        early = f"{reader.name}: ends at least {reader.missing_bytes:,} bytes early"
        raise InputError("E-VIDEO-SHORT", f"{early}; {kept}. Copy it again for the rest.")
    if not count:
        raise InputError("E-VIDEO-EMPTY", f"{reader.name}: no frames in it. Give another video.")


class TileMaker:
    """Makes the tiles of one video.

    Input: empty: background photo; source: the video's name; first: uint8 (h, w, 3) RGB first frame, for the
        size; mode: see pairing.match.match.
    Errors: InputError E-PAIR-... when the background does not fit.
    """

    def __init__(self, predictor: Predictor, empty: Photo, source: str, first: np.ndarray, mode: Mode):
        self.predictor, self.source, self.mode = predictor, Path(source), mode
        self.size = _tile_size(*first.shape[:2])
        self.empty = replace(empty, view=self._small(empty.view))
        self.line = 1.0, 0.0
        self._match(first)

    def _match(self, frame: np.ndarray) -> None:
        """Match the background to a frame, once for all that follow: the camera stands still.

        A frame of one flat colour cannot be matched: then the next frame that is not flat is matched again.
        """
        small = self._small(frame)
        photo = Photo(self.source, frame.shape[0], frame.shape[1], small)
        self.matched = not shows_nothing(small)
        matched = match_photos(self.empty, photo, self.mode if self.matched else "off")
        # W-PAIR-IDENTICAL is not printed: many videos begin with the empty scene.
        tell(self.source, [warning for warning in matched.warnings if warning.code != "W-PAIR-IDENTICAL"])
        self.background = matched.background
        self.depth = self.predictor.predict(self.background, self.background).depth
        low, high = robust_range(self.depth)
        self.ends = low, high + _HEADROOM * (high - low)

    def of(self, frame: np.ndarray) -> np.ndarray:
        """uint8 (H, W, 3) RGB frame -> uint8 (2 (h + 20), 2 w, 3) RGB."""
        small = self._small(frame)
        if not self.matched and not shows_nothing(small):
            self._match(frame)
        prediction = self.predictor.predict(self.background, small)
        depth = self._steady(prediction.depth, prediction.mask)
        alpha = prediction.mask[..., None]
        pictures = {
            "frame": small,
            "mask": np.repeat(to_uint8(alpha), 3, axis=2),
            "depth": colorize(depth, ends=self.ends),
            "cut-out": np.rint(alpha * small + (1 - alpha) * 255).astype(np.uint8),
        }
        cells = [labelled(picture, name) for name, picture in pictures.items()]
        return np.vstack([np.hstack(cells[:2]), np.hstack(cells[2:])])

    def _small(self, frame: np.ndarray) -> np.ndarray:
        return resize(frame, *self.size, enlarge=cv2.INTER_LINEAR)

    def _steady(self, depth: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """`depth` at the empty scene's scale and shift; if all is covered, by the fit of the last frame."""
        self.line = fit_unchanged(depth, self.depth, mask < UNCOVERED) or self.line
        scale, shift = self.line
        return scale * depth + shift


def _tile_size(height: int, width: int) -> tuple[int, int]:
    """Both even, as video codecs want them, the long side at most _MAX_TILE."""
    scale = min(1.0, _MAX_TILE / max(height, width))
    return max(2, round(height * scale / 2) * 2), max(2, round(width * scale / 2) * 2)
