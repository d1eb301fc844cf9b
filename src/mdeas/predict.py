"""From photos on disk to masks, depth maps, cut-outs and panels on disk."""

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mdeas.errors import InputError, UsageError
from mdeas.failures import ERRORS, tell_failures
from mdeas.files import locked, quoted, refuse_existing, write_json
from mdeas.images import colorize, contact_sheet, list_images, read_rgb, read_rgba, write_png
from mdeas.names import output_names
from mdeas.pairing.matched import Mode, match
from mdeas.predictor import Prediction, Predictor
from mdeas.runtime import load
from mdeas.spec import resize

OUTPUTS = ("mask.png", "depth.png", "depth.json", "cutout.png", "depth-color.png", "panel.png")
# Models work at a few hundred pixels. Above this long side a photo is shrunk before it is predicted, and the
# result enlarged picture by picture, so that 144 megapixels fit into 2 GB.
_MAX_VIEW = 4096
_PANEL_CELL = 320
_MAX_UINT16 = 65535


@dataclass(frozen=True)
class Photo:
    """A photo read from disk."""

    path: Path
    height: int
    width: int
    view: np.ndarray
    """uint8 (h, w, 3) RGB, long side at most _MAX_VIEW, same aspect."""


def predict_files(
    images: Sequence[str | Path],
    background: str | Path,
    out: str | Path,
    *,
    model: str | Path | None = None,
    device: str = "cpu",
    threads: int | None = None,
    pair: Mode = "auto",
    force: bool = False,
    tell: Callable[[str], None] = lambda path: None,
) -> list[dict[str, Any]]:
    """Predict photos of one view and write NAME-mask.png and the rest of OUTPUTS for each into `out`.

    Input:
        images: files, or folders, of which every picture is taken except the background itself.
        background: the same view with nothing in it.
        model, device, threads: see runtime.load.
        pair: what to do where the photos do not fit: auto, strict or off; see pairing.matched.match.
        force: replace results that are there. An input is never replaced.
        tell: called with each path that was written.
    Output: one dict per picture that could be used: image, warnings, and a path for each of OUTPUTS.
        All outputs have the photo's own size: mask 8-bit; depth 16-bit with a JSON that says how to get the
        values back; cut-out RGBA; depth in colours; a labelled panel.
    Errors: InputError E-NO-IMAGES; E-SOME-FAILED after the rest is done, when some pictures cannot be used
        (listed in errors.jsonl; of a single picture its own error); those of runtime.load. StorageError
        E-EXISTS before any work.
    """
    out = Path(out)
    files = _find(images, Path(background))
    names = dict(zip(files, output_names(files), strict=True))
    _refuse_existing(out, [*files, Path(background)], names.values(), force)
    predictor = load(model, device=device, threads=threads)
    empty = _open(Path(background))
    results, errors = [], []
    with locked(out):
        for path, name in names.items():
            try:
                results.append(_predict_file(predictor, empty, path, out, name, pair, force))
            except InputError as error:
                errors.append((path, error))
                continue
            for kind in OUTPUTS:
                tell(results[-1][kind])
        tell_failures(out, errors, len(files), force=force)
    return results


def _find(images: Sequence[str | Path], background: Path) -> list[Path]:
    """The files to predict, in the order given, each once."""
    found: list[Path] = []
    for path in map(Path, images):
        found += [p for p in list_images(path) if not _same(p, background)] if path.is_dir() else [path]
    if not found:
        raise InputError(
            "E-NO-IMAGES", f"{quoted(background)} is the only picture there. Add photos to predict."
        )
    return list(dict.fromkeys(found))


def _same(a: Path, b: Path) -> bool:
    return a.exists() and b.exists() and a.samefile(b)


def _refuse_existing(out: Path, inputs: Sequence[Path], names: Iterable[str], force: bool) -> None:
    protected = {os.path.realpath(path) for path in inputs}
    for target in [*(out / f"{name}-{kind}" for name in names for kind in OUTPUTS), out / ERRORS]:
        if os.path.realpath(target) in protected:
            raise UsageError("E-OUT-IS-INPUT", f"{quoted(target)} is an input. Give another folder with -o.")
        refuse_existing(target, force)


def _open(path: Path) -> Photo:
    pixels = read_rgb(path)
    return Photo(path, pixels.shape[0], pixels.shape[1], _shrunk(pixels, _MAX_VIEW))


