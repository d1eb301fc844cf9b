"""A picture put between the subject of a pair and what is behind it."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mdeas.camera.metres import Ruler
from mdeas.errors import UsageError
from mdeas.images.codec import read_rgba, write_png
from mdeas.images.levels import to_uint8
from mdeas.images.photo import MAX_VIEW, Photo, open_photo
from mdeas.images.resize import resize, within
from mdeas.pairing.match import Mode, match_photos
from mdeas.pairing.sanity import PairWarning, tell
from mdeas.runtime.choice import DEFAULT_MODEL, ModelChoice
from mdeas.runtime.onnx_predictor import tell_model
from mdeas.runtime.predictor import Prediction, Predictor
from mdeas.subject.colours import Colours, backdrop, estimate, in_own_colours
from mdeas.subject.depths import Layers, split_depth, subject_depth
from mdeas.subject.fill import part, strips
from mdeas.subject.insert import Insert, place_insert
from mdeas.system.files import quoted, refuse_outputs

_SOFT = 0.01  # share of the depth's range over which one thing passes into the other
# Mask values that become alpha 0 and 1: models are seldom surer, and an insert must not shine through.
_SURE = (0.1, 0.9)
_HIDDEN = PairWarning("W-INSERT-HIDDEN", "nothing of it is seen: all that is there is nearer")


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A photo with its subject, ready to put things into."""

    cutout: np.ndarray
    """uint8 (H, W, 4): the image with the subject's alpha."""
    background: np.ndarray
    """uint8 (h, w, 3), the same view, at this size or smaller."""
    prediction: Prediction
    """At the background's size."""
    layers: Layers
    motion: np.ndarray | None = None
    """See pairing.matched.Matched."""
    metric: bool = False
    """Depths are in 1/m, else relative."""

    @property
    def range(self) -> tuple[float, float]:
        """Least and greatest inverse depth; relative: levels 0 and 1 of depth.png."""
        return float(self.prediction.depth.min()), float(self.prediction.depth.max())


def compose_files(
    image: str | Path,
    background: str | Path,
    insert: str | Path,
    out: str | Path,
    *,
    at: tuple[float, float],
    height_px: int | None = None,
    depth: float | None = None,
    calibration: str | Path | None = None,
    model: ModelChoice = DEFAULT_MODEL,
    pair: Mode = "auto",
    force: bool = False,
) -> dict[str, Any]:
    """Write the image with `insert` standing in it, a PNG of the image's size.

    Input:
        image, background: photos of one view with and without the subject.
        insert: picture with alpha; its transparent margin is cut away.
        at: (x, y): where the middle of its foot stands, pixels of the image from its upper left corner.
        height_px: its height in the image; None = as it is.
        depth: its depth: metres with a calibration, else a level of depth.png, 0 = farthest, 1 = nearest;
            None = between: behind the subject and before all else, whatever their depths.
        calibration: file of `mdeas calibrate`.
        model: which to predict with. pair: see pairing.match.match.
    Output: {"image": the path, "subject", "behind", "insert": median levels of depth where the insert is}, or
        "subject_m" and so on, metres (None = unknown), with a calibration. W-INSERT-HIDDEN is told on stderr
        where all of the insert is behind what is there.
    Errors: InputError of images.read_rgb and insert.place_insert, E-PAIR-...; UsageError
        E-DEPTH-LEVEL, E-INSERT-OUTSIDE, E-OUT-IS-INPUT; those of runtime.load and metres.Ruler; StorageError.
    """
    _check_depth(depth, calibration)
    refuse_outputs([out], [image, background, insert, *([calibration] if calibration else [])], force)
    # The background first, and small: both photos whole need not be in memory together.
    empty = open_photo(Path(background))
    picture = read_rgba(image)
    placed = place_insert(read_rgba(insert), quoted(insert), at, height_px, picture.shape[:2])
    predictor = model.load()
    scene = predict_scene(predictor, picture, Path(image), empty, pair)
    if calibration is not None:
        scene = in_metres(scene, Ruler(calibration, predictor, empty.path, empty.view, empty.size), image)
    inverse_depth = None if depth is None else _inverse(depth, scene)
    made = compose(scene, placed, inverse_depth)
    if np.array_equal(made, scene.cutout[..., :3]):
        tell(insert, [_HIDDEN])
    write_png(out, made, force=force)
    tell_model(predictor)
    return {"image": str(out), **_depths(scene, placed, inverse_depth)}


