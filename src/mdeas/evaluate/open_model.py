"""Open any model to measure it: ONNX files, packaged models, baselines, and runs of `mdeas train`.

What is measured is what ships: a run's own export if that lies in its folder, else a new one. A new export
takes tens of seconds of CPU, because torch traces the network with symbolic sizes; the parity check is 1 %.
"""

import tempfile
from pathlib import Path

from mdeas.errors import MdeasError
from mdeas.runtime.baselines import BASELINES
from mdeas.runtime.choice import ModelChoice
from mdeas.runtime.onnx_predictor import PACKAGED, OnnxPredictor, model_bytes
from mdeas.runtime.predictor import Predictor


def open_model(choice: ModelChoice) -> Predictor:
    """`choice.load()`, where the model may also be a run folder or a .safetensors file.

    Errors: those of runtime.load and of export.export.

    Example:
        >>> open_model(ModelChoice(model="difference")).tasks
        ('mask',)
    """
    if choice.model is None or not is_run(choice.model):
        return choice.load()
    data = onnx_bytes(choice.model, size=choice.size)
    return OnnxPredictor(data, str(choice.model), device=choice.device, threads=choice.threads)


def is_run(model: str | Path) -> bool:
    """Whether `model` is a run folder or a .safetensors file, and no ONNX file or name of a model."""
    if str(model) in (*PACKAGED, *BASELINES):
        return False
    return Path(model).is_dir() or Path(model).suffix == ".safetensors"


def onnx_bytes(model: str | Path, *, size: int | None = None, keep: Path | None = None) -> bytes:
    """The ONNX file of a model; a run without an export in its folder is exported.

    Input:
        size: long side in pixels at which an exported run works; None = the size it was trained at.
        keep: where the export of a run stays; one of the same weights and size is not repeated.
    Errors: those of runtime.model_bytes and of export.export.
    """
    if not is_run(model):
        return model_bytes(str(model))
    from mdeas.export.export import export  # imports torch

    if keep is None:
        run_folder = Path(model) if Path(model).is_dir() else Path(model).parent
        for present in sorted(run_folder.glob("*.onnx")):
            if _is_export_of(Path(model), present, size):
                return present.read_bytes()
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "model.onnx"
            export(Path(model), file, size=size)
            return file.read_bytes()
    if not _is_export_of(Path(model), keep, size):
        export(Path(model), keep, size=size, force=True)
    return keep.read_bytes()


def _is_export_of(run: Path, file: Path, size: int | None) -> bool:
    """Whether `file` is `run`, exported for `size` by default options; a damaged or quantised file is not."""
    from mdeas.train.checkpoint import read_card  # imports torch

    card = read_card(run)
    try:
        found = OnnxPredictor(file.read_bytes(), file.name, device="cpu")
    except (OSError, MdeasError):
        return False
    same = found.metadata.get("mdeas.weights_sha256") == card["sha256"]
    spec, wanted = found.spec, size or card["recipe"]["data"]["size"]
    return same and (spec.name, spec.size, spec.looks) == (card["model"], wanted, 1)