def _shrunk(pixels: np.ndarray, longest: int) -> np.ndarray:
    height, width = pixels.shape[:2]
    scale = min(1.0, longest / max(height, width))
    return _sized(pixels, (max(1, round(height * scale)), max(1, round(width * scale))))


def _sized(array: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return resize(array, *size, enlarge=cv2.INTER_LINEAR)


def _predict_file(
    predictor: Predictor, empty: Photo, path: Path, out: Path, name: str, pair: Mode, force: bool
) -> dict[str, Any]:
    photo = _open(path)
    sizes = (empty.height, empty.width), (photo.height, photo.width)
    matched = match(empty.view, photo.view, *sizes, pair)
    background, warnings = matched.background, matched.warnings
    for warning in warnings:
        print(f"mdeas: warning[{warning.code}] {quoted(path)}: {warning.text}", file=sys.stderr)
    prediction = predictor.predict(background, photo.view)
    facts = {
        "image": path.name,
        "background": empty.path.name,
        "model": predictor.name,
        "warnings": [f"{warning.code}: {warning.text}" for warning in warnings],
        "pair": matched.facts,
    }
    paths = {kind: out / f"{name}-{kind}" for kind in OUTPUTS}
    _write(prediction, photo, background, facts, paths, force)
    return {"image": str(path), "warnings": facts["warnings"], **{k: str(p) for k, p in paths.items()}}


def _write(
    prediction: Prediction, photo: Photo, background: np.ndarray, facts: dict, paths: dict, force: bool
) -> None:
    """Write OUTPUTS of one photo; of what has full size, little is held at a time."""
    size = photo.height, photo.width
    mask, colours = _levels(prediction.mask), colorize(prediction.depth)
    depth, scale = encode_depth(prediction.depth)
    facts = {**scale, **facts, "height": photo.height, "width": photo.width}
    write_png(paths["mask.png"], _sized(mask, size), force=force)
    write_png(paths["depth.png"], _sized(depth, size), force=force)
    write_json(paths["depth.json"], facts, force=force)
    write_png(paths["depth-color.png"], _sized(colours, size), force=force)
    write_png(paths["panel.png"], panel(background, photo.view, prediction, colours), force=force)
    write_png(paths["cutout.png"], _cutout(photo.path, _sized(mask, size)), force=force)


def _levels(mask: np.ndarray) -> np.ndarray:
    """float32 (H, W) in [0, 1] -> uint8 (H, W)."""
    return np.rint(mask * 255).astype(np.uint8)


def _cutout(path: Path, mask: np.ndarray) -> np.ndarray:
    """The photo at its own size, uint8 (H, W, 4), with alpha = mask, uint8 (H, W).

    Read a second time, so that the whole photo and its RGBA copy never need memory together.
    """
    pixels = read_rgba(path)
    pixels[..., 3] = mask
    return pixels


def encode_depth(depth: np.ndarray) -> tuple[np.ndarray, dict[str, Any]]:
    """Inverse depth as 16-bit picture.

    Input: depth: float32 (H, W) relative inverse depth.
    Output: uint16 (H, W), 0 = least and 65535 = largest value, and what gets the values back:
        value = offset + scale * png, to half a step of `scale`.
    """
    low, high = float(depth.min()), float(depth.max())
    scale = (high - low) / _MAX_UINT16
    levels = np.rint((depth - np.float32(low)) / np.float32(scale or 1)).clip(0, _MAX_UINT16)
    return levels.astype(np.uint16), {
        "kind": "relative",
        "meaning": "inverse depth, larger = nearer, no unit; value = offset + scale * png",
        "offset": low,
        "scale": scale,
        "range": [low, high],
    }


def panel(
    background: np.ndarray, image: np.ndarray, prediction: Prediction, colours: np.ndarray
) -> np.ndarray:
    """background | image | mask | depth | cut-out, labelled: uint8 (H, W, 3) RGB."""
    small = _shrunk(image, _PANEL_CELL)
    size = small.shape[:2]
    mask = _sized(prediction.mask, size)
    on_white = mask[..., None] * small + (1 - mask[..., None]) * np.float32(255)
    cells = [
        _sized(background, size),
        small,
        np.repeat(_levels(mask)[..., None], 3, axis=2),
        _sized(colours, size),
        np.rint(on_white).astype(np.uint8),
    ]
    return contact_sheet([cells], ("background", "image", "mask", "depth", "cut-out"), cell=_PANEL_CELL)
