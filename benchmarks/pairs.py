"""How well `mdeas check` judges and fixes pairs: python benchmarks/pairs.py FOLDER

FOLDER holds pairs/*/ (bg.png, image.png, perhaps mask_pseudo.png), bg/ (photos) and fg/ (cut-outs), which
give composites with exact masks. Each pair is measured as it is, disturbed, swapped, and with the background
of another scene. Disturbed: the background is moved by up to 12 pixels at a long side of 640, turned by up to
2° and lit 1/2 to 2 times as much, red and blue differently by a factor of up to 1.5; each photo gets noise
and JPEG of its own; the border that moved in is cut off.
"""

import itertools
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from mdeas.cli import main as mdeas
from mdeas.dataset.dataset import Dataset
from mdeas.errors import InputError
from mdeas.images import camera_faults
from mdeas.images.camera_faults import Nuisance
from mdeas.images.codec import read_gray, read_rgb
from mdeas.pairing.check import check
from mdeas.pairing.light import fit_light
from mdeas.pairing.match import match
from mdeas.pairing.measure import measure, measure_difference
from mdeas.pairing.register import register, warp
from mdeas.pairing.structure import small_photo, small_size
from mdeas.runtime.onnx_predictor import load

SIDE, MARGIN, DRAWS = 640, 28, 3
RECIPE = ("nuisances", "camera_share", "light_share", "shadow_share", "blend_share")


@dataclass(frozen=True, kw_only=True)
class Pair:
    name: str
    scene: str
    """Name of the camera, or of the photo under the composite."""
    background: np.ndarray
    image: np.ndarray
    mask: np.ndarray | None = None
    shift_px: np.ndarray | None = None
    """The motion that was applied; `check` should find it."""
    rotation_deg: float = 0.0
    gain: np.ndarray | None = None


def photographed(folder: Path) -> Iterator[Pair]:
    for place in sorted(folder.iterdir()):
        mask = place / "mask_pseudo.png"
        truth = read_gray(mask) / np.float32(255) if mask.exists() else None
        yield Pair(
            name=place.name,
            scene=place.name.rpartition("_")[0],
            background=read_rgb(place / "bg.png"),
            image=read_rgb(place / "image.png"),
            mask=truth,
        )


def composed(folder: Path, count: int) -> Iterator[Pair]:
    with tempfile.TemporaryDirectory() as place:
        sets = [f"{name}={'false' if name == 'nuisances' else 0}" for name in RECIPE]
        sets += ["empty_share=0", "validation_count=0", f"test_count={count}"]
        words = f"create photos drawn --count {count} --size {SIDE} --seed 5 -o {place}/made".split()
        words += ["--backgrounds", str(folder / "bg"), "--foregrounds", str(folder / "fg")]
        assert mdeas([*words, *itertools.chain(*(("--set", item) for item in sets))]) == 0
        for number, made in enumerate(Dataset(Path(place) / "made")):
            yield Pair(
                name=f"composite {number}",
                background=made.background,
                image=made.image,
                mask=made.mask,
                scene=made.meta["background_id"],
            )


def disturbed(pair: Pair, rng: np.random.Generator) -> Pair:
    height, width = pair.image.shape[:2]
    unit, middle = max(height, width) / SIDE, np.array([(width - 1) / 2, (height - 1) / 2])
    angle_deg, shift = rng.uniform(-2, 2), rng.uniform(-12, 12, 2) * unit
    matrix = cv2.getRotationMatrix2D(tuple(middle), angle_deg, 1)
    matrix[:, 2] += shift
    moved = cv2.warpAffine(pair.background, matrix, (width, height), flags=cv2.INTER_CUBIC)
    exposure, red = 2 ** rng.uniform(-1, 1), 1.5 ** rng.uniform(-1, 1)
    balance = (red, 1.0, 1 / red)
    own = Nuisance(noise_sigma=rng.uniform(0, 0.015), jpeg_quality=int(rng.integers(75, 98)))
    lit = camera_faults.apply(moved, Nuisance(exposure=exposure, white_balance=balance), rng)
    back = cv2.invertAffineTransform(matrix)
    return cropped(
        replace(
            pair,
            background=camera_faults.apply(lit, own, rng),
            image=camera_faults.apply(pair.image, own, rng),
            shift_px=back[:, :2] @ middle + back[:, 2] - middle,
            rotation_deg=-angle_deg,
            gain=1 / (exposure * np.array(balance)),
        )
    )


def cropped(pair: Pair) -> Pair:
    height, width = pair.image.shape[:2]
    cut = round(MARGIN * max(height, width) / SIDE)
    parts = {
        name: np.ascontiguousarray(array[cut : height - cut, cut : width - cut])
        for name in ("background", "image", "mask")
        if (array := getattr(pair, name)) is not None
    }
    return replace(pair, **parts)


def outcome(pair: Pair) -> str:
    found = check(pair.background, pair.image)
    unsure = any(warning.code == "W-PAIR-UNSURE" for warning in found.warnings)
    return found.code or (f"{found.verdict}, unsure" if unsure else found.verdict)


def unrelated(pairs: list[Pair]) -> Iterator[Pair]:
    """Each background with the image of every third pair of another scene."""
    for one, other in itertools.product(pairs, pairs[::3]):
        if one.scene != other.scene:
            size = one.image.shape[1::-1]
            yield replace(one, image=cv2.resize(other.image, size, interpolation=cv2.INTER_AREA))


