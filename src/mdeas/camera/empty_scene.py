"""Make the photo of an empty scene from frames of a fixed camera in which things come and go.

Each pixel takes the colour that most frames agree on: the mode, not the median. Things that pass have many
colours, so the scene behind can be visible in less than half of the frames and still be the most frequent
colour. A thing that stood still in most frames counts as scene. Where at most half of the frames agree, the
colour of a single frame may replace the mode: the frame that fits the surroundings best.

Memory is bounded: at most frames.MAX_FRAMES frames are used, evenly spread, and the picture is made in
strips, for each of which the frames are read again.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from mdeas.images.codec import write_png
from mdeas.images.frames import Frames
from mdeas.images.levels import to_uint8
from mdeas.images.resize import within
from mdeas.system.files import quoted, refuse_outputs

UNSURE = 0.5
"""A pixel is unsure unless more than this share of the frames agree on it."""
_WARN_SHARE = 0.01  # share of unsure pixels above which a warning is given
_STRIP_BYTES = 400 * 2**20  # of frames in memory at a time; work on them takes as much again
_SMALL = 160  # long side in pixels of the copies on which exposure is compared
_GREY = (16, 240)  # levels between which a ratio tells the exposure
_BIN = 4  # levels to a bin of the histograms
_PIECE = 2**17  # pixels whose histograms are in memory at a time
_NOISE = 3.0  # frames agree on a pixel when they differ by at most this times the noise ...
_AGREE_LEVELS = (6, 32)  # ... but within these limits, levels of 255


@dataclass(frozen=True, kw_only=True)
class EmptyScene:
    """The scene behind moving things, found from frames."""

    background: np.ndarray
    """uint8 (H, W, 3) RGB, at the exposure of the median frame."""
    agreement: np.ndarray
    """float32 (H, W): share of the frames that show this colour."""
    gains: np.ndarray
    """float32 (N, 3): brightness of each frame relative to the median frame, per channel."""

    @property
    def unsure_share(self) -> float:
        """Share of the pixels on which at most UNSURE of the frames agree."""
        return float((self.agreement <= UNSURE).mean())


def write_background(
    sources: Sequence[str | Path], out: str | Path, *, force: bool = False
) -> dict[str, object]:
    """Write the empty scene behind moving things, and NAME-agreement.png: 255 = all frames agree.

    Input: sources: see Frames; out: a PNG.
    Output: facts about the result, for print_facts. W-BACKGROUND-UNSURE is printed on stderr when at most
        half of the frames agree on more than a hundredth of the picture.
    Errors: those of Frames; UsageError E-OUT-IS-INPUT; StorageError.
    """
    out = Path(out)
    agreement = out.with_name(f"{out.stem}-agreement.png")
    frames = Frames(sources)
    refuse_outputs((out, agreement), [*frames.paths, *sources], force)
    scene = empty_scene(frames)
    write_png(out, scene.background, force=force)
    write_png(agreement, to_uint8(scene.agreement), force=force)
    if scene.unsure_share > _WARN_SHARE:
        where = f"on {scene.unsure_share:.1%} of the picture no more than half of the frames agree"
        text = f"{where}: it may show what was passing. Look at {quoted(agreement)}, and give more frames"
        print(f"mdeas: warning[W-BACKGROUND-UNSURE] {text}", file=sys.stderr)
    exposure = scene.gains.mean(axis=1)
    return {
        "background": str(out),
        "agreement": str(agreement),
        "frames": f"{len(frames)} of {frames.num_found}",
        "exposure": f"{exposure.min():.2f} to {exposure.max():.2f} of the median frame's",
        "unsure": f"{scene.unsure_share:.1%} of the picture",
    }


def empty_scene(frames: Frames) -> EmptyScene:
    """Find the colour that most frames agree on, pixel by pixel, after making their exposure equal."""
    copies = []
    for frame in frames:
        height, width = frame.shape[:2]
        copies.append(within(frame, _SMALL))
    small = np.stack(copies)
    gains = exposure_gains(small)
    # Each level of each frame -> the level at the median frame's exposure.
    tables = np.rint(np.arange(256, dtype=np.float32)[:, None] / gains[:, None]).clip(0, 255).astype(np.uint8)
    levels = _agreeing_levels(small, gains)
    around = _surroundings(np.stack([_corrected(*pair) for pair in zip(small, tables, strict=True)]), levels)
    around = cv2.resize(around, (width, height), interpolation=cv2.INTER_LINEAR)
    background = np.empty((height, width, 3), np.uint8)
    agreement = np.empty((height, width), np.float32)
    step = max(1, _STRIP_BYTES // (3 * width * len(small)))
    for top in range(0, height, step):
        rows = slice(top, min(height, top + step))
        stack = np.empty((len(small), rows.stop - top, width, 3), np.uint8)
        for place, frame, table in zip(stack, frames, tables, strict=True):
            place[:] = _corrected(frame[rows], table)
        background[rows], agreement[rows] = most_frequent(stack, levels)
        unsure = agreement[rows] <= UNSURE
        background[rows][unsure] = _fitting(
            stack[:, unsure], background[rows][unsure], around[rows][unsure], levels
        )
    return EmptyScene(background=background, agreement=agreement, gains=gains)


def exposure_gains(small: np.ndarray) -> np.ndarray:
    """How many times as bright each frame is as the median frame, per channel.

    Input: small: uint8 (N, h, w, 3).
    Output: float32 (N, 3): the median ratio over pixels, so that things which cover less than half of a frame
        do not count; 1 where nothing can be compared.
    """
    middle = np.median(small, axis=0)
    usable = (middle >= _GREY[0]) & (middle <= _GREY[1])
    gains = np.ones((len(small), 3), np.float32)
    for channel in range(3):
        where = usable[..., channel]
        if where.any():
            gains[:, channel] = np.median(small[:, where, channel] / middle[where, channel], axis=1)
    return gains / np.median(gains, axis=0)


def _corrected(pixels: np.ndarray, table: np.ndarray) -> np.ndarray:
    return cv2.LUT(pixels, table[None])


def _surroundings(small: np.ndarray, levels: int) -> np.ndarray:
    """The scene of small copies, uint8 (N, h, w, 3) -> (h, w, 3); unsure pixels are inpainted."""
    colour, agreement = most_frequent(small, levels)
    unsure = agreement <= UNSURE
    if unsure.all():
        return colour
    grown = cv2.dilate(unsure.astype(np.uint8), np.ones((5, 5), np.uint8))  # pixels at their rim are mixtures
    return np.asarray(cv2.inpaint(colour, grown, 5, cv2.INPAINT_TELEA), np.uint8)


def _fitting(frames: np.ndarray, mode: np.ndarray, around: np.ndarray, levels: int) -> np.ndarray:
    """The mode, or the colour of the frame nearest to the surroundings where that costs less.

    The cost of a colour is its distance from the surroundings over the number of frames that agree on it.
    Input: frames: uint8 (N, P, 3); mode, around: uint8 (P, 3). Output: uint8 (P, 3).
    """
    distance = np.stack([_distance(frame, around) for frame in frames])
    nearest = np.take_along_axis(frames, distance.argmin(axis=0)[None, :, None], axis=0)[0]
    costs = [
        (_distance(colour, around) + levels) / np.maximum(_agreeing(frames, colour, levels), 1)
        for colour in (mode, nearest)
    ]
    return np.where((costs[1] < costs[0])[:, None], nearest, mode)


def _distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Mean absolute difference of the channels: uint8 (..., 3) -> float32 (...)."""
    return np.abs(a.astype(np.float32) - b).mean(axis=-1)


