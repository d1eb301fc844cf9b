"""Read the header of a picture file, and find out whether bytes are missing, before anything is decoded.

Sources: ITU T.81 (JPEG), PNG third edition, the WebP container, TIFF 6.0, the BMP headers of the Windows SDK.
"""

import itertools
import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from mdeas.errors import InputError
from mdeas.images.tags import exif_focal_35mm, exif_orientation, tag_directories

FORMATS = "JPEG, PNG, WebP, TIFF or BMP"


@dataclass(frozen=True, kw_only=True)
class Header:
    """What must be known of a picture before it is decoded."""

    format: str
    """"jpeg", "png", "webp", "tiff" or "bmp"."""
    width: int
    """Pixels as stored, before the orientation is applied."""
    height: int
    """Pixels as stored, before the orientation is applied."""
    orientation: int = 1
    """Exif orientation, 1 to 8, that must be applied after decoding (the TIFF decoder applies its own)."""
    focal_35mm: int = 0
    """Exif's focal length for 36 × 24 mm film, millimetres; 0 = unknown."""
    premultiplied: bool = False
    """True where the decoder returns colour multiplied by alpha (8-bit TIFF)."""


def inspect(data: bytes, name: str) -> Header:
    """Read the header of a picture file in memory, and check that the file is whole.

    Input: data: the file's bytes; name: what messages call it (already quoted).
    Errors: InputError E-IMG-FORMAT (not one still picture of the five formats), E-IMG-TRUNCATED (bytes are
    missing at the end), E-IMG-DECODE (damaged).
    """
    if not data:
        raise InputError("E-IMG-TRUNCATED", f"{name}: the file is empty (0 bytes). Copy it again.")
    try:
        for signature, reader in _READERS:
            if signature.match(data):
                return reader(data, name)
    except (struct.error, IndexError) as error:
        raise cut(name) from error
    kinds = (what for signature, what in _FOREIGN if re.match(signature, data, re.DOTALL | re.IGNORECASE))
    what = next(kinds, "an unknown kind of file")
    raise refused(name, f"{what}, not a {FORMATS} picture", "Convert it to PNG first.")


def cut(name: str, missing: int | None = None) -> InputError:
    """The error for a file that ends `missing` bytes early; None = unknown."""
    early = "early" if missing is None else f"{missing:,} bytes early"
    return InputError("E-IMG-TRUNCATED", f"{name}: the file ends {early}. Copy it again.")


def damaged(name: str, what: str) -> InputError:
    """The error for a file whose bytes contradict each other."""
    return InputError("E-IMG-DECODE", f"{name}: damaged ({what}). Copy or save it again.")


def refused(name: str, what: str, advice: str) -> InputError:
    """The error for a file that is not one still picture of the five formats."""
    return InputError("E-IMG-FORMAT", f"{name}: {what}. {advice}")


def _png(data: bytes, name: str) -> Header:
    width, height = struct.unpack(">II", data[16:24])
    exif = b""
    for kind, body in _png_chunks(data, name):
        if kind == b"acTL":
            raise _moving(name, "an animated PNG")
        if kind == b"eXIf":
            exif = body
    return _header_with_exif("png", width, height, exif)


def _header_with_exif(format_: str, width: int, height: int, exif: bytes) -> Header:
    """Input: exif: the file's Exif block; b"" = none."""
    return Header(
        format=format_,
        width=width,
        height=height,
        orientation=exif_orientation(exif),
        focal_35mm=exif_focal_35mm(exif),
    )


def _png_chunks(data: bytes, name: str) -> Iterator[tuple[bytes, bytes]]:
    """Yield every chunk up to IEND as (kind, body); raise where one is cut off or fails its checksum."""
    at, kind = 8, b""
    while kind != b"IEND":
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        end = at + 12 + length
        if end > len(data):
            raise cut(name, end - len(data))
        if zlib.crc32(memoryview(data)[at + 4 : end - 4]) != int.from_bytes(data[end - 4 : end]):
            raise damaged(name, f"checksum of chunk {kind!r}")
        yield kind, data[at + 8 : end - 4]
        at = end


# In entropy-coded data, FF is followed by 00, by a restart marker, or by more FF as padding: no marker here.
_JPEG_MARKER = re.compile(rb"\xff([^\x00\x01\xd0-\xd8\xff])", re.DOTALL)
_JPEG_SIZES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_JPEG_END, _JPEG_APP1 = 0xD9, 0xE1


def _jpeg(data: bytes, name: str) -> Header:
    size, exif = None, b""
    for marker, body in _jpeg_segments(data, name):
        if marker in _JPEG_SIZES and size is None:
            size = struct.unpack(">HH", data[body + 3 : body + 7])
        if marker == _JPEG_APP1 and data[body + 2 : body + 8] == b"Exif\0\0":
            length = int.from_bytes(data[body : body + 2])
            exif = data[body + 8 : body + length]
    if size is None or 0 in size:
        raise damaged(name, "no size before the end")
    return _header_with_exif("jpeg", size[1], size[0], exif)


def _jpeg_segments(data: bytes, name: str) -> Iterator[tuple[int, int]]:
    """Yield every marker up to the end of the picture as (marker, offset of its length field)."""
    at = 2
    while found := _JPEG_MARKER.search(data, at):
        if found[1][0] == _JPEG_END:
            return
        yield found[1][0], found.end()
        at = found.end() + int.from_bytes(data[found.end() : found.end() + 2])
    raise cut(name, max(at - len(data), 0) or None)


