"""Errors of metres inside the mask, with a calibration and without, beside simple guesses.

    python benchmarks/metres.py            40 rendered scenes with things that stand in them
    python benchmarks/metres.py FOLDER     real pairs: folders with bg.png, image.png, and bg_depth.png and
                                           depth.png in 16-bit millimetres, 0 = unknown

Measured on the pixels that the model calls foreground and whose depth is known. Rendered scenes: those of
them in the true mask. Real pairs: all of them, and those that the sensor sees 10 mm or more before the empty
scene. AbsRel and the share within 25 %, mean over pairs; points are drawn ten times near given depths of the
map.
"""

import contextlib
import dataclasses
import functools
import io
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

import mdeas
from mdeas.camera.calibrate import calibrate
from mdeas.camera.calibration import Point
from mdeas.camera.metres import Ruler
from mdeas.depth_fit import UNCOVERED, fit_picture, inverse
from mdeas.errors import InputError
from mdeas.images.codec import read_depth16, read_rgb, write_png
from mdeas.images.photo import open_photo
from mdeas.metrics.depth import abs_rel, delta1
from mdeas.runtime.choice import ModelChoice
from mdeas.runtime.predictor import Prediction, Predictor
from mdeas.subject.depths import EmptyDepth

SEED, COUNT, SIZE, DRAWS = 4242, 40, 224, 10
QUANTILES = {2: (0.1, 0.9), 4: (0.1, 0.35, 0.65, 0.9)}
FARTHEST = 1.5  # guesses are limited to this multiple of the map's farthest depth


@dataclasses.dataclass(frozen=True, kw_only=True)
class Case:
    """A pair whose two depths are known, uint16 millimetres."""

    name: str
    background: np.ndarray
    image: np.ndarray
    empty_mm: np.ndarray
    depth_mm: np.ndarray
    inside: np.ndarray | None
    """bool (H, W), true foreground where it is known."""


def photographed(folder: Path) -> Iterator[Case]:
    for place in sorted(path.parent for path in folder.glob("*/bg_depth.png")):
        photos = {"background": read_rgb(place / "bg.png"), "image": read_rgb(place / "image.png")}
        empty_mm, depth_mm = (read_depth16(place / name) for name in ("bg_depth.png", "depth.png"))
        yield Case(name=place.name, empty_mm=empty_mm, depth_mm=depth_mm, inside=None, **photos)


def rendered() -> Iterator[Case]:
    """Scenes of the data factory with and without what is added, neither camera nor light moved."""
    from mdeas.create.scenes.maker import ScenesMaker
    from mdeas.create.scenes.recipe import ScenesRecipe
    from mdeas.create.scenes.render.render import render

    splits = {"validation_count": 0, "test_count": COUNT}
    recipe = ScenesRecipe(count=COUNT, size=SIZE, calm_share=1, empty_share=0, tiles=60, **splits)
    maker = ScenesMaker(recipe, SEED)
    stock = maker._stock("test")
    for number in range(COUNT):
        rng = np.random.default_rng([SEED, number])
        scene, _ = maker._draw_visible(stock, rng)
        empty = dataclasses.replace(scene, primitives=[p for p in scene.primitives if not p.added])
        full, bare = (render([s], SIZE, stock.bank, stock.boards, [0.2], "cpu") for s in (scene, empty))
        photos = dict(zip(("background", "image"), maker._photos(full, rng), strict=True))
        empty_mm, depth_mm = (_millimetres(r.depth[0].numpy()) for r in (bare, full))
        inside = full.mask[0].numpy() >= 0.5
        yield Case(name=str(number), empty_mm=empty_mm, depth_mm=depth_mm, inside=inside, **photos)


@functools.cache
def default_model() -> Predictor:
    return mdeas.load(threads=1)


def _millimetres(depth_m: np.ndarray) -> np.ndarray:
    return np.where(depth_m < 65, depth_m * 1000, 0).astype(np.uint16)


