"""Put a picture between the subject of a pair and the scene behind it."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from mdeas.camera.metres import Ruler
from mdeas.depth_fit import inverse
from mdeas.errors import UsageError
from mdeas.images.codec import read_rgba, write_png
from mdeas.images.levels import to_uint8
from mdeas.images.photo import MAX_VIEW, Photo, open_photo
from mdeas.images.resize import resize, within
from mdeas.pairing.match import Mode, match_photos
from mdeas.pairing.sanity import PairWarning, tell
from mdeas.runtime.choice import DEFAULT_MODEL, ModelChoice
from mdeas.runtime.onnx_predictor import tell_model
from mdeas.subject.colours import Colours, backdrop, estimate, in_own_colours
from mdeas.subject.depths import LONG_SIDE, EmptyDepth, split_depth, subject_depth
from mdeas.subject.fill import part, strips
from mdeas.subject.insert import Insert, place_insert
from mdeas.system.files import quoted, refuse_outputs

_SOFT = 0.01  # share of the depth's range over which one thing passes into the other
# Mask values that become alpha 0 and 1: models are seldom surer, and an insert must not shine through.
_SURE = (0.1, 0.9)
_HIDDEN = PairWarning("W-INSERT-HIDDEN", "the insert is fully hidden: everything at that place is nearer")


@dataclass(frozen=True, kw_only=True)
class LayeredPhoto:
    """A photo split into subject and backdrop, ready for an insert between them."""

    cutout: np.ndarray
    """uint8 (H, W, 4): the image with the subject's alpha."""
    background: np.ndarray
    """uint8 (h, w, 3), the same view without the subject, at this size or smaller."""
    mask: np.ndarray
    """float32 (h, w) in [0, 1], at the size of both depths."""
    front: np.ndarray
    """float32 (h, w) inverse depth of the subject, continued outwards."""
    behind: np.ndarray
    """float32 (h, w) inverse depth of the scene behind it."""
    range: tuple[float, float]
    """Least and greatest inverse depth of the photo; relative: levels 0 and 1 of depth.png."""
    metric: bool
    """Inverse depth is in 1/m, 0 = unknown, which counts as behind everything known; else it is relative."""


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
) -> dict[str, object]:
    """Write the image with `insert` standing in it, a PNG of the image's size.

    Input:
        image, background: photos of one view with and without the subject.
        insert: picture with alpha; its transparent margin is cut away.
        at: (x, y): where the middle of its foot stands, in pixels of the image.
        height_px: its height in the image; None = as it is.
        depth: metres with a calibration, else a level of depth.png, 0 = farthest, 1 = nearest. None = behind
            the subject and before everything else, whatever their depths.
        calibration: file of `mdeas calibrate`.
        model: which to predict with. pair: see pairing.match.match.
    Output: {"image": the path, "subject", "behind", "insert": median levels of depth at the place of the
        insert}; with a calibration "subject_m" and so on, metres (None = unknown). W-INSERT-HIDDEN is printed
        on stderr where everything at the place of the insert is nearer.
    Errors: InputError of images.codec.read_rgb and insert.place_insert, E-PAIR-...; UsageError
        E-DEPTH-LEVEL, E-INSERT-OUTSIDE, E-OUT-IS-INPUT; those of runtime.load, metres.Ruler; StorageError.
    """
    _check_depth(depth, calibration)
    refuse_outputs([out], [image, background, insert, *([calibration] if calibration else [])], force)
    # The background is read and shrunk first: the two whole photos need not be in memory together.
    empty = open_photo(Path(background))
    picture = read_rgba(image)
    placed = place_insert(read_rgba(insert), quoted(insert), at, height_px, picture.shape[:2])
    empty_depth = EmptyDepth(model.load())
    ruler = Ruler(calibration, empty, empty_depth) if calibration is not None else None
    photo = layered_photo(picture, Path(image), empty, pair, empty_depth, ruler)
    inverse_depth = None
    if depth is not None:
        low, high = photo.range
        inverse_depth = 1 / depth if photo.metric else low + depth * (high - low)
    composed = compose(photo, placed, inverse_depth)
    if np.array_equal(composed, photo.cutout[..., :3]):
        tell(insert, [_HIDDEN])
    write_png(out, composed, force=force)
    tell_model(empty_depth.predictor)
    return {"image": str(out), **_depths(photo, placed, inverse_depth)}


def _check_depth(depth: float | None, calibration: str | Path | None) -> None:
    if depth is None:
        return
    if calibration is None and not 0 <= depth <= 1:
        expected = "expected a level of depth.png, from 0 (far) to 1 (near)"
        raise UsageError("E-DEPTH-LEVEL", f"--depth {depth:g}: {expected}. For metres pass --calibration.")
    if calibration is not None and not 0 < depth < np.inf:
        raise UsageError("E-DEPTH-LEVEL", f"--depth {depth:g}: expected metres, above 0.")


