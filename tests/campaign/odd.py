"""Pictures that are whole and yet unusual, with what becomes of each; Pillow writes most of them."""

import io
import struct
import zlib

import numpy as np
from PIL import Image, ImageCms
from world import cutout, photo

USED = None
"""The outcome of a picture that is used; others are the code of the error."""

_RGB, _RGBA = photo(50, 32), cutout(51, 32)
_GREY = _RGB[..., 0]
_ALPHA = _RGBA[..., 3]


def stored(picture, kind, **options):
    """Bytes of an array or Pillow image in a format of Pillow."""
    buffer = io.BytesIO()
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _frames(kind):
    pictures = [Image.fromarray(photo(60 + k, 24)) for k in range(3)]
    return stored(pictures[0], kind, save_all=True, append_images=pictures[1:])


def _exif(orientation):
    exif = Image.Exif()
    exif[274] = orientation
    return exif


def _la():
    return Image.merge("LA", [Image.fromarray(_GREY), Image.fromarray(_ALPHA)])


def _palette():
    return Image.fromarray(_RGB).quantize(16)


def _ycck():
    """A CMYK JPEG of the kind Photoshop writes: YCCK, which its Adobe marker says."""
    data = stored(Image.fromarray(_RGB).convert("CMYK"), "JPEG", quality=95)
    at = data.index(b"Adobe\0") + 11
    return data[:at] + b"\x02" + data[at + 1 :]


def _wide():
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()


def png(width, height, depth=8, colour=2, rows=b"", interlace=0):
    """A PNG whose header may lie."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def _png16(picture):
    height, width, channels = picture.shape
    big = (picture.astype(">u2") * 257).reshape(height, -1)
    rows = b"".join(b"\0" + row.tobytes() for row in big)
    return png(width, height, 16, {1: 0, 3: 2, 4: 6}[channels], rows)


def _interlaced():
    """One pixel is an interlaced picture of one pass."""
    return png(1, 1, rows=b"\0\x80\x40\x20", interlace=1)


def _one_pixel():
    picture = np.zeros((32, 32, 4), np.uint8)
    picture[5, 6] = 255
    return picture


PHOTOS = {
    "cmyk.jpg": (stored(Image.fromarray(_RGB).convert("CMYK"), "JPEG"), USED),
    "ycck.jpg": (_ycck(), USED),
    "grey.jpg": (stored(_GREY, "JPEG"), USED),
    "grey.png": (stored(_GREY, "PNG"), USED),
    "la.png": (stored(_la(), "PNG"), USED),
    "palette.png": (stored(_palette(), "PNG"), USED),
    "palette-transparent.png": (stored(_palette(), "PNG", transparency=3), USED),
    "1-bit.png": (stored(Image.fromarray(_RGB).convert("1"), "PNG"), USED),
    "1-bit.tif": (stored(Image.fromarray(_RGB).convert("1"), "TIFF"), USED),
    "16-bit-grey.png": (_png16(_RGB[..., :1]), USED),
    "16-bit.png": (_png16(_RGB), USED),
    "16-bit-alpha.png": (_png16(_RGBA), USED),
    "float.tif": (stored(_GREY.astype(np.float32), "TIFF"), "E-IMG-FORMAT"),
    "wide.jpg": (stored(_RGB, "JPEG", icc_profile=_wide()), USED),
    "wide.png": (stored(_RGB, "PNG", icc_profile=_wide()), USED),
    "progressive.jpg": (stored(_RGB, "JPEG", progressive=True), USED),
    "interlaced.png": (_interlaced(), USED),
    "animated.webp": (_frames("WEBP"), "E-IMG-FORMAT"),
    "animated.png": (_frames("PNG"), "E-IMG-FORMAT"),
    "animated-gif.png": (_frames("GIF"), "E-IMG-FORMAT"),
    "pages.tif": (_frames("TIFF"), "E-IMG-FORMAT"),
    "1x1.png": (stored(_RGB[:1, :1], "PNG"), USED),
    "1x10000.png": (stored(np.zeros((10_000, 1, 3), np.uint8), "PNG"), USED),
    "10000x1.jpg": (stored(np.zeros((1, 10_000, 3), np.uint8), "JPEG"), USED),
    **{f"exif-{n}.jpg": (stored(_RGB, "JPEG", exif=_exif(n)), USED) for n in range(1, 9)},
    **{f"exif-{n}.png": (stored(_RGB, "PNG", exif=_exif(n)), USED) for n in (0, 3, 6, 9)},
}
"""Name -> (bytes, outcome) as a background."""

CUTOUTS = {
    "alpha.png": (stored(_RGBA, "PNG"), USED),
    "alpha.webp": (stored(_RGBA, "WEBP", lossless=True), USED),
    "alpha.tif": (stored(_RGBA, "TIFF"), USED),
    "alpha-16.png": (_png16(_RGBA), USED),
    "la.png": (stored(_la(), "PNG"), USED),
    "palette-transparent.png": (stored(_palette(), "PNG", transparency=3), USED),
    "without-alpha.png": (stored(_RGB, "PNG"), "E-CUTOUT"),
    "photo.jpg": (stored(_RGB, "JPEG"), "E-CUTOUT"),
    "alpha-0.png": (stored(np.dstack([_RGB, _ALPHA * 0]), "PNG"), "E-CUTOUT"),
    "alpha-255.png": (stored(np.dstack([_RGB, _ALPHA * 0 + 255]), "PNG"), "E-CUTOUT"),
    "one-pixel.png": (stored(_one_pixel(), "PNG"), USED),
    "haze.png": (stored(np.dstack([_RGB, _ALPHA // 64]), "PNG"), "E-CUTOUT"),
}
"""Name -> (bytes, outcome) as a foreground."""

_BOMB = struct.pack(">HH", 20_000, 20_000)
FOREIGN = {
    "eps.jpg": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    "eps-dos.jpg": b"\xc5\xd0\xd3\xc6" + bytes(40),
    "pdf.png": b"%PDF-1.7\n1 0 obj\n",
    "svg.png": b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>',
    "psd.tif": b"8BPS\0\1" + bytes(40),
    "page.jpg": b"<!DOCTYPE html><html><body>404</body></html>",
    "text.png": b"hello\n",
    "gif.jpg": b"GIF89a" + bytes(30),
    "bomb.png": png(20_000, 20_000),
    "bomb.jpg": b"\xff\xd8\xff\xc0\0\x0b\x08" + _BOMB + b"\1\1\x11\0\xff\xd9",
    "bomb.bmp": b"BM" + struct.pack("<IIIIiiHHI", 0, 0, 54, 40, 20_000, 20_000, 1, 24, 1) + bytes(20),
    "bomb.webp": b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + (20_000).to_bytes(3, "little") * 2,
    "bomb.tif": b"II*\0\x08\0\0\0\x02\0" + struct.pack("<HHIIHHIII", 256, 4, 1, 20_000, 257, 4, 1, 20_000, 0),
    "empty.png": b"",
    "empty.jpg": b"",
}
"""Name -> bytes of what must be refused before it is decoded."""
