"""The reader of pictures against another library's files, and against files that are damaged or no pictures.

Pillow writes the files and says what is in them: a second opinion on OpenCV.
"""

import io
import os
import random
import struct
import time
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps

from mdeas.errors import InputError
from mdeas.images import codec, sheets
from mdeas.images.codec import decode_depth16, decode_gray, decode_rgb, decode_rgba, encode_jpeg, encode_png

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP")
HEIGHT, WIDTH = 20, 30
Y, X = np.mgrid[:HEIGHT, :WIDTH]
RGB = np.stack([X * 8, Y * 12, (X + Y) * 5], -1).astype(np.uint8)
ALPHA = (X * 8).astype(np.uint8)
RGBA = np.dstack([RGB, ALPHA])


def stored(picture, kind, **options):
    buffer = io.BytesIO()
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def refusal(data, code, read=decode_rgb, **options):
    with pytest.raises(InputError) as caught:
        read(data, "'x'", **options)
    assert caught.value.code == code, caught.value
    assert str(caught.value).startswith("'x': ") and "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_format_and_orientation_reads_as_elsewhere(kind, orientation):
    exif = Image.Exif()
    exif[274] = orientation
    data = stored(RGB, kind, **({} if kind == "BMP" else {"exif": exif}))
    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
    np.testing.assert_array_equal(decode_rgb(data, "x"), np.asarray(expected))


def palette():
    return Image.fromarray(RGB).quantize(16)


def grey_and_alpha():
    return Image.merge("LA", [Image.fromarray(ALPHA), Image.fromarray(255 - ALPHA)])


PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
KINDS = {
    "grey jpeg": stored(ALPHA, "JPEG"),
    "grey png": stored(ALPHA, "PNG"),
    "palette png": stored(palette(), "PNG"),
    "palette png with transparency": stored(palette(), "PNG", transparency=3),
    "palette tiff": stored(palette(), "TIFF"),
    "palette bmp": stored(palette(), "BMP"),
    "1-bit png": stored(Image.fromarray(RGB).convert("1"), "PNG"),
    "1-bit tiff": stored(Image.fromarray(RGB).convert("1"), "TIFF"),
    "1-bit bmp": stored(Image.fromarray(RGB).convert("1"), "BMP"),
    "alpha png": stored(RGBA, "PNG"),
    "grey and alpha png": stored(grey_and_alpha(), "PNG"),
    "lossless webp": stored(RGB, "WEBP", lossless=True),
    "alpha webp": stored(RGBA, "WEBP", lossless=True, exact=True),
    "progressive jpeg": stored(RGB, "JPEG", progressive=True),
    "jpeg with restarts": stored(RGB, "JPEG", restart_marker_blocks=1),
    "jpeg with a profile": stored(RGB, "JPEG", icc_profile=PROFILE),
    "optimised jpeg": stored(RGB, "JPEG", optimize=True, quality=30),
    "lzw tiff": stored(RGB, "TIFF", compression="tiff_lzw"),
    "deflate tiff": stored(RGB, "TIFF", compression="tiff_adobe_deflate"),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_reads_as_elsewhere(kind):
    expected = np.asarray(Image.open(io.BytesIO(KINDS[kind])).convert("RGB"))
    np.testing.assert_array_equal(decode_rgb(KINDS[kind], "x"), expected)


def test_cmyk_jpeg_reads_as_elsewhere():
    data = stored(Image.fromarray(RGB).convert("CMYK"), "JPEG", quality=100)
    expected = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), int)
    assert np.abs(decode_rgb(data, "x") - expected).max() <= 1


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_alpha_is_straight(kind):
    options = {"lossless": True, "exact": True} if kind == "WEBP" else {}
    read = decode_rgba(stored(RGBA, kind, **options), "x").astype(int)
    np.testing.assert_array_equal(read[..., 3], ALPHA)
    # OpenCV multiplies colour by alpha in TIFF: what comes back is exact to 255 / alpha steps.
    tolerance = 0.51 * 255 / ALPHA[:, 1:, None] if kind == "TIFF" else 0
    assert np.all(np.abs(read - RGBA)[:, 1:, :3] <= tolerance + (kind == "TIFF"))