def layered_photo(
    picture: np.ndarray, path: Path, empty: Photo, mode: Mode, empty_depth: EmptyDepth, ruler: Ruler | None
) -> LayeredPhoto:
    """Predict a pair and split it into subject and backdrop.

    Input:
        picture: uint8 (H, W, 4), the image read from `path`; its alpha is replaced in place.
        empty: the photo without the subject; mode: see pairing.match.match.
        ruler: None = relative depth; else the depths that predict writes in metres.
    Errors: InputError E-PAIR-...
    """
    size = picture.shape[:2]
    view = np.ascontiguousarray(within(picture, MAX_VIEW)[..., :3])
    matched = match_photos(empty, Photo(path, size[0], size[1], view), mode)
    tell(path, matched.warnings)
    prediction = empty_depth.predictor.predict(matched.background, view)
    low, high = _SURE
    alpha = to_uint8(((prediction.mask - low) / (high - low)).clip(0, 1))
    picture[..., 3] = resize(alpha, *size, enlarge=cv2.INTER_LINEAR)
    if ruler is None:
        split = split_depth(empty_depth.of(matched.background), prediction)
        depth, mask = prediction.depth, split.mask
        front, behind = split.foreground_depth, split.background_depth
    else:
        metric = ruler.measure(prediction, matched.motion)
        tell(path, metric.warnings)
        depth, mask = inverse(metric.depth_m), within(prediction.mask, LONG_SIDE)
        front = subject_depth(_nearest(depth, mask.shape), mask)
        behind = _nearest(inverse(metric.empty_m), mask.shape)
    return LayeredPhoto(
        cutout=picture,
        background=matched.background,
        mask=mask,
        front=front,
        behind=behind,
        range=(float(depth.min()), float(depth.max())),
        metric=ruler is not None,
    )


def _nearest(inverse_m: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Resize by nearest neighbour: a mean across an edge is a depth that nothing has."""
    return cv2.resize(inverse_m, shape[::-1], interpolation=cv2.INTER_NEAREST_EXACT)


def compose(photo: LayeredPhoto, insert: Insert, inverse_depth: float | None) -> np.ndarray:
    """Lay subject, insert and backdrop over each other, the nearest on top.

    The subject's edges mix with the insert in the subject's own colours. Around the subject the image itself
    is the backdrop, with its shadows; under its edge and behind it, the background photo in the image's
    light. The insert casts no shadow.

    Input: inverse_depth: of the insert, upright and flat, in the units of the photo's depth; None = between
        subject and backdrop.
    Output: uint8 (H, W, 3); equal to the image wherever the insert is not.
    """
    out = photo.cutout[..., :3].copy()
    rows, columns = insert.window(out.shape[:2])
    fields = estimate(photo.cutout, photo.background)
    for strip in strips(rows.stop - rows.start):
        window = slice(rows.start + strip.start, rows.start + strip.stop), columns
        out[window] = _mixed(photo, fields, insert, inverse_depth, *window)
    return out


def _mixed(
    photo: LayeredPhoto,
    fields: Colours,
    insert: Insert,
    inverse_depth: float | None,
    rows: slice,
    columns: slice,
) -> np.ndarray:
    """A part of the result: float32 (rows, columns, 3), whole numbers."""
    pixels = insert.seen(rows, columns)
    over, before = _order(photo, rows, columns, inverse_depth)
    colours, cover = pixels[..., :3] * over, pixels[..., 3:] * over
    subject, behind = _subject_and_behind(photo, fields, rows, columns)
    alpha = photo.cutout[rows, columns, 3:] / np.float32(255)
    hidden = alpha * subject + (1 - alpha) * (colours + (1 - cover) * behind)
    in_front = colours + (1 - cover) * (alpha * subject + (1 - alpha) * behind)
    mixed = (1 - before) * hidden + before * in_front
    return np.where(cover > 0, np.rint(mixed.clip(0, 255)), photo.cutout[rows, columns, :3])


def _order(
    photo: LayeredPhoto, rows: slice, columns: slice, inverse_depth: float | None
) -> tuple[np.ndarray, np.ndarray]:
    """How far the insert is before the backdrop, and before the subject: float32 (rows, columns, 1), 0 to 1.

    At equal depth the insert is before.
    """
    if inverse_depth is None:
        return np.ones((1, 1, 1), np.float32), np.zeros((1, 1, 1), np.float32)
    size = photo.cutout.shape[:2]
    low, high = photo.range
    soft = max(_SOFT * (high - low), 1e-6)
    nearer = (
        np.float32(inverse_depth) - part(depth, size, rows, columns) for depth in (photo.behind, photo.front)
    )
    over, before = ((by / soft + 1).clip(0, 1)[..., None] for by in nearer)
    return over, before


def _subject_and_behind(
    photo: LayeredPhoto, fields: Colours, rows: slice, columns: slice
) -> tuple[np.ndarray, np.ndarray]:
    """Colours of both, (rows, columns, 3) in [0, 255]: uint8, and float32."""
    subject = in_own_colours(photo.cutout, photo.background, fields, rows, columns)[..., :3]
    plain = backdrop(photo.cutout, photo.background, fields.drift, rows, columns)
    image = photo.cutout[rows, columns]
    return subject, np.where(image[..., 3:] > 0, plain, image[..., :3])


def _depths(photo: LayeredPhoto, insert: Insert, inverse_depth: float | None) -> dict[str, float | None]:
    """Depths at the place of the insert: of the subject, of the backdrop, and of the insert.

    Where the subject is not at that place, its median over the whole photo counts. None = unknown, or no
    subject.
    """
    size = photo.cutout.shape[:2]
    window = insert.window(size)
    solid = part(photo.mask, size, *window) >= 0.5
    subject = part(photo.front, size, *window)[solid] if solid.any() else photo.front[photo.mask >= 0.5]
    behind = part(photo.behind, size, *window)
    medians = [float(np.median(depth)) for depth in (subject, behind) if depth.size]
    own = sum(medians) / len(medians) if inverse_depth is None else inverse_depth
    found = {"subject": medians[0] if subject.size else None, "behind": medians[-1], "insert": own}
    if photo.metric:
        return {f"{name}_m": round(1 / depth, 3) if depth else None for name, depth in found.items()}
    low, high = photo.range
    unit = (high - low) or 1
    return {name: None if depth is None else round((depth - low) / unit, 3) for name, depth in found.items()}