def _check_depth(depth: float | None, calibration: str | Path | None) -> None:
    if depth is None:
        return
    if calibration is None and not 0 <= depth <= 1:
        told = f"--depth {depth:g}: not a level of depth.png"
        raise UsageError(
            "E-DEPTH-LEVEL", f"{told}, which go from 0 (far) to 1 (near). For metres pass --calibration."
        )
    if calibration is not None and not 0 < depth < np.inf:
        raise UsageError("E-DEPTH-LEVEL", f"--depth {depth:g}: not a distance in metres, which is above 0.")


def predict_scene(predictor: Predictor, picture: np.ndarray, path: Path, empty: Photo, mode: Mode) -> Scene:
    """Predict a pair.

    Input:
        picture: uint8 (H, W, 4), the image read from `path`; its alpha is replaced in place.
        empty: the photo without the subject; mode: what to do where it does not fit, as in predict.
    Errors: InputError E-PAIR-...
    """
    size = picture.shape[:2]
    view = np.ascontiguousarray(within(picture, MAX_VIEW)[..., :3])
    matched = match_photos(empty, Photo(path, size[0], size[1], view), mode)
    tell(path, matched.warnings)
    background = matched.background
    prediction = predictor.predict(background, view)
    low, high = _SURE
    alpha = to_uint8(((prediction.mask - low) / (high - low)).clip(0, 1))
    picture[..., 3] = resize(alpha, *size, enlarge=cv2.INTER_LINEAR)
    layers = split_depth(predictor, background, prediction)
    return Scene(
        cutout=picture, background=background, prediction=prediction, layers=layers, motion=matched.motion
    )


def in_metres(scene: Scene, ruler: Ruler, image: str | Path) -> Scene:
    """The scene with the depths that predict writes for it, in 1/m, 0 = unknown: behind all that is known."""
    measured = ruler.measure(scene.prediction, scene.motion)
    tell(image, measured.warnings)
    depth, empty = (_inverse_m(depth_m) for depth_m in (measured.depth_m, measured.empty_m))
    shape = scene.layers.mask.shape
    small, behind = (
        cv2.resize(a, shape[::-1], interpolation=cv2.INTER_NEAREST_EXACT) for a in (depth, empty)
    )
    front = subject_depth(small, scene.layers.mask)
    layers = replace(scene.layers, foreground_depth=front, background_depth=behind)
    return replace(scene, prediction=Prediction(scene.prediction.mask, depth), layers=layers, metric=True)


def _inverse_m(depth_m: np.ndarray) -> np.ndarray:
    return np.divide(1, depth_m, out=np.zeros_like(depth_m), where=depth_m > 0)


def _inverse(depth: float, scene: Scene) -> float:
    """From what the user gave, metres or a level of depth.png, to inverse depth as the scene's."""
    low, high = scene.range
    return 1 / depth if scene.metric else low + depth * (high - low)