def _webp(data: bytes, name: str) -> Header:
    missing = 8 + int.from_bytes(data[4:8], "little") - len(data)
    if missing > 0:
        raise cut(name, missing)
    kind = data[12:16]
    if kind == b"VP8X" and data[20] & 2:
        raise _moving(name, "an animated WebP")
    width, height = _WEBP_SIZES.get(kind, _webp_unknown)(data)
    return _header_with_exif("webp", width, height, _webp_exif(data))


def _webp_lossy(data: bytes) -> tuple[int, int]:
    width, height = struct.unpack("<HH", data[26:30])
    return width & 0x3FFF, height & 0x3FFF


def _webp_lossless(data: bytes) -> tuple[int, int]:
    (bits,) = struct.unpack("<I", data[21:25])
    return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1


def _webp_canvas(data: bytes) -> tuple[int, int]:
    return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1


def _webp_unknown(data: bytes) -> tuple[int, int]:
    raise IndexError("no picture chunk")


_WEBP_SIZES = {b"VP8 ": _webp_lossy, b"VP8L": _webp_lossless, b"VP8X": _webp_canvas}


def _webp_exif(data: bytes) -> bytes:
    at = 12
    while at + 8 <= len(data):
        kind, length = struct.unpack("<4sI", data[at : at + 8])
        if kind == b"EXIF":
            return data[at + 8 : at + 8 + length].removeprefix(b"Exif\0\0")
        at += 8 + length + length % 2
    return b""


def _bmp(data: bytes, name: str) -> Header:
    start, header_bytes = struct.unpack("<I4x", data[10:18])[0], int.from_bytes(data[14:18], "little")
    if header_bytes == 12:
        width, height, _, bits = struct.unpack("<HHHH", data[18:26])
        compression = 0
    else:
        width, height, _, bits, compression = struct.unpack("<iiHHI", data[18:34])
    width, height = abs(width), abs(height)
    missing = start + (width * bits + 31) // 32 * 4 * height - len(data)
    if compression in (0, 3) and missing > 0:
        raise cut(name, missing)
    return Header(format="bmp", width=width, height=height)


_TIFF_SUBFILE, _TIFF_WIDTH, _TIFF_HEIGHT, _TIFF_BITS, _TIFF_EXTRA = 254, 256, 257, 258, 338
_MAX_DIRECTORIES = 16  # pages and their thumbnails; a longer chain is an attack on time
_TIFF_DATA = ((273, 279), (324, 325))  # (offsets, byte counts) of strips and of tiles


def _tiff(data: bytes, name: str) -> Header:
    directories = itertools.islice(tag_directories(data), _MAX_DIRECTORIES)
    pages = [tags for tags in directories if not tags.get(_TIFF_SUBFILE, (0,))[0] & 1]
    if len(pages) > 1:
        raise _moving(name, "a TIFF of several pages")
    if not pages or not {_TIFF_WIDTH, _TIFF_HEIGHT} <= pages[0].keys():
        raise damaged(name, "no size")
    tags = pages[0]
    missing = max((_tiff_end(tags, *pair) for pair in _TIFF_DATA), default=0) - len(data)
    if missing > 0:
        raise cut(name, missing)
    if max(tags.get(_TIFF_BITS, (1,))) > 16:
        raise refused(name, "a TIFF of more than 16 bits a sample", "Scale it to 8 or 16 bits first.")
    eight = max(tags.get(_TIFF_BITS, (1,))) <= 8
    return Header(
        format="tiff",
        width=tags[_TIFF_WIDTH][0],
        height=tags[_TIFF_HEIGHT][0],
        focal_35mm=exif_focal_35mm(data),
        premultiplied=eight and tags.get(_TIFF_EXTRA, (0,))[0] in (1, 2),
    )


def _tiff_end(tags: dict[int, tuple[int, ...]], offsets: int, counts: int) -> int:
    return max((a + n for a, n in zip(tags.get(offsets, ()), tags.get(counts, ()), strict=False)), default=0)


def _moving(name: str, what: str) -> InputError:
    return refused(name, f"{what}, not one still picture", "Save the frame you want as PNG.")


_READERS = (
    (re.compile(rb"\xff\xd8\xff"), _jpeg),
    (re.compile(rb"\x89PNG\r\n\x1a\n"), _png),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), _webp),
    (re.compile(rb"II\*\0|MM\0\*"), _tiff),
    (re.compile(rb"BM"), _bmp),
)
_FOREIGN = (
    (rb"GIF8", "a GIF"),
    (rb"%PDF", "a PDF document"),
    (rb"%!PS|\xc5\xd0\xd3\xc6", "a PostScript document"),
    (rb"8BPS", "a Photoshop document"),
    (rb"(\xef\xbb\xbf)?\s*<(.{0,1000}<)?svg", "an SVG drawing"),
    (rb"(\xef\xbb\xbf)?\s*<", "an HTML or XML page"),
    (rb"....ftyp(heic|heix|mif1|avif)", "a HEIF or AVIF picture"),
    (rb"....ftyp", "a video"),
    (rb"II\+\0|MM\0\+", "a BigTIFF"),
)
