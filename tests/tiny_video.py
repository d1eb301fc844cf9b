"""Small videos: MP4 as OpenCV writes them, changed bytewise, and AVI of JPEGs put together here."""

import struct
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from mdeas.images.video import write_video

_PARENTS = (b"moov", b"trak", b"mdia", b"minf", b"stbl")


def scene(height: int, width: int, left: int | None = None) -> np.ndarray:
    """uint8 (height, width, 3) RGB: a soft gradient; `left` is where a white box begins."""
    picture = np.empty((height, width, 3), np.uint8)
    picture[:] = np.linspace(40, 120, height)[:, None, None]
    if left is not None:
        picture[height // 4 : height // 2, left : left + width // 3] = 250
    return picture


def frames(count: int, height: int = 48, width: int = 64) -> list[np.ndarray]:
    """A box that moves to the right by a pixel a frame."""
    return [scene(height, width, 4 + number) for number in range(count)]


def mp4(path: Path, pictures: Sequence[np.ndarray], rate: float = 10.0) -> Path:
    """An MP4 of a constant rate."""
    write_video(path, pictures, rate)
    return path


def turned(path: Path, width: int) -> Path:
    """`path` with the flag "turn by 90°", as a phone held upright writes it; width: of the stored frames."""
    data = path.read_bytes()
    at = data.index(b"tkhd") + 44
    matrix = struct.pack(">9i", 0, 1 << 16, 0, -1 << 16, 0, 0, width << 16, 0, 1 << 30)
    path.write_bytes(data[:at] + matrix + data[at + 36 :])
    return path


def with_variable_rate(path: Path, runs: Sequence[tuple[int, float]]) -> Path:
    """`path` with frames that last as `runs` says: (how many, factor of the usual length)."""
    data = path.read_bytes().replace(b"edts", b"free")  # the edit list would cut at the old length
    at = data.index(b"stts") - 4
    (length,) = struct.unpack(">I", data[at + 20 : at + 24])
    entries = b"".join(struct.pack(">II", count, round(length * factor)) for count, factor in runs)
    box = struct.pack(">I4sII", 16 + len(entries), b"stts", 0, len(runs)) + entries
    grown = bytearray(data[:at] + box + data[at + 24 :])
    for parent in _PARENTS:
        start = data.index(parent) - 4
        (size,) = struct.unpack(">I", data[start : start + 4])
        grown[start : start + 4] = struct.pack(">I", size + len(box) - 24)
    path.write_bytes(grown)
    return path


def with_index_first(path: Path) -> Path:
    """`path` with its index before its frames, so that a cut file still has it."""
    data = path.read_bytes()
    begin, frames_begin = data.index(b"moov") - 4, data.index(b"mdat") - 4
    (size,) = struct.unpack(">I", data[begin : begin + 4])
    index = bytearray(data[begin : begin + size])
    at = index.index(b"stco") + 12
    (count,) = struct.unpack(">I", index[at - 4 : at])
    for place in range(at, at + 4 * count, 4):
        (offset,) = struct.unpack(">I", index[place : place + 4])
        index[place : place + 4] = struct.pack(">I", offset + size)
    path.write_bytes(data[:frames_begin] + index + data[frames_begin:begin])
    return path


def avi(path: Path, pictures: Sequence[np.ndarray], rate: int = 10) -> Path:
    """Motion JPEG; unlike MP4 frames, its frames may have odd and changing sizes."""
    height, width = pictures[0].shape[:2]
    images = [cv2.imencode(".jpg", picture[..., ::-1])[1].tobytes() for picture in pictures]
    header = struct.pack("<14I", 10**6 // rate, 0, 0, 16, len(images), 0, 1, 0, width, height, 0, 0, 0, 0)
    stream = struct.pack(
        "<4s4s10I4H", b"vids", b"MJPG", *[0] * 3, 1, rate, 0, len(images), *[0] * 3, *[0] * 4
    )
    form = struct.pack("<IiiHH4s5I", 40, width, height, 1, 24, b"MJPG", width * height * 3, 0, 0, 0, 0)
    streams = _list(b"strl", _chunk(b"strh", stream) + _chunk(b"strf", form))
    body = _list(b"hdrl", _chunk(b"avih", header) + streams)
    body += _list(b"movi", b"".join(_chunk(b"00dc", image) for image in images))
    path.write_bytes(_chunk(b"RIFF", b"AVI " + body))
    return path


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def _list(name: bytes, data: bytes) -> bytes:
    return _chunk(b"LIST", name + data)