def test_alpha_is_full_where_a_file_has_none():
    assert np.all(decode_rgba(stored(RGB, "PNG"), "x")[..., 3] == 255)
    np.testing.assert_array_equal(decode_rgba(stored(ALPHA, "PNG"), "x")[..., 0], ALPHA)


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
def test_16_bits_are_scaled_not_saturated(suffix):
    deep = np.array([[0, 128, 129, 257, 32768, 65535]], np.uint16)
    data = cv2.imencode(suffix, np.dstack([deep] * 3))[1].tobytes()
    assert decode_rgb(data, "x")[0, :, 0].tolist() == [0, 0, 1, 1, 128, 255]
    assert decode_gray(cv2.imencode(suffix, deep)[1].tobytes(), "x")[0].tolist() == [0, 0, 1, 1, 128, 255]


def test_depth_keeps_its_16_bits_and_refuses_8():
    deep = (X * 2000 + Y).astype(np.uint16)
    np.testing.assert_array_equal(decode_depth16(encode_png(deep), "x"), deep)
    assert "8-bit grey" in refusal(encode_png(ALPHA), "E-IMG-FORMAT", decode_depth16)
    assert "16-bit colour" in refusal(encode_png(np.dstack([deep] * 3)), "E-IMG-FORMAT", decode_depth16)


@pytest.mark.parametrize("array", [RGB, RGBA, ALPHA, (X * 2000).astype(np.uint16)])
def test_png_gives_back_what_it_got(array):
    expected = np.asarray(Image.open(io.BytesIO(encode_png(array))))
    np.testing.assert_array_equal(expected, array)
    assert encode_png(array) == encode_png(array.copy())


def test_jpeg_is_rgb_and_close():
    read = np.asarray(Image.open(io.BytesIO(encode_jpeg(RGB))), int)
    assert np.abs(read - RGB).mean() < 4
    assert len(encode_jpeg(RGB, 40)) < len(encode_jpeg(RGB))


def frames(kind):
    pictures = [Image.new("RGB", (WIDTH, HEIGHT), colour) for colour in ("red", "green", "blue")]
    return stored(pictures[0], kind, save_all=True, append_images=pictures[1:])


@pytest.mark.parametrize(
    ("kind", "hint"), [("WEBP", "animated"), ("PNG", "animated"), ("TIFF", "several pages"), ("GIF", "GIF")]
)
def test_moving_and_multipage_pictures_are_refused_with_a_hint(kind, hint):
    message = refusal(frames(kind), "E-IMG-FORMAT")
    assert hint in message and "PNG" in message


FOREIGN = {
    "PDF": b"%PDF-1.7\n",
    "PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n",
    "SVG": b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>',
    "HTML": b"\n<!DOCTYPE html><html>",
    "Photoshop": b"8BPS\0\1",
    "HEIF": b"\0\0\0\x18ftypheic\0\0\0\0",
    "video": b"\0\0\0\x18ftypisom\0\0\0\0",
    "unknown": b"hello",
    "BigTIFF": b"II+\0\x08\0\0\0",
}


@pytest.mark.parametrize("what", FOREIGN)
def test_other_files_are_named_and_refused(what):
    assert what in refusal(FOREIGN[what], "E-IMG-FORMAT")


def test_an_empty_file_and_a_float_tiff_are_refused():
    assert "0 bytes" in refusal(b"", "E-IMG-TRUNCATED")
    assert "more than 16 bits" in refusal(stored(X.astype(np.float32), "TIFF"), "E-IMG-FORMAT")
    assert "more than 16 bits" in refusal(stored(X.astype(np.int32), "TIFF"), "E-IMG-FORMAT")


@pytest.mark.parametrize("kind", FORMATS)
def test_every_cut_is_noticed(kind):
    data = stored(RGB, kind)
    for length in range(len(data)):
        with pytest.raises(InputError) as caught:
            decode_rgb(data[:length], "x")
        expected = {"E-IMG-TRUNCATED"} if length > 12 else {"E-IMG-TRUNCATED", "E-IMG-FORMAT"}
        assert caught.value.code in expected, (length, caught.value)


