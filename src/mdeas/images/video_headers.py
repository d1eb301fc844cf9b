"""What a video file says of itself, before it is decoded: its container, and whether all of it is there.

Playlists and other files that make FFmpeg open more files or addresses begin with none of these containers.
"""

import os
import stat
from collections.abc import Callable
from typing import BinaryIO

from mdeas.errors import InputError
from mdeas.system.files import quoted

_BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide")  # that an MP4 or MOV may begin with
_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"
_TS_PACKET, _TS_SYNC = 188, 0x47
_HEAD = 2 * _TS_PACKET + 1


def open_checked(source: str) -> tuple[int, int]:
    """A file descriptor of the video file `source`, and how many bytes, at least, it is shorter than it says.

    Errors: InputError E-VIDEO-MISSING, E-VIDEO-FORMAT.
    """
    try:
        # A FIFO must not be waited for.
        descriptor = os.open(source, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise InputError("E-VIDEO-MISSING", f"{quoted(source)}: {error.strerror}. Check the path.") from error
    try:
        return descriptor, _missing_bytes(descriptor, quoted(source))
    except BaseException:
        os.close(descriptor)
        raise


def refused(name: str, why: str) -> InputError:
    """E-VIDEO-FORMAT for the file that messages call `name`."""
    return InputError("E-VIDEO-FORMAT", f"{name}: {why}. Give an MP4, MOV, MKV, WebM, AVI or MPEG-TS video.")


def _missing_bytes(descriptor: int, name: str) -> int:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise refused(name, "not a regular file")
    with open(descriptor, "rb", closefd=False) as file:
        head = file.read(_HEAD)
        length = _length_of(head)
        if length is None:
            raise refused(name, "no video that is known by its first bytes")
        file.seek(0)
        return max(0, length(file, status.st_size) - status.st_size)


def _length_of(head: bytes) -> Callable[[BinaryIO, int], int] | None:
    """The function that tells how long a file with this beginning should be; None for no known container."""
    if head[4:8] in _BOXES:
        return _boxes_length
    if head[:4] == _EBML:
        return _ebml_length
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return _riff_length
    if len(head) == _HEAD and set(head[::_TS_PACKET]) == {_TS_SYNC}:
        return lambda file, size: size  # packets without an index
    return None


def _boxes_length(file: BinaryIO, size: int) -> int:
    """ISO 14496-12: boxes of 32-bit length and type; length 1 = 64-bit length follows, 0 = to the end."""
    position = 0
    while position < size:
        file.seek(position)
        header = file.read(16)
        length = int.from_bytes(header[:4])
        if length == 1:
            length = int.from_bytes(header[8:16])
        if length < 8:  # to the end, or damaged
            return size
        position += length
    return position


def _riff_length(file: BinaryIO, size: int) -> int:
    """One RIFF chunk after another (OpenDML), of 32-bit length."""
    position = 0
    while position + 8 <= size:
        file.seek(position)
        header = file.read(8)
        if header[:4] != b"RIFF":
            return size
        length = int.from_bytes(header[4:], "little")
        position += 8 + length + length % 2
    return position


def _ebml_length(file: BinaryIO, size: int) -> int:
    """RFC 8794: an EBML header and a Segment, whose length may be unknown (all ones)."""
    file.seek(4)
    header_length = _variable_integer(file)
    if header_length is None:
        return size
    file.seek(header_length, os.SEEK_CUR)
    if file.read(4) != _SEGMENT:
        return size
    length = _variable_integer(file)
    return size if length is None else file.tell() + length


def _variable_integer(file: BinaryIO) -> int | None:
    """RFC 8794 section 4: leading zeros of the first byte tell how many follow; None = unknown or damaged."""
    first = file.read(1)
    if not first or not first[0]:
        return None
    extra = 8 - first[0].bit_length()
    value = int.from_bytes(first + file.read(extra)) & ((1 << (7 * (extra + 1))) - 1)
    return None if value == (1 << (7 * (extra + 1))) - 1 else value