def confusion(groups: dict[str, list[Pair]]) -> None:
    print("\n## Verdicts")
    for name, pairs in groups.items():
        print(f"{name}: {len(pairs)} pairs: {dict(Counter(map(outcome, pairs)).most_common())}")


def errors(name: str, pairs: list[tuple[Pair, Pair]]) -> None:
    """Print by how much the motion and light that `check` finds differ from the applied ones.

    Input: pairs: (the pair as it is, the disturbed pair); what `check` finds in the first is subtracted.
    """
    rows = []
    for plain, pair in pairs:
        before, after = check(plain.background, plain.image), check(pair.background, pair.image)
        if after.shift_px is None or before.shift_px is None:
            continue
        shift = np.subtract(after.shift_px, before.shift_px) - pair.shift_px
        turn = after.rotation_deg - before.rotation_deg - pair.rotation_deg
        gain = np.log(np.divide(after.gain, before.gain) / pair.gain)
        unit = max(pair.image.shape[:2]) / (SIDE - 2 * MARGIN)
        rows.append([np.hypot(*shift) / unit, abs(shift[1]) / unit, abs(turn), np.abs(gain).max()])
    middle, most = np.percentile(rows, [50, 95], axis=0)
    for what, a, b in zip(
        ("shift, px at 640", "of it down", "rotation, °", "ln gain"), middle, most, strict=True
    ):
        print(f"{name}: {what}: median {a:.3f}, p95 {b:.3f} ({len(rows)} pairs)")


def iou(predictor, pair: Pair, mode: str) -> float:
    size = pair.image.shape[:2]
    try:
        background = match(pair.background, pair.image, size, size, mode).background
    except InputError:
        return 0.0
    found, truth = predictor.predict(background, pair.image).mask >= 0.5, pair.mask >= 0.5
    return float((found & truth).sum() / max(1, (found | truth).sum()))


def worth(name: str, pairs: list[Pair]) -> None:
    predictor = load(threads=1)
    rows = np.array([[iou(predictor, pair, mode) for mode in ("off", "auto")] for pair in pairs])
    gained = rows[:, 1] - rows[:, 0]
    worst = pairs[int(gained.argmin())].name
    off, auto = rows.mean(0)
    print(
        f"{name}: mask IoU {off:.3f} -> {auto:.3f} ({len(pairs)} pairs); worst {gained.min():+.3f}, {worst}"
    )
    print(
        f"    changed: {np.count_nonzero(gained)}, worse by .02 or more: {np.count_nonzero(gained < -0.02)}"
    )


def times(pair: Pair) -> None:
    first, second = (
        cv2.resize(photo, (1280, 720), interpolation=cv2.INTER_CUBIC)
        for photo in (pair.background, pair.image)
    )
    full, size = (720, 1280), small_size(720, 1280)
    small = small_photo(first, full, size), small_photo(second, full, size)
    found = register(*small)
    moved, valid = warp(small[0].rgb, found.matrix, size)
    stages = {
        "both small photos": lambda: (small_photo(first, full, size), small_photo(second, full, size)),
        "register": lambda: register(*small),
        "light": lambda: fit_light(moved, small[1].rgb, valid, found.tiles),
        "difference": lambda: measure_difference(moved, small[1].rgb, valid),
        "all but small photos": lambda: measure(*small),
        "predict's part, all": lambda: match(first, second, full, full, "auto"),
    }
    for name, stage in stages.items():
        taken = []
        for _ in range(15):
            start = time.perf_counter()
            stage()
            taken.append(1000 * (time.perf_counter() - start))
        print(f"1280x720, {pair.name}: {name}: {np.median(taken):.1f} ms (least {min(taken):.1f})")


def main(folder: Path, count: int = 60) -> None:
    cv2.setNumThreads(1)
    real, made = list(photographed(folder / "pairs")), list(composed(folder, count))
    sets = {"photographed": real, "composites": made}
    shaken = {
        name: [
            (cropped(pair), disturbed(pair, np.random.default_rng([place, draw])))
            for place, pair in enumerate(pairs)
            for draw in range(DRAWS)
        ]
        for name, pairs in sets.items()
    }
    groups = {}
    for name, pairs in sets.items():
        groups[f"{name}, as they are"] = pairs
        groups[f"{name}, disturbed"] = [pair for _, pair in shaken[name]]
        groups[f"{name}, swapped"] = [replace(p, background=p.image, image=p.background) for p in pairs]
        groups[f"{name}, unrelated"] = list(unrelated(pairs))[:: 1 if name == "photographed" else 10]
    confusion(groups)
    print("\n## Errors")
    for name, pairs in shaken.items():
        errors(name, pairs)
    print("\n## Worth")
    for name, pairs in sets.items():
        known = [pair for pair in pairs if pair.mask is not None and pair.mask.mean() > 0.005]
        names = {pair.name for pair in known}
        worth(f"{name}, as they are", known)
        worth(f"{name}, disturbed", [pair for _, pair in shaken[name] if pair.name in names])
    print("\n## Time, one thread")
    times(real[6])
    times(next(pair for _, pair in shaken["composites"]))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
