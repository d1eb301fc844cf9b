"""Pairs of photos made here: a texture, a thing in it, a camera and light that changed."""

import cv2
import numpy as np

HEIGHT, WIDTH = 240, 320


def scene(seed=0, height=HEIGHT, width=WIDTH):
    """A texture of blots of all sizes, middle grey on average."""
    rng = np.random.default_rng(seed)
    photo = np.full((height, width, 3), 110, np.float32)
    for cells, strength in ((6, 50), (20, 35), (60, 20), (150, 12)):
        blots = rng.uniform(-strength, strength, (cells, cells, 3)).astype(np.float32)
        photo += cv2.resize(blots, (width, height), interpolation=cv2.INTER_CUBIC)
    return photo.clip(20, 215).astype(np.uint8)


def with_thing(photo, radius=40):
    """A striped disc in the middle of it."""
    image, y, x = photo.copy(), *np.mgrid[: photo.shape[0], : photo.shape[1]]
    disc = np.hypot(y - photo.shape[0] / 2, x - photo.shape[1] / 2) < radius
    image[disc] = np.where((x // 6 % 2)[..., None], (200, 60, 40), (30, 40, 160))[disc]
    return image


def motion(shift=(0.0, 0.0), rotation_deg=0.0, scale=1.0, margin=0):
    """float64 (2, 3): turn counter-clockwise and enlarge about the middle, then shift right and down."""
    middle = ((WIDTH + 2 * margin - 1) / 2, (HEIGHT + 2 * margin - 1) / 2)
    matrix = cv2.getRotationMatrix2D(middle, rotation_deg, scale)
    matrix[:, 2] += shift
    return matrix


def taken(seed=0, shift=(0.0, 0.0), rotation_deg=0.0, gain=(1.0, 1.0, 1.0), scale=1.0):
    """(background, image) cut from one large scene, so that no border is invented: the view has moved."""
    large = scene(seed, HEIGHT + 80, WIDTH + 80)
    matrix = motion(shift, rotation_deg, scale, margin=40)
    moved = cv2.warpAffine(with_thing(large), matrix, large.shape[1::-1], flags=cv2.INTER_CUBIC)
    light = (moved / 255.0) ** 2.2 * np.array(gain)
    image = np.rint(255 * light.clip(0, 1) ** (1 / 2.2)).astype(np.uint8)
    return large[40:-40, 40:-40].copy(), image[40:-40, 40:-40].copy()