def test_the_missing_bytes_are_counted():
    assert "128 bytes early" in refusal(stored(RGB, "BMP")[:-128], "E-IMG-TRUNCATED")
    assert "4 bytes early" in refusal(stored(RGB, "PNG")[:-4], "E-IMG-TRUNCATED")


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("damage", ["flip", "noise", "splice"])
def test_a_damaged_file_ends_as_a_picture_or_as_one_error(kind, damage):
    rng = random.Random(f"{kind} {damage}")
    whole = stored(RGB, kind)
    codes = []
    for _ in range(80):
        data = bytearray(whole)
        if damage == "flip":
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        elif damage == "noise":
            for at in range(4, 40):
                data[at] = rng.randrange(256)
        else:
            start, length = rng.randrange(len(data)), rng.randrange(50)
            data[start : start + length] = rng.randbytes(rng.randrange(50))
        try:
            picture = decode_rgb(bytes(data), "x", max_pixels=10**6)
        except InputError as error:
            codes.append(error.code)
        else:
            assert picture.dtype == np.uint8 and picture.shape[2] == 3
    least = {"flip": 1, "noise": 80, "splice": 20}[damage]  # a flip in a pixel gives another picture
    assert len(codes) >= (80 if kind == "PNG" else least)  # a PNG has checksums
    assert {code[:6] for code in codes} == {"E-IMG-"}


def test_a_png_with_a_flipped_pixel_is_damaged():
    data = bytearray(stored(RGB, "PNG"))
    data[len(data) // 2] ^= 1
    assert "checksum" in refusal(bytes(data), "E-IMG-DECODE")


def png_bomb(width, height):
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


BOMBS = {
    "png": png_bomb(20_000, 20_000),
    "jpeg": b"\xff\xd8\xff\xc0\0\x0b\x08" + struct.pack(">HH", 20_000, 20_000) + b"\1\1\x11\0\xff\xd9",
    "webp lossless": b"RIFF\x1c\0\0\0WEBPVP8L\x10\0\0\0\x2f" + struct.pack("<I", 2**28 - 1) + bytes(11),
    "webp canvas": b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + (20_000).to_bytes(3, "little") * 2,
    "bmp": b"BM" + struct.pack("<IIIIiiHHI", 0, 0, 54, 40, 20_000, -20_000, 1, 24, 1) + bytes(20),
    "tiff": b"II*\0\x08\0\0\0\x02\0" + struct.pack("<HHIIHHIII", 256, 4, 1, 20_000, 257, 4, 1, 20_000, 0),
}


def test_a_tiff_that_is_all_directories_costs_no_time():
    entry = struct.pack("<HHII", 273, 4, 10**5, 8)
    data = b"II*\0\x08\0\0\0" + struct.pack("<H", 65_535) + entry * 65_535 + struct.pack("<I", 8)
    begun = time.perf_counter()
    refusal(data * 5, "E-IMG-DECODE")
    assert time.perf_counter() - begun < 2


@pytest.mark.parametrize("kind", BOMBS)
def test_bombs_are_refused_from_the_header(kind, monkeypatch):
    monkeypatch.setattr(codec, "_decode_stored", None)
    assert "more than 200,000,000 pixels" in refusal(BOMBS[kind], "E-IMG-SIZE")


def test_the_limit_is_the_callers():
    assert decode_rgb(stored(RGB, "PNG"), "x", max_pixels=600).shape == RGB.shape
    assert "30 × 20 pixels" in refusal(stored(RGB, "PNG"), "E-IMG-SIZE", max_pixels=599)


@pytest.mark.parametrize("size", [(1, 1), (1, 10_000), (3, 2)])
def test_extreme_shapes(size):
    array = np.zeros((*size, 3), np.uint8)
    for kind in FORMATS:
        assert decode_rgb(stored(array, kind), "x").shape == array.shape


def test_what_is_not_a_regular_file_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "file.jpg").write_bytes(FOREIGN["HTML"])
    expected = {
        "fifo": "E-IMG-FORMAT", "loop": "E-IMG-UNREADABLE", ".": "E-IMG-UNREADABLE",
        "none": "E-IMG-MISSING", "file.jpg": "E-IMG-FORMAT", "file.jpg/x": "E-IMG-UNREADABLE",
    }  # fmt: skip
    for name, code in expected.items():
        with pytest.raises(InputError) as caught:
            codec.read_rgb(tmp_path / name)
        assert caught.value.code == code, caught.value
    with pytest.raises(InputError, match="not a regular file"):
        codec.read_rgb("/dev/zero")
    with pytest.raises(InputError, match=r"Is a directory\. Give a picture file"):
        codec.read_rgb(tmp_path)