def guesses(case: Case, model: Predictor) -> Iterator[tuple[str, np.ndarray]]:
    """(name, float (H, W) metres, 0 = unknown)."""
    prediction = model.predict(case.background, case.image)
    empty_m = case.empty_mm / 1000
    known, seen = empty_m > 0, prediction.mask < UNCOVERED
    inverse_m = inverse(empty_m)
    median = np.full(empty_m.shape, np.median(empty_m[known]))
    fitted = fit_picture(prediction.depth, inverse_m, known & seen).line.inverse_m(prediction.depth)
    yield "median depth of the empty scene", median
    yield "not calibrated, scaled to that median", _scaled(prediction.depth, median[0, 0], known & seen)
    yield "what is behind, as measured", np.where(known, empty_m, _depth(fitted))
    yield "map: scale and shift alone", _depth(fitted)
    with contextlib.suppress(InputError):  # refused: the number of scores in the table tells
        yield "map: mdeas", measured(case, prediction, depth=case.empty_mm)
    rng = np.random.default_rng(SEED)
    for count in QUANTILES:
        for _ in range(DRAWS):
            points = drawn(empty_m, count, rng)
            yield (
                f"{count} points: their median",
                np.full(empty_m.shape, np.median([p.metres for p in points])),
            )
            with contextlib.suppress(InputError):
                yield f"{count} points: mdeas", measured(case, prediction, points=points)


def _depth(inverse_m: np.ndarray) -> np.ndarray:
    return 1 / np.maximum(inverse_m, 1e-9)


def _scaled(relative: np.ndarray, median_m: float, seen: np.ndarray) -> np.ndarray:
    """Metres from relative depth alone: the least inverse depth is taken as 0, the median as `median_m`."""
    inverse = relative - relative.min() + 1e-3 * np.ptp(relative)
    return _depth(inverse) * median_m / np.median(_depth(inverse[seen]))


def drawn(empty_m: np.ndarray, count: int, rng: np.random.Generator) -> list[Point]:
    rows, columns = np.nonzero(empty_m > 0)
    depths = empty_m[rows, columns]
    points = []
    for wanted in np.quantile(depths, QUANTILES[count]):
        which = rng.choice(np.argsort(np.abs(depths - wanted))[:200])
        points.append(Point(x=int(columns[which]), y=int(rows[which]), metres=round(float(depths[which]), 3)))
    return points


def measured(case: Case, prediction: Prediction, **known) -> np.ndarray:
    """The metres of `mdeas calibrate` and `mdeas predict --calibration`: float32 (H, W), 0 = unknown."""
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()):
        background, camera = Path(folder, "background.png"), Path(folder, "camera.json")
        write_png(background, case.background)
        if "depth" in known:
            write_png(Path(folder, "map.png"), known["depth"])
            known = {"depth": Path(folder, "map.png")}
        calibrate(background, camera, model=ModelChoice(threads=1), **known)
        return Ruler(camera, open_photo(background), EmptyDepth(default_model())).measure(prediction).depth_m


def regions(case: Case, mask: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    found = (mask >= 0.5) & (case.depth_mm > 0)
    if case.inside is not None:
        yield "true mask, found", found & case.inside
        return
    yield "mask", found
    nearer = case.empty_mm.astype(int) - case.depth_mm >= 10
    yield "mask, 10 mm nearer", found & nearer & (case.empty_mm > 0)


def score(case: Case, guess: np.ndarray, region: np.ndarray) -> tuple[float, float, float]:
    """AbsRel and delta1 where the guess has a depth, and the share of the region where it has none."""
    truth, said = case.depth_mm[region] / 1000, guess[region]
    known = said > 0
    if not known.any():
        return float("nan"), float("nan"), 1.0
    said = np.minimum(said[known], FARTHEST * case.empty_mm.max() / 1000)
    return abs_rel(said, truth[known]), delta1(said, truth[known]), float(1 - known.mean())


def table(cases: Iterator[Case]) -> None:
    scores: dict = defaultdict(lambda: defaultdict(list))
    count = 0
    for case in cases:
        mask = default_model().predict(case.background, case.image).mask
        areas = [(name, region) for name, region in regions(case, mask) if np.count_nonzero(region) >= 50]
        count += bool(areas)
        for method, guess in guesses(case, default_model()) if areas else ():
            for name, region in areas:
                scores[name][method].append(score(case, guess, region))
    for name, methods in scores.items():
        print(f"{name}, {count} pairs")
        for method, rows in methods.items():
            rel, close, unknown = np.nanmean(rows, axis=0)
            print(f"  {method:<38} AbsRel {rel:.3f}  d1 {close:.3f}  unknown {unknown:.1%}  ({len(rows)})")


def main(chosen: Callable[[], Iterator[Case]]) -> None:
    table(chosen())


if __name__ == "__main__":
    main((lambda: photographed(Path(sys.argv[1]))) if len(sys.argv) > 1 else rendered)
