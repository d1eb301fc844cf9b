"""From photos on disk to masks, depth maps, cut-outs and panels on disk."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mdeas.camera import metres
from mdeas.camera.metres import Ruler
from mdeas.errors import InputError
from mdeas.images.codec import list_images
from mdeas.images.photo import Photo, open_photo
from mdeas.pairing.match import Mode, match_photos
from mdeas.pairing.sanity import tell
from mdeas.predict.optional_outputs import Extras
from mdeas.predict.optional_outputs import doubts as cloud_doubts
from mdeas.predict.outputs import OUTPUTS, write_outputs
from mdeas.runtime.choice import DEFAULT_MODEL, ModelChoice
from mdeas.runtime.clock import stage
from mdeas.runtime.onnx_predictor import tell_model
from mdeas.runtime.predictor import Predictor
from mdeas.subject.objects import find_objects, write_report
from mdeas.system.failures import ERRORS, refuse_other_list, tell_failures
from mdeas.system.files import quoted, refuse_outputs
from mdeas.system.lock import locked
from mdeas.system.names import output_names


def predict_files(
    images: Sequence[str | Path],
    background: str | Path,
    out: str | Path,
    *,
    model: ModelChoice = DEFAULT_MODEL,
    pair: Mode = "auto",
    calibration: str | Path | None = None,
    report: str | Path | None = None,
    extras: Extras | None = None,
    force: bool = False,
    tell: Callable[[str], None] = lambda path: None,
) -> list[dict[str, Any]]:
    """Predict photos of one view and write NAME-mask.png and the rest of OUTPUTS for each into `out`.

    Input:
        images: files, or folders, of which every picture is taken except the background itself.
        background: the same view with nothing in it.
        model: which to predict with.
        pair: what to do where the photos do not fit: auto, strict or off; see pairing.matched.match.
        calibration: file of `mdeas calibrate`; metres.OUTPUTS, depth in metres, are written as well.
        report: JSON file to be written: the things in every picture that could be used, see objects.py.
        extras: what to write besides.
        force: replace results that are there. An input is never replaced.
        tell: called with each path that was written.
    Output: one dict per picture that could be used: image, warnings, a path for each output; objects, where
        there is a report.
        All outputs have the photo's own size: mask 8-bit; depth 16-bit with a JSON that says how to get the
        values back; cut-out RGBA in the subject's own colours; depth in colours; a labelled panel.
    Errors: InputError E-NO-IMAGES; E-SOME-FAILED after the rest is done, when some pictures cannot be used
        (listed in errors.jsonl; of a single picture its own error); those of runtime.load and metres.Ruler.
        StorageError E-EXISTS before any work.
    """
    out, empty_path, extras = Path(out), Path(background), extras or Extras()
    files = _find(images, empty_path)
    extras.check_count(len(files))
    kinds = OUTPUTS + (metres.OUTPUTS if calibration else ())
    names = zip(files, output_names(files), strict=True)
    outputs = {path: _paths(out, name, kinds) | extras.paths(out, name) for path, name in names}
    reports = [Path(report)] if report else []
    targets = [*(path for paths in outputs.values() for path in paths.values()), *reports]
    inputs = [*files, empty_path, *([Path(calibration)] if calibration else [])]
    _refuse(out, targets, inputs, force)
    predictor = model.load()
    view = View.of(empty_path, predictor, pair, calibration, extras, lists_objects=bool(reports))
    with locked(out):
        results, errors = _predict_each(view, outputs, force, tell)
        for place in reports:
            write_report(place, results, force=force)
            tell(str(place))
        tell_failures(out, errors, len(files))
    # At the end: what cannot be used is one line on stderr, and nothing beside it.
    tell_model(predictor)
    return results


def _refuse(out: Path, targets: Sequence[Path], inputs: Sequence[Path], force: bool) -> None:
    """Before any work: errors of files.refuse_outputs, and of the list of failures that `out` may get."""
    refuse_outputs(targets, inputs, force, "Give another folder with -o.")
    refuse_outputs([*targets, out / ERRORS], [], True, "Give another name.")
    refuse_other_list(out)


def _predict_each(
    view: "View", outputs: Mapping[Path, dict[str, Path]], force: bool, tell: Callable[[str], None]
) -> tuple[list[dict[str, Any]], list[tuple[Path, InputError]]]:
    """What there is to say of each photo that could be used, and the errors of the others."""
    results, errors = [], []
    for path, paths in outputs.items():
        try:
            results.append(view.predict(path, paths, force))
        except InputError as error:
            errors.append((path, error))
            continue
        for kind in paths:
            tell(results[-1][kind])
    return results, errors


def predict_pair(predictor: Predictor, background: Path, image: Path, out: Path) -> None:
    """Predict one pair as `predict_files` does, and replace what is in the folder `out`; for measuring."""
    with stage("decode"):
        view = View.of(background, predictor, "auto", None, Extras())
    view.predict(image, _paths(out, image.stem, OUTPUTS), force=True)


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


def _paths(out: Path, name: str, kinds: Iterable[str]) -> dict[str, Path]:
    return {kind: out / f"{name}-{kind}" for kind in kinds}


@dataclass(frozen=True, kw_only=True)
class View:
    """What all photos of one view have in common."""

    empty: Photo
    predictor: Predictor
    mode: Mode
    ruler: Ruler | None
    extras: Extras
    lists_objects: bool
    """To find them takes a few milliseconds."""

    @classmethod
    def of(
        cls,
        background: Path,
        predictor: Predictor,
        mode: Mode,
        calibration: str | Path | None,
        extras: Extras,
        *,
        lists_objects: bool = False,
    ) -> "View":
        """Errors: InputError of images.read_rgb; those of metres.Ruler."""
        empty = open_photo(background)
        ruler = Ruler(calibration, predictor, background, empty.view, empty.size) if calibration else None
        return cls(
            empty=empty,
            predictor=predictor,
            mode=mode,
            ruler=ruler,
            extras=extras,
            lists_objects=lists_objects,
        )

    def predict(self, path: Path, paths: dict[str, Path], force: bool) -> dict[str, Any]:
        """Predict one photo and write its `paths`; what there is to say of it."""
        with stage("decode"):
            photo = open_photo(path)
        with stage("check"):
            matched = match_photos(self.empty, photo, self.mode)
        prediction = self.predictor.predict(matched.background, photo.view)
        measured = self.ruler.measure(prediction, matched.motion) if self.ruler else None
        camera = self.extras.camera(photo, measured)
        doubts = [*matched.warnings, *(measured.warnings if measured else []), *cloud_doubts(camera)]
        warnings = tell(path, doubts)
        facts: dict[str, Any] = {"image": path.name, "background": self.empty.path.name}
        facts |= {"model": self.predictor.name, "warnings": warnings, "pair": matched.facts}
        with stage("encode"):
            write_outputs(prediction, photo, matched.background, facts, paths, force)
            if measured:
                metres.write_metres(paths, measured, facts, photo.size, force=force)
            layers = self.predictor, photo, matched.background, prediction
            self.extras.write(*layers, measured, camera, facts, paths, force)
        said: dict[str, Any] = {"image": str(path), "height": photo.height, "width": photo.width}
        if self.lists_objects:
            depth_m = measured.depth_m if measured else None
            said["objects"] = find_objects(prediction, depth_m, size=photo.size)
        return facts | said | {kind: str(place) for kind, place in paths.items()}
