"""Read the tag directories of TIFF files and Exif blocks (TIFF 6.0, Exif 2.32)."""

import struct
from collections.abc import Iterator

Tags = dict[int, tuple[int, ...]]

_ORIENTATION = 274
_EXIF_DIRECTORY = 34665
_FOCAL_35MM = 41989
# Page kind, size, bits, strips, orientation, tiles, alpha. Other tags may be long and are never needed.
_WANTED = frozenset((254, 256, 257, 258, 273, _ORIENTATION, 279, 324, 325, 338, _EXIF_DIRECTORY, _FOCAL_35MM))
_TYPES = {1: "B", 3: "H", 4: "I"}  # BYTE, SHORT, LONG: the only types of these tags


def tag_directories(data: bytes) -> Iterator[Tags]:
    """Yield the wanted tags of every directory; a page has one. A chain that returns to a directory ends.

    Errors: struct.error where the data end early.
    """
    order = "<" if data[:2] == b"II" else ">"
    (at,) = struct.unpack(order + "I", data[4:8])
    seen: set[int] = set()
    while at and at not in seen:
        seen.add(at)
        (num_entries,) = struct.unpack(order + "H", data[at : at + 2])
        end = at + 2 + 12 * num_entries
        yield _directory(data, order, range(at + 2, end, 12))
        (at,) = struct.unpack(order + "I", data[end : end + 4])


def exif_orientation(exif: bytes) -> int:
    """Orientation, 1 to 8, of an Exif block; 1 when it is absent or damaged, as in viewers."""
    try:
        value = next(tag_directories(exif)).get(_ORIENTATION, (1,))[0]
    except (struct.error, StopIteration, IndexError):
        return 1
    return value if 1 <= value <= 8 else 1


def exif_focal_35mm(exif: bytes) -> int:
    """FocalLengthIn35mmFilm, millimetres, of an Exif block or a TIFF file; 0 when it has none."""
    order = "<" if exif[:2] == b"II" else ">"
    try:
        (at,) = next(tag_directories(exif))[_EXIF_DIRECTORY]
        (num_entries,) = struct.unpack(order + "H", exif[at : at + 2])
        entries = range(at + 2, at + 2 + 12 * num_entries, 12)
        return _directory(exif, order, entries)[_FOCAL_35MM][0]
    except (struct.error, StopIteration, IndexError, KeyError, ValueError):
        return 0


def _directory(data: bytes, order: str, entries: range) -> Tags:
    tags: Tags = {}
    for at in entries:
        tag, kind, count = struct.unpack(order + "HHI", data[at : at + 8])
        if tag in _WANTED and kind in _TYPES and tag not in tags:
            # Read at most as many values as there are bytes: a damaged count must not allocate gigabytes.
            tags[tag] = _values(data, order, at + 8, f"{order}{min(count, len(data))}{_TYPES[kind]}")
    return tags


def _values(data: bytes, order: str, place: int, layout: str) -> tuple[int, ...]:
    size = struct.calcsize(layout)
    if size > 4:
        (place,) = struct.unpack(order + "I", data[place : place + 4])
    return struct.unpack(layout, data[place : place + size])
