"""From photos on disk to masks, depth maps, cut-outs and panels on disk."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from mdeas.camera.metres import Ruler
from mdeas.camera.rays import Pinhole, pinhole_of
from mdeas.errors import InputError
from mdeas.images.codec import list_images
from mdeas.images.photo import open_photo
from mdeas.pairing.match import Mode, match_photos
from mdeas.pairing.sanity import PairWarning
from mdeas.pairing.sanity import tell as tell_warnings
from mdeas.predict.outputs import OutputChoice, output_paths, write_outputs
from mdeas.predict.predicted import PredictedPhoto
from mdeas.runtime.choice import DEFAULT_MODEL, ModelChoice
from mdeas.runtime.clock import stage
from mdeas.runtime.onnx_predictor import tell_model
from mdeas.runtime.predictor import Predictor
from mdeas.subject.depths import EmptyDepth, split_depth
from mdeas.subject.objects import find_objects, write_report
from mdeas.system.failures import ERRORS, refuse_other_list, tell_failures
from mdeas.system.files import quoted, refuse_outputs
from mdeas.system.lock import locked
from mdeas.system.names import output_names

_USUAL_FILES = OutputChoice()


def predict_files(
    images: Sequence[str | Path],
    background: str | Path,
    out: str | Path,
    *,
    model: ModelChoice = DEFAULT_MODEL,
    pair: Mode = "auto",
    calibration: str | Path | None = None,
    report: str | Path | None = None,
    outputs: OutputChoice = _USUAL_FILES,
    force: bool = False,
    tell: Callable[[str], None] = lambda path: None,
) -> list[dict[str, object]]:
    """Predict photos of one view and write the files of outputs.OUTPUT_FILES for each into `out`.

    Input:
        images: files, or folders, of which every picture is taken except the background itself.
        background: the same view with nothing in it.
        model: which to predict with.
        pair: what to do where the photos do not fit: auto, strict or off; see pairing.match.match.
        calibration: file of `mdeas calibrate`; depth in metres is written as well.
        report: JSON file to be written: the objects in every photo that could be used, see subject.objects.
        outputs: which files to write besides the usual ones.
        force: replace results that exist. An input is never replaced.
        tell: called with each path that was written.
    Output: one dict per photo that could be used: image, background, model, warnings, pair, height, width, a
        path for each kind of file; objects, if there is a report.
    Errors: InputError E-NO-IMAGES; E-SOME-FAILED after the rest is done, when some photos cannot be used
        (listed in errors.jsonl; a single photo raises its own error); the errors of runtime.load and Ruler.
        StorageError E-EXISTS before any work.

    Example:
        >>> from importlib.resources import files
        >>> sample = files("mdeas") / "weights" / "sample"
        >>> (result,) = predict_files([sample / "image.png"], sample / "background.png", "out")
        >>> result["mask.png"], result["depth.png"]
        ('out/image-mask.png', 'out/image-depth.png')
    """
    out, background = Path(out), Path(background)
    files = _find(images, background)
    outputs.check_count(len(files))
    paths = {
        path: output_paths(out, name, outputs, metres=calibration is not None)
        for path, name in zip(files, output_names(files), strict=True)
    }
    targets = [path for by_kind in paths.values() for path in by_kind.values()]
    targets += [Path(report)] if report else []
    inputs = [*files, background, *([calibration] if calibration else [])]
    refuse_outputs(targets, inputs, force, "Give another folder with -o.")
    # The report must not be errors.jsonl, which is replaced without --force.
    refuse_outputs([*targets, out / ERRORS], [], True, "Give another name.")
    refuse_other_list(out)
    predictor = model.load()
    view = PreparedView(background, predictor, pair=pair, calibration=calibration, outputs=outputs)
    with locked(out):
        results, errors = _predict_each(view, paths, lists_objects=bool(report), force=force, tell=tell)
        if report:
            write_report(report, results, force=force)
            tell(str(Path(report)))
        tell_failures(out, errors, len(files))
    # Last: if a photo cannot be used, its error is the only line on stderr.
    tell_model(predictor)
    return results


def _find(images: Sequence[str | Path], background: Path) -> list[Path]:
    """The files to predict, in the order given, each once."""
    there = os.path.exists(background)
    found: list[Path] = []
    for path in map(Path, images):
        if os.path.isdir(path):  # unlike Path.is_dir, False where it may not be looked at
            pictures = list_images(path)
            found += [p for p in pictures if not (there and os.path.exists(p) and p.samefile(background))]
        else:
            found.append(path)
    if not found:
        raise InputError(
            "E-NO-IMAGES",
            f"{quoted(background)}, the background, is the only picture there. Add photos to predict.",
        )
    return list(dict.fromkeys(found))


def _predict_each(
    view: "PreparedView",
    paths: Mapping[Path, dict[str, Path]],
    *,
    lists_objects: bool,
    force: bool,
    tell: Callable[[str], None],
) -> tuple[list[dict[str, object]], list[tuple[Path, InputError]]]:
    """The results of the photos that could be used, and the errors of the others."""
    results: list[dict[str, object]] = []
    errors: list[tuple[Path, InputError]] = []
    for path, by_kind in paths.items():
        try:
            predicted = view.predict(path)
            with stage("encode"):
                write_outputs(predicted, by_kind, force=force)
        except InputError as error:
            errors.append((path, error))
            continue
        results.append(_result(predicted, by_kind, lists_objects))
        for place in by_kind.values():
            tell(str(place))
    return results, errors


def _result(predicted: PredictedPhoto, paths: Mapping[str, Path], lists_objects: bool) -> dict[str, object]:
    """See predict_files. Finding objects takes a few milliseconds."""
    photo = predicted.photo
    result = predicted.facts | {"image": str(photo.path), "height": photo.height, "width": photo.width}
    if lists_objects:
        depth_m = predicted.metric.depth_m if predicted.metric else None
        result["objects"] = find_objects(predicted.prediction, depth_m, size=photo.size)
    return result | {kind: str(place) for kind, place in paths.items()}


def predict_pair(predictor: Predictor, background: Path, image: Path, out: Path) -> None:
    """Predict one pair as `predict_files` does, and replace what is in the folder `out`; for measuring."""
    with stage("decode"):
        view = PreparedView(background, predictor)
    predicted = view.predict(image)
    with stage("encode"):
        write_outputs(predicted, output_paths(out, image.stem, _USUAL_FILES, metres=False), force=True)


class PreparedView:
    """The empty scene of one view, read and ready for many photos of it.

    Input: as predict_files.
    Errors: InputError of images.codec.read_rgb; those of Ruler.
    """

    def __init__(
        self,
        background: Path,
        predictor: Predictor,
        *,
        pair: Mode = "auto",
        calibration: str | Path | None = None,
        outputs: OutputChoice = _USUAL_FILES,
    ):
        self.predictor, self.pair, self.outputs = predictor, pair, outputs
        self.empty = open_photo(background)
        self.empty_depth = EmptyDepth(predictor)
        self.ruler = Ruler(calibration, self.empty, self.empty_depth) if calibration else None

    def predict(self, path: Path) -> PredictedPhoto:
        """Predict one photo, and print its warnings on stderr.

        Errors: InputError of images.codec.read_rgb, E-PAIR-...
        """
        with stage("decode"):
            photo = open_photo(path)
        with stage("check"):
            matched = match_photos(self.empty, photo, self.pair)
        prediction = self.predictor.predict(matched.background, photo.view)
        metric = self.ruler.measure(prediction, matched.motion) if self.ruler else None
        split = None
        if self.outputs.layers or (self.outputs.cloud and metric is None):
            split = split_depth(self.empty_depth.of(matched.background), prediction)
        pinhole = None
        if self.outputs.cloud:
            fov_deg = self.outputs.fov_deg or (metric.fov_deg if metric else None)
            pinhole = pinhole_of(photo.height, photo.width, fov_deg=fov_deg, focal_35mm=photo.focal_35mm)
        warnings = [*matched.warnings, *(metric.warnings if metric else []), *_fov_doubt(pinhole)]
        facts: dict[str, object] = {
            "image": path.name,
            "background": self.empty.path.name,
            "model": self.predictor.name,
            "warnings": tell_warnings(path, warnings),
            "pair": matched.facts,
        }
        return PredictedPhoto(
            photo=photo,
            background=matched.background,
            prediction=prediction,
            facts=facts,
            metric=metric,
            split=split,
            pinhole=pinhole,
        )


def _fov_doubt(pinhole: Pinhole | None) -> list[PairWarning]:
    """W-CLOUD-FOV where the angle of view is assumed."""
    if pinhole is None or pinhole.source != "assumed":
        return []
    text = f"the angle of view is not known; {pinhole.fov_deg:.0f}° across the width are taken. Pass --fov"
    return [PairWarning("W-CLOUD-FOV", text)]
