"""Read and write pictures; nothing else opens picture files.

Channels are in RGB order, values uint8 unless stated. A file must be one still JPEG, PNG, WebP, TIFF or BMP;
its content decides, not its name. The Exif orientation is applied. 16-bit values are scaled to 8 bits by
255/65535. Palette and CMYK become RGB. `read_rgb` and `read_gray` drop alpha. Float and 32-bit TIFFs are
refused.
"""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np

from mdeas.errors import InputError, MemoryLimitError
from mdeas.images import headers
from mdeas.system.files import FileRecord, NotRegularFileError, open_input, quoted, write_bytes

MAX_PIXELS = 200_000_000
"""Larger pictures are refused from their header. OpenCV has a limit of its own: 2**30 pixels, or what
OPENCV_IO_MAX_IMAGE_PIXELS says."""
SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
"""Endings of picture files, lower case."""

_PathLike = str | os.PathLike[str]


def read_rgb(path: _PathLike, *, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Read a picture as uint8 (H, W, 3) RGB.

    Errors: InputError E-IMG-MISSING, E-IMG-UNREADABLE, E-IMG-FORMAT (not one still picture of the five
    formats, not a regular file), E-IMG-SIZE (refused from the header), E-IMG-TRUNCATED, E-IMG-DECODE.

    Example:
        >>> import numpy
        >>> photo = numpy.zeros((30, 40, 3), numpy.uint8)
        >>> record = write_png("photo.png", photo)
        >>> record["name"], read_rgb("photo.png").shape
        ('photo.png', (30, 40, 3))
        >>> read_rgb("missing.png")
        Traceback (most recent call last):
        mdeas.errors.InputError: 'missing.png': No such file or directory. Check the path.
    """
    return decode_rgb(read_bytes(path, max_pixels), quoted(path), max_pixels=max_pixels)


def read_rgb_and_header(
    path: _PathLike, *, max_pixels: int = MAX_PIXELS
) -> tuple[np.ndarray, headers.Header]:
    """Read a picture as `read_rgb` does, and return its file's header, too; errors as `read_rgb`."""
    picture, header = _decode_with_header(read_bytes(path, max_pixels), quoted(path), max_pixels)
    return _as_rgb(_to_8_bit(picture)), header


def read_rgba(path: _PathLike, *, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Read a picture as uint8 (H, W, 4) RGBA, straight alpha, 255 in a file without; errors as `read_rgb`."""
    return decode_rgba(read_bytes(path, max_pixels), quoted(path), max_pixels=max_pixels)


def read_gray(path: _PathLike, *, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Read a picture as uint8 (H, W), the luma of a colour picture; errors as `read_rgb`."""
    return decode_gray(read_bytes(path, max_pixels), quoted(path), max_pixels=max_pixels)


def read_depth16(path: _PathLike, *, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Read a 16-bit grey picture as uint16 (H, W); errors as `read_rgb`, E-IMG-FORMAT for any other kind."""
    return decode_depth16(read_bytes(path, max_pixels), quoted(path), max_pixels=max_pixels)


def decode_rgb(data: bytes, name: str, *, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """`read_rgb` of a file in memory that messages call `name`."""
    return _as_rgb(_to_8_bit(_decode(data, name, max_pixels)))


def decode_rgba(data: bytes, name: str, *, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """`read_rgba` of a file in memory that messages call `name`."""
    picture = _to_8_bit(_decode(data, name, max_pixels))
    code = {1: cv2.COLOR_GRAY2RGBA, 3: cv2.COLOR_BGR2RGBA, 4: cv2.COLOR_BGRA2RGBA}[_num_channels(picture)]
    return cv2.cvtColor(picture, code)


def decode_gray(data: bytes, name: str, *, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """`read_gray` of a file in memory that messages call `name`."""
    picture = _to_8_bit(_decode(data, name, max_pixels))
    return picture if picture.ndim == 2 else cv2.cvtColor(_as_rgb(picture), cv2.COLOR_RGB2GRAY)


def decode_depth16(data: bytes, name: str, *, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """`read_depth16` of a file in memory that messages call `name`."""
    picture = _decode(data, name, max_pixels)
    if picture.dtype != np.uint16 or picture.ndim != 2:
        got = f"{picture.dtype.itemsize * 8}-bit {'grey' if picture.ndim == 2 else 'colour'}"
        raise headers.refused(name, f"{got}, but depth is a 16-bit grey PNG", "Save it as one.")
    return picture


def encode_png(array: np.ndarray, *, fast: bool = False) -> bytes:
    """Encode a PNG; equal arrays give equal bytes.

    Input:
        array: uint8 or uint16 (H, W), (H, W, 3) RGB or (H, W, 4) RGBA.
        fast: take less than half of the time; photos become up to a fifth larger, smooth depth does not.
    """
    options = [cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_UP]
    if array.shape[2:] == (4,):
        # Run lengths alone: a photo has no other repetitions, and the search for them costs most.
        options += [cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE]
    return _encode(".png", array, options if fast else [cv2.IMWRITE_PNG_COMPRESSION, 3])


def encode_jpeg(array: np.ndarray, quality: int = 95) -> bytes:
    """Encode uint8 (H, W) or (H, W, 3) RGB as JPEG; equal arrays give equal bytes."""
    return _encode(".jpg", array, [cv2.IMWRITE_JPEG_QUALITY, quality])


def write_png(path: _PathLike, array: np.ndarray, *, force: bool = False) -> FileRecord:
    """Write `encode_png(array)`; output and errors as system.files.write_bytes."""
    return write_bytes(path, encode_png(array), force=force)


def write_jpeg(path: _PathLike, array: np.ndarray, *, quality: int = 95, force: bool = False) -> FileRecord:
    """Write `encode_jpeg(array, quality)`; output and errors as system.files.write_bytes."""
    return write_bytes(path, encode_jpeg(array, quality), force=force)


def list_images(folder: _PathLike) -> list[Path]:
    """List the files of a folder, without its subfolders, that have a picture's name; sorted by name.

    Errors: InputError E-NO-IMAGES when there are none or the folder cannot be read.
    """
    wanted = f"Give a folder with {', '.join(SUFFIXES)} files."
    try:
        names = sorted(os.listdir(folder), key=os.fsencode)
    except OSError as error:
        raise InputError("E-NO-IMAGES", f"{quoted(folder)}: {error.strerror}. {wanted}") from error
    found = [Path(folder, name) for name in names if name.lower().endswith(SUFFIXES) and name[0] != "."]
    if not found:
        raise InputError("E-NO-IMAGES", f"{quoted(folder)}: no pictures in it. {wanted}")
    return found


def read_bytes(path: _PathLike, max_pixels: int = MAX_PIXELS) -> bytes:
    """Read a regular file that is not too long for a picture.

    Errors: InputError E-IMG-MISSING, E-IMG-UNREADABLE, E-IMG-FORMAT, E-IMG-SIZE.
    """
    try:
        with open_input(path) as file:
            num_bytes = os.fstat(file.fileno()).st_size
            # Uncompressed 16-bit RGBA takes eight bytes per pixel; a longer file cannot be a picture.
            if num_bytes > 8 * max_pixels + 2**26:
                raise _too_large(quoted(path), f"{num_bytes:,} bytes", max_pixels)
            return file.read()
    except NotRegularFileError as error:
        raise headers.refused(quoted(path), "not a regular file", "Give a picture file.") from error
    except OSError as error:
        code = "E-IMG-MISSING" if isinstance(error, FileNotFoundError) else "E-IMG-UNREADABLE"
        advice = {
            IsADirectoryError: "Give a picture file.",
            PermissionError: "Give a file that you may read.",
        }.get(type(error), "Check the path.")
        raise InputError(code, f"{quoted(path)}: {error.strerror}. {advice}") from error


def _too_large(name: str, size: str, max_pixels: int) -> InputError:
    return InputError(
        "E-IMG-SIZE", f"{name}: {size}, more than {max_pixels:,} pixels. Make it smaller first."
    )


def _decode(data: bytes, name: str, max_pixels: int) -> np.ndarray:
    """Decode to uint8 or uint16 (H, W), (H, W, 3) BGR or (H, W, 4) BGRA, upright."""
    return _decode_with_header(data, name, max_pixels)[0]


def _decode_with_header(data: bytes, name: str, max_pixels: int) -> tuple[np.ndarray, headers.Header]:
    header = headers.inspect(data, name)
    if header.width * header.height > max_pixels:
        raise _too_large(name, f"{header.width} × {header.height} pixels", max_pixels)
    picture = _decode_stored(data, name)
    if header.premultiplied and picture.shape[2:] == (4,):
        picture = _straight(picture)
    return np.ascontiguousarray(_UPRIGHT[header.orientation](picture)), header


def _decode_stored(data: bytes, name: str) -> np.ndarray:
    # OpenCV must not print: the message of mdeas says what is wrong.
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        if error.code == cv2.Error.StsNoMem:
            raise MemoryLimitError("E-MEMORY", f"{name}: not enough memory to decode it.") from error
        picture = None
    if picture is None or picture.dtype not in (np.uint8, np.uint16):
        raise headers.damaged(name, "it cannot be decoded")
    return picture


# Exif orientation -> function that turns the stored array upright (Exif 2.32, tag 274).
_UPRIGHT: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: a.swapaxes(0, 1)[:, ::-1],
    7: lambda a: a.swapaxes(0, 1)[::-1, ::-1],
    8: lambda a: a.swapaxes(0, 1)[::-1],
}


def _straight(picture: np.ndarray) -> np.ndarray:
    """Undo premultiplication: divide the colours of uint8 (H, W, 4) by alpha."""
    alpha = picture[..., 3:].astype(np.float32)
    colour = np.divide(
        picture[..., :3] * np.float32(255),
        alpha,
        out=np.zeros(picture[..., :3].shape, np.float32),
        where=alpha > 0,
    )
    return np.dstack([np.rint(colour).clip(0, 255).astype(np.uint8), picture[..., 3]])


def _to_8_bit(picture: np.ndarray) -> np.ndarray:
    return picture if picture.dtype == np.uint8 else cv2.convertScaleAbs(picture, alpha=255 / 65535)


def _num_channels(picture: np.ndarray) -> int:
    return 1 if picture.ndim == 2 else picture.shape[2]


def _as_rgb(picture: np.ndarray) -> np.ndarray:
    code = {1: cv2.COLOR_GRAY2RGB, 3: cv2.COLOR_BGR2RGB, 4: cv2.COLOR_BGRA2RGB}[_num_channels(picture)]
    return cv2.cvtColor(picture, code)


def _encode(suffix: str, array: np.ndarray, options: Sequence[int]) -> bytes:
    swap = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}
    stored = array if array.ndim == 2 else cv2.cvtColor(array, swap[array.shape[2]])
    done, data = cv2.imencode(suffix, stored, list(options))
    assert done, (suffix, array.shape, array.dtype)
    return data.tobytes()
