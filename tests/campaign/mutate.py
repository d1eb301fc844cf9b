"""Seeded damage to bytes, and the whole files that it is done to."""

import random

import cv2
import numpy as np

from mdeas.images.codec import encode_jpeg, encode_png

_HEADER = 64


def cut(data: bytes, rng: random.Random) -> bytes:
    """What a copy that was broken off leaves: from nothing to all but one byte."""
    return data[: rng.randrange(len(data))]


def flip(data: bytes, rng: random.Random) -> bytes:
    """One to eight bits are wrong."""
    damaged = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 8))):
        damaged[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(damaged)


def header_noise(data: bytes, rng: random.Random) -> bytes:
    """Bytes after the signature are anything."""
    damaged = bytearray(data)
    for at in range(4, min(_HEADER, len(data))):
        if rng.random() < 0.3:
            damaged[at] = rng.randrange(256)
    return bytes(damaged)


def splice(data: bytes, rng: random.Random) -> bytes:
    """A piece is missing, doubled, or replaced by another length of noise."""
    start = rng.randrange(len(data))
    piece = data[start : start + rng.randrange(1, 200)]
    instead = rng.choice((b"", piece * 2, rng.randbytes(rng.randrange(200))))
    return data[:start] + instead + data[start + len(piece) :]


def zero(data: bytes, rng: random.Random) -> bytes:
    """A page of the disk was never written."""
    start = rng.randrange(len(data)) // 4096 * 4096
    page = data[start : start + 4096]
    return data[:start] + bytes(len(page)) + data[start + 4096 :]


def append(data: bytes, rng: random.Random) -> bytes:
    """Something was written behind the end."""
    return data + rng.randbytes(rng.randrange(1, 50))


PICTURE_DAMAGES = (cut, flip, header_noise, splice)
FILE_DAMAGES = (cut, flip, splice, zero, append)


def formats(picture: np.ndarray) -> dict[str, bytes]:
    """Ending -> the RGBA picture in each of six formats."""
    bgra = cv2.cvtColor(picture, cv2.COLOR_RGBA2BGRA)
    encoded = {ending: cv2.imencode(ending, bgra)[1].tobytes() for ending in (".webp", ".tiff")}
    return {
        ".jpg": encode_jpeg(picture[..., :3]),
        ".png": encode_png(picture),
        ".bmp": cv2.imencode(".bmp", bgra[..., :3])[1].tobytes(),
        "-16.png": encode_png(picture.astype(np.uint16) * 257),
        **encoded,
    }


def damaged_pictures(picture: np.ndarray, number: int, seed: str):
    """(name of a file, bytes) `number` times, formats and kinds of damage in turn."""
    whole = list(formats(picture).items())
    for k in range(number):
        ending, data = whole[k % len(whole)]
        damage = PICTURE_DAMAGES[k // len(whole) % len(PICTURE_DAMAGES)]
        rng = random.Random(f"{seed} {k}")
        changed = data
        while changed == data:
            changed = damage(data, rng)
        yield f"{k:04d}-{damage.__name__}{ending}", changed