def test_a_file_too_long_for_a_picture_is_not_read(tmp_path):
    with open(tmp_path / "long.png", "wb") as file:
        file.truncate(2**32)
    with pytest.raises(InputError) as caught:
        codec.read_rgb(tmp_path / "long.png")
    assert caught.value.code == "E-IMG-SIZE"


def test_reading_and_writing_files_of_odd_names(tmp_path):
    path = tmp_path / os.fsdecode(b"\xff \n-'\".png")
    record = codec.write_png(path, RGBA)
    assert record["bytes"] == path.stat().st_size
    np.testing.assert_array_equal(codec.read_rgba(path), RGBA)
    codec.write_jpeg(tmp_path / "a.jpg", RGB)
    assert codec.read_rgb(tmp_path / "a.jpg").shape == RGB.shape
    assert codec.read_gray(tmp_path / "a.jpg").shape == RGB.shape[:2]
    codec.write_png(tmp_path / "d.png", X.astype(np.uint16))
    np.testing.assert_array_equal(codec.read_depth16(tmp_path / "d.png"), X)


def test_list_images_sorts_and_says_what_it_wants(tmp_path):
    for name in ("b.PNG", "a.jpg", "a.png", ".hidden.png", "notes.txt", "c.webp"):
        (tmp_path / name).touch()
    assert [path.name for path in codec.list_images(tmp_path)] == ["a.jpg", "a.png", "b.PNG", "c.webp"]
    (tmp_path / "empty").mkdir()
    for folder in ("empty", "none"):
        with pytest.raises(InputError, match=r"\.jpg") as caught:
            codec.list_images(tmp_path / folder)
        assert caught.value.code == "E-NO-IMAGES"


def test_colorize_near_is_warm_and_unknown_is_grey():
    values = X.astype(np.float32)
    values[0, 0] = np.nan
    picture = sheets.colorize(values, known=Y < 10).astype(int)
    assert picture[5, -1, 0] > picture[5, -1, 2] and picture[5, 1, 2] > picture[5, 1, 0]
    assert np.all(picture[10:] == 64) and np.all(picture[0, 0] == 64)
    assert sheets.colorize(np.ones((2, 3), np.float32)).shape == (2, 3, 3)
    assert np.all(sheets.colorize(np.full((2, 3), np.inf, np.float32)) == 64)


def test_contact_sheet_is_a_labelled_grid():
    row = [RGB, RGB[:, :1], np.zeros((300, 200, 3), np.uint8)]
    plain = sheets.contact_sheet([row, row], ["a", "b", "c"], cell=40)
    named = sheets.contact_sheet([row, row], ["a", "b", "c"], captions=["one", "two" * 99], cell=40)
    assert plain.shape[1] == named.shape[1] == 3 * 44
    assert named.shape[0] - plain.shape[0] == 2 * (plain.shape[0] - 2 * 44)
    assert plain[:20].min() < 128 and plain.dtype == np.uint8
    wide = sheets.contact_sheet([[np.zeros((9, 36, 3), np.uint8)] * 2], ["a", "b"], cell=40)
    assert wide.shape == (20 + 10 + 4, 2 * 44, 3) and not wide[20:30, :40].any()