def compose(scene: Scene, insert: Insert, inverse_depth: float | None) -> np.ndarray:
    """The scene with the insert in it: subject, insert and what is behind, laid over each other by depth.

    The subject's edges mix with the insert in the subject's own colours. Around the subject the image itself
    is what is behind, with the shadows that it has; under its edge and behind it, the background photo in the
    image's light. The insert casts no shadow.

    Input: inverse_depth: of the insert, upright and flat, in the units of the scene's depth; None = between.
    Output: uint8 (H, W, 3); without a change where the insert is not.
    """
    out = scene.cutout[..., :3].copy()
    rows, columns = insert.window(out.shape[:2])
    fields = estimate(scene.cutout, scene.background)
    for strip in strips(rows.stop - rows.start):
        window = slice(rows.start + strip.start, rows.start + strip.stop), columns
        out[window] = _mixed(scene, fields, insert, inverse_depth, *window)
    return out


def _mixed(
    scene: Scene, fields: Colours, insert: Insert, inverse_depth: float | None, rows: slice, columns: slice
) -> np.ndarray:
    """A part of the result: float32 (rows, columns, 3), whole numbers."""
    seen = insert.seen(rows, columns)
    over, before = _order(scene, rows, columns, inverse_depth)
    colours, cover = seen[..., :3] * over, seen[..., 3:] * over
    subject, behind = _subject_and_behind(scene, fields, rows, columns)
    alpha = scene.cutout[rows, columns, 3:] / np.float32(255)
    hidden = alpha * subject + (1 - alpha) * (colours + (1 - cover) * behind)
    in_front = colours + (1 - cover) * (alpha * subject + (1 - alpha) * behind)
    mixed = (1 - before) * hidden + before * in_front
    return np.where(cover > 0, np.rint(mixed.clip(0, 255)), scene.cutout[rows, columns, :3])


def _order(
    scene: Scene, rows: slice, columns: slice, inverse_depth: float | None
) -> tuple[np.ndarray, np.ndarray]:
    """Is the insert before what is behind the subject, and before the subject? float32 (rows, columns, 1)."""
    if inverse_depth is None:
        return np.ones((1, 1, 1), np.float32), np.zeros((1, 1, 1), np.float32)
    size = scene.cutout.shape[:2]
    low, high = scene.range
    soft = max(_SOFT * (high - low), 1e-6)
    depths = scene.layers.background_depth, scene.layers.foreground_depth
    nearer = (np.float32(inverse_depth) - part(depth, size, rows, columns) for depth in depths)
    over, before = ((by / soft + 1).clip(0, 1)[..., None] for by in nearer)  # at one depth it is before
    return over, before


def _subject_and_behind(
    scene: Scene, fields: Colours, rows: slice, columns: slice
) -> tuple[np.ndarray, np.ndarray]:
    """Colours of both, (rows, columns, 3) in [0, 255]: uint8, and float32."""
    subject = in_own_colours(scene.cutout, scene.background, fields, rows, columns)[..., :3]
    plain = backdrop(scene.cutout, scene.background, fields.drift, rows, columns)
    image = scene.cutout[rows, columns]
    return subject, np.where(image[..., 3:] > 0, plain, image[..., :3])


def _depths(scene: Scene, insert: Insert, inverse_depth: float | None) -> dict[str, float | None]:
    """Where the insert is: depths of the subject (all of it if none is there), of what is behind, its own;
    None: unknown, or no subject."""
    size = scene.cutout.shape[:2]
    window = insert.window(size)
    front, behind = scene.layers.foreground_depth, scene.layers.background_depth
    solid = part(scene.layers.mask, size, *window) >= 0.5
    subject = part(front, size, *window)[solid] if solid.any() else front[scene.layers.mask >= 0.5]
    low, high = scene.range
    medians = [float(np.median(depth)) for depth in (subject, part(behind, size, *window)) if depth.size]
    own = sum(medians) / len(medians) if inverse_depth is None else inverse_depth
    found = {"subject": medians[0] if subject.size else None, "behind": medians[-1], "insert": own}
    if scene.metric:
        return {f"{name}_m": round(1 / depth, 3) if depth else None for name, depth in found.items()}
    unit = (high - low) or 1
    return {name: None if depth is None else round((depth - low) / unit, 3) for name, depth in found.items()}
