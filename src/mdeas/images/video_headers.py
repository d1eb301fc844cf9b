"""Recognise a video file by its container, and find out whether bytes are missing, before it is decoded.

Playlists and other files that make FFmpeg open more files or addresses have none of these containers.
"""

import os
from collections.abc import Callable
from io import BufferedReader
from typing import BinaryIO

from mdeas.errors import InputError
from mdeas.system.files import NotRegularFileError, open_input, quoted

_BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide")  # an MP4 or MOV begins with one of these
_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"
_TS_PACKET, _TS_SYNC = 188, 0x47
_HEAD = 2 * _TS_PACKET + 1


def open_checked(source: str) -> tuple[BufferedReader, int]:
    """Open a video file.

    Output: the open file; how many bytes, at least, are missing at its end.
    Errors: InputError E-VIDEO-MISSING, E-VIDEO-FORMAT.
    """
    try:
        file = open_input(source)
    except (NotRegularFileError, IsADirectoryError) as error:
        what = "a folder" if isinstance(error, IsADirectoryError) else "not a regular file"
        raise refused(quoted(source), what) from error
    except OSError as error:
        raise InputError("E-VIDEO-MISSING", f"{quoted(source)}: {error.strerror}. Check the path.") from error
    try:
        return file, _missing_bytes(file, quoted(source))
    except BaseException:
        file.close()
        raise


def refused(name: str, why: str) -> InputError:
    """The error E-VIDEO-FORMAT for the file that messages call `name`."""
    return InputError("E-VIDEO-FORMAT", f"{name}: {why}. Give an MP4, MOV, MKV, WebM, AVI or MPEG-TS video.")


def _missing_bytes(file: BinaryIO, name: str) -> int:
    num_bytes = os.fstat(file.fileno()).st_size
    length = _length_of(file.read(_HEAD))
    if length is None:
        raise refused(name, "its first bytes are not those of a known video format")
    file.seek(0)
    missing = max(0, length(file, num_bytes) - num_bytes)
    file.seek(0)
    return missing


def _length_of(head: bytes) -> Callable[[BinaryIO, int], int] | None:
    """The function that computes how long a file with this beginning should be; None = no known container."""
    if head[4:8] in _BOXES:
        return _boxes_length
    if head[:4] == _EBML:
        return _ebml_length
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return _riff_length
    if len(head) == _HEAD and set(head[::_TS_PACKET]) == {_TS_SYNC}:
        return lambda file, size: size  # independent packets: any length is whole
    return None


def _boxes_length(file: BinaryIO, size: int) -> int:
    """ISO 14496-12: boxes with a 32-bit length and a type; length 1: 64 bits follow, 0: to the end."""
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
    """OpenDML: RIFF chunks one after the other, each with a 32-bit length."""
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
    """RFC 8794 section 4: the leading zeros of the first byte count the bytes that follow; None = unknown."""
    first = file.read(1)
    if not first or not first[0]:
        return None
    extra = 8 - first[0].bit_length()
    value = int.from_bytes(first + file.read(extra)) & ((1 << (7 * (extra + 1))) - 1)
    return None if value == (1 << (7 * (extra + 1))) - 1 else value
