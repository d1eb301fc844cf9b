"""Masks at the photo's own size on composites of known alpha: enlarged, refined, with the second look.

    python benchmarks/refine.py PHOTOS [COUNT] [SHEET.png]

PHOTOS has bg/ (photos), fg/ (RGBA cut-outs) and pairs/NAME/ (bg.png, image.png, perhaps mask_pseudo.png).
Composites are 1920x1080, enlarged from smaller photos, with noise, JPEG, another exposure and on half of them
a shadow, and measured again at half of that. The sheet shows the pairs: image, then mask, cut-out and depth,
each enlarged plainly and as the predictor gives it.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

import mdeas
from mdeas.images.codec import decode_rgb, encode_jpeg, read_gray, read_rgb, read_rgba, write_png
from mdeas.images.resize import resize
from mdeas.images.sheets import colorize, contact_sheet, robust_range
from mdeas.metrics.mask import boundary_f, boundary_iou, iou, mad
from mdeas.runtime.predictor import Prediction
from mdeas.runtime.refine import restored
from mdeas.runtime.spec import prepare, restore

HEIGHT, WIDTH = 1080, 1920
LEAST_SIDE = 300  # smaller cut-outs would be blurred at this size
FINE = 3 / np.hypot(HEIGHT, WIDTH)  # 3 pixels at 1080p, as a share of the diagonal
COLUMNS = ("IoU", "boundary F", "boundary F, 3 px", "boundary IoU", "MAD", "depth step")
WAYS = ("plain", "refined", "twice")
TITLES = ("image", "mask, plain", "mask", "cut-out, plain", "cut-out", "depth, plain", "depth")


def covering(photo: np.ndarray) -> np.ndarray:
    """uint8 (h, w, 3) -> float32 (HEIGHT, WIDTH, 3): the middle of it."""
    scale = max(HEIGHT / photo.shape[0], WIDTH / photo.shape[1])
    height, width = (int(np.ceil(side * scale)) for side in photo.shape[:2])
    large = resize(photo, height, width, enlarge=cv2.INTER_CUBIC)
    top, left = (height - HEIGHT) // 2, (width - WIDTH) // 2
    return large[top : top + HEIGHT, left : left + WIDTH].astype(np.float32)


def placed(cutout: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """uint8 (h, w, 4) -> float32 (HEIGHT, WIDTH, 4), colours premultiplied, alpha in [0, 1]."""
    picture = cutout.astype(np.float32) / 255
    picture[..., :3] *= 255 * picture[..., 3:]
    scale = min(HEIGHT * rng.uniform(0.35, 0.9) / picture.shape[0], 0.8 * WIDTH / picture.shape[1])
    height, width = (int(side * scale) for side in picture.shape[:2])
    picture = resize(picture, height, width, enlarge=cv2.INTER_CUBIC).clip(0, [255, 255, 255, 1])
    top, left = rng.integers(HEIGHT - height + 1), rng.integers(WIDTH - width + 1)
    return np.pad(picture, ((top, HEIGHT - height - top), (left, WIDTH - width - left), (0, 0)))


def photographed(scene: np.ndarray, noise: float, rng: np.random.Generator) -> np.ndarray:
    """float32 -> uint8 (H, W, 3) with noise, through JPEG."""
    noisy = (scene + rng.normal(0, noise, scene.shape)).clip(0, 255).round().astype(np.uint8)
    return decode_rgb(encode_jpeg(noisy, 93), "photo")


def composites(folder: Path, count: int) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """background, image uint8 (HEIGHT, WIDTH, 3), alpha float32 (HEIGHT, WIDTH)."""
    photos = [path for path in sorted((folder / "bg").iterdir()) if read_rgb(path).shape[1] >= 600]
    cutouts = [path for path in sorted((folder / "fg").iterdir()) if max(read_rgba(path).shape) >= LEAST_SIDE]
    for number in range(count):
        rng = np.random.default_rng([number, 7])
        scene = covering(read_rgb(photos[rng.integers(len(photos))]))
        thing = placed(read_rgba(cutouts[number % len(cutouts)]), rng)
        alpha = thing[..., 3]
        shadow = cv2.GaussianBlur(np.roll(alpha, (20, 30), (0, 1)), (0, 0), 25) * 0.3 * (number % 2)
        lit = scene * (1 - shadow[..., None]) * (1 - alpha[..., None]) + thing[..., :3]
        noise = rng.uniform(0.5, 3)
        image = photographed(lit * rng.uniform(0.95, 1.05), noise, rng)
        yield photographed(scene, noise, rng), image, alpha


def ways(predictor, background: np.ndarray, image: np.ndarray) -> tuple[Prediction, ...]:
    """In the order of WAYS: the first look enlarged, the first look refined, the whole prediction."""
    working = predictor.run(*prepare(background, image, predictor.spec))
    maps = working.mask[0, 0], working.depth[0, 0]
    plain = Prediction(*(restore(one, *image.shape[:2]) for one in maps))
    return plain, restored(*maps, background, image), predictor.predict(background, image)


def depth_step(depth: np.ndarray, alpha: np.ndarray) -> float:
    """Sharpness of the depth edge: the step within .4 % of the diagonal around the true edge, over the step
    within 2 %; 1 = a sharp edge in the right place."""
    inside = (alpha >= 0.5).astype(np.uint8)
    away = cv2.distanceTransform(inside, cv2.DIST_L2, 5) - cv2.distanceTransform(1 - inside, cv2.DIST_L2, 5)
    away /= np.hypot(*depth.shape)

    def step(low: float, high: float) -> float:
        rings = ((away > low) & (away < high), (away < -low) & (away > -high))
        return (
            float(depth[rings[0]].mean() - depth[rings[1]].mean()) if all(r.any() for r in rings) else np.nan
        )

    return abs(step(0, 0.004)) / abs(step(0.016, 0.02))


def scores(prediction: Prediction, alpha: np.ndarray) -> list[float]:
    """In the order of COLUMNS."""
    mask = prediction.mask
    edges = boundary_f(mask, alpha), boundary_f(mask, alpha, FINE), boundary_iou(mask, alpha)
    return [iou(mask, alpha), *edges, mad(mask, alpha), depth_step(prediction.depth, alpha)]


def measure(predictor, folder: Path, count: int) -> None:
    """Print the table."""
    rows: dict[str, list[list[float]]] = {}
    for pair in composites(folder, count):
        for name, size in (("1080p", (HEIGHT, WIDTH)), ("540p", (HEIGHT // 2, WIDTH // 2))):
            background, image, alpha = (resize(one, *size, enlarge=cv2.INTER_LINEAR) for one in pair)
            for how, found in zip(WAYS, ways(predictor, background, image), strict=True):
                rows.setdefault(f"{name} {how}", []).append(scores(found, alpha))
    print(f"| {count} composites | {' | '.join(COLUMNS)} |\n|---|{'---:|' * len(COLUMNS)}")
    for name, values in rows.items():
        means = [*np.mean(values, axis=0)[:-1], np.nanmedian(np.array(values)[:, -1])]
        print(f"| {name} | {' | '.join(f'{value:.3f}' for value in means)} |")
    for name in ("1080p", "540p"):
        plain, *better = (np.array(rows[f"{name} {how}"])[:, 0] for how in WAYS)
        worse = [f"{how} {np.sum(one < plain - 0.01)}" for how, one in zip(WAYS[1:], better, strict=True)]
        print(f"{name}, of {count}, IoU lower by more than .01 than plain: {', '.join(worse)}")


def cut(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return np.rint(mask[..., None] * image + (1 - mask[..., None]) * 255).astype(np.uint8)


def show_pairs(predictor, folder: Path, sheet: Path | None) -> None:
    """Print IoU with the pseudo-masks; write the sheet."""
    rows, names, found = [], [], []
    for place in sorted((folder / "pairs").iterdir()):
        image = read_rgb(place / "image.png")
        looks = ways(predictor, read_rgb(place / "bg.png"), image)
        plain, _, last = looks
        if (place / "mask_pseudo.png").exists():
            truth = read_gray(place / "mask_pseudo.png").astype(np.float32) / 255
            found.append([iou(one.mask, truth) for one in looks])
        ends = robust_range(plain.depth)
        masks = [np.repeat((255 * one.mask[..., None]).astype(np.uint8), 3, 2) for one in (plain, last)]
        cuts = [cut(image, one.mask) for one in (plain, last)]
        rows.append([image, *masks, *cuts, *(colorize(one.depth, ends=ends) for one in (plain, last))])
        names.append(place.name)
    means = ", ".join(f"{how} {mean:.3f}" for how, mean in zip(WAYS, np.mean(found, axis=0), strict=True))
    print(f"{len(found)} photographed pairs, IoU with pseudo-masks: {means}")
    if sheet:
        write_png(sheet, contact_sheet(rows, TITLES, captions=names, cell=320), force=True)


def main() -> None:
    if len(sys.argv) < 2:
        print("refinement: give a folder with bg, fg and pairs")
        return
    folder, predictor = Path(sys.argv[1]), mdeas.load(threads=1)
    measure(predictor, folder, int(sys.argv[2]) if len(sys.argv) > 2 else 25)
    show_pairs(predictor, folder, Path(sys.argv[3]) if len(sys.argv) > 3 else None)


if __name__ == "__main__":
    main()