def _agreeing(frames: np.ndarray, colour: np.ndarray, levels: int) -> np.ndarray:
    """(P,): number of frames, uint8 (N, P, 3), within `levels` of `colour`, (P, 3), in every channel."""
    wanted = colour.astype(np.float32)
    return np.sum([np.abs(frame - wanted).max(axis=-1) <= levels for frame in frames], axis=0)


def _agreeing_levels(small: np.ndarray, gains: np.ndarray) -> int:
    """Levels by which two frames may differ at a pixel and still agree, from the noise of still pixels."""
    even = small / gains[:, None, None]
    noise = 1.4826 * float(np.median(np.abs(even - np.median(even, axis=0))))
    # A pixel of the small copy is a mean of many pixels; in photos that halves the noise.
    return round(float(np.clip(2 * _NOISE * noise, *_AGREE_LEVELS)))


def most_frequent(stack: np.ndarray, levels: int) -> tuple[np.ndarray, np.ndarray]:
    """The colour that most of the frames agree on at each pixel.

    First the densest luma; then the mean colour of the frames near that luma; then the mean of the frames
    within `levels` of that colour in every channel.
    Input: stack: uint8 (N, h, w, 3), N at most 255; levels: of 255.
    Output: uint8 (h, w, 3); float32 (h, w), share of the frames that agree.
    """
    luma = np.stack([cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in stack])
    colour, _ = _mean_near(stack, luma, densest(luma, levels), levels)
    colour, count = _mean_near(stack, stack, colour, levels)
    # No frame is near the mean where the nearest two are far apart or two colours share one luma.
    none = count == 0
    colour[none] = np.median(stack[:, none], axis=0)
    return colour, count / np.float32(len(stack))


def _mean_near(
    stack: np.ndarray, values: np.ndarray, wanted: np.ndarray, levels: int
) -> tuple[np.ndarray, np.ndarray]:
    """Mean of the frames whose value is within `levels` of `wanted`, and their number.

    Input: stack: uint8 (N, h, w, 3) frames; values: uint8 (N, h, w) or (N, h, w, 3), which are compared;
        wanted: the same without N.
    Output: uint8 (h, w, 3), 0 where there is no such frame; float32 (h, w).
    """
    total = np.zeros(stack.shape[1:], np.float32)
    count = np.zeros(stack.shape[1:3], np.float32)
    least, most = (0, levels) if wanted.ndim == 2 else ((0,) * 3, (levels,) * 3)
    for frame, compared in zip(stack, values, strict=True):
        near = cv2.inRange(cv2.absdiff(compared, wanted), least, most)
        cv2.accumulate(frame, total, mask=near)
        count += near > 0
    return np.rint(total / np.maximum(count, 1)[..., None]).astype(np.uint8), count


def densest(values: np.ndarray, levels: int) -> np.ndarray:
    """The value with the most frames near it: the mode of a histogram smoothed by a triangle of ± `levels`.

    Input: values: uint8 (N, h, w), N at most 255. Output: uint8 (h, w), accurate to half a bin.
    """
    flat = values.reshape(len(values), -1)
    pieces = [_densest(flat[:, start : start + _PIECE], levels) for start in range(0, flat.shape[1], _PIECE)]
    return np.concatenate(pieces).reshape(values.shape[1:])


def _densest(values: np.ndarray, levels: int) -> np.ndarray:
    """`densest` of uint8 (N, P), as (P,)."""
    num_pixels, bins = values.shape[1], 256 // _BIN
    counts = np.zeros(num_pixels * bins, np.uint16)
    first = np.arange(num_pixels) * bins
    for frame in values:
        counts[first + frame // _BIN] += 1
    reach = max(1, round(levels / _BIN / 2))
    dense = _window_sums(_window_sums(counts.reshape(num_pixels, bins), reach), reach)
    return (dense.argmax(axis=1) * _BIN + _BIN // 2).astype(np.uint8)


def _window_sums(counts: np.ndarray, reach: int) -> np.ndarray:
    """uint16 (P, B): the sums over windows of 2 reach + 1 along the last axis, 0 beyond its ends."""
    below = np.cumsum(np.pad(counts, ((0, 0), (reach + 1, reach))), axis=1, dtype=np.uint16)
    return below[:, 2 * reach + 1 :] - below[:, : -2 * reach - 1]
