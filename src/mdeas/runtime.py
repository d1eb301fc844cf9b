"""Run a model on a pair of photos. ONNX models and the no-network baselines share one protocol."""

import importlib.resources
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mdeas import baselines, onnxfile
from mdeas.errors import ModelError, NonFiniteError, UsageError
from mdeas.files import sha256_bytes
from mdeas.pair import check_sizes
from mdeas.predictor import Prediction, Predictor
from mdeas.spec import Spec, prepare, restore

__all__ = ["OnnxPredictor", "Prediction", "Predictor", "load"]

SPEC_KEY = "mdeas.spec"
INPUTS = ("background", "image")
OUTPUTS = ("mask", "depth")
PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}


@dataclass(frozen=True)
class Working:
    """Both outputs of a batch at the model's working size."""

    mask: np.ndarray
    """float32 (B, 1, h, w) in [0, 1]."""
    depth: np.ndarray
    """float32 (B, 1, h, w) inverse depth, larger = nearer."""


class OnnxPredictor:
    """A model exported by `mdeas export`.

    Input:
        data: the file's bytes. They are checked before ONNX Runtime sees them.
        name: how to call it in messages.
        device: "cpu", "cuda" or "auto" (CUDA when ONNX Runtime has it); the named one must exist.
        threads: CPU threads; None leaves the choice to ONNX Runtime.
    Errors: ModelError for a file that is not one of ours, UsageError (E-DEVICE) for a missing device.
    """

    def __init__(self, data: bytes, name: str, *, device: str = "cpu", threads: int | None = None):
        onnxfile.check(data, name)
        self.sha256 = sha256_bytes(data)
        self._session = _session(data, name, _provider(device), threads)
        try:
            self.metadata: dict[str, str] = dict(self._session.get_modelmeta().custom_metadata_map)
            self.spec = _spec(self.metadata, name)
            _check_ports(self._session, name)
        except UnicodeDecodeError as error:  # ONNX Runtime passes names on as they are
            raise ModelError(
                "E-MODEL-FORMAT", f"model {name!r} is damaged. Copy or export it again."
            ) from error
        self.name = self.spec.name or name
        self.tasks = self.spec.tasks

    def predict(self, background: np.ndarray, image: np.ndarray) -> Prediction:
        """See Predictor. Errors: InputError (E-PAIR-SIZE), NonFiniteError when the model yields NaN."""
        check_sizes(background, image)
        working = self.run(*prepare(background, image, self.spec))
        height, width = image.shape[:2]
        mask, depth = (restore(output[0, 0], height, width) for output in (working.mask, working.depth))
        return Prediction(mask, depth)

    def run(self, background: np.ndarray, image: np.ndarray) -> Working:
        """The network alone. Input: two float32 (B, 3, h, w) RGB in [0, 1] (see spec.prepare)."""
        mask, depth = self._session.run(OUTPUTS, dict(zip(INPUTS, (background, image), strict=True)))
        if not (np.isfinite(mask).all() and np.isfinite(depth).all()):
            raise NonFiniteError(
                "E-MODEL-NAN", f"model {self.name!r} yields NaN or infinity. Use another model."
            )
        return Working(mask.clip(0, 1), depth)


def load(model: str | Path | None = None, *, device: str = "cpu", threads: int | None = None) -> Predictor:
    """Return the Predictor called `model`.

    Input:
        model: an ONNX file, the name of a baseline (see baselines.BASELINES), or None or "default" for the
            model inside the package, which is compared with its sha256 first.
        device, threads: see OnnxPredictor.
    Errors: ModelError: E-MODEL-MISSING, E-MODEL-HASH and those of OnnxPredictor. UsageError (E-DEVICE).
    """
    if model is None or model == "default":
        return OnnxPredictor(default_bytes(), "default", device=device, threads=threads)
    if model in baselines.BASELINES:
        return baselines.BASELINES[str(model)]
    return OnnxPredictor(_read(Path(model)), str(model), device=device, threads=threads)


def default_bytes() -> bytes:
    """The model inside the package; ModelError E-MODEL-MISSING, E-MODEL-HASH."""
    folder = importlib.resources.files("mdeas") / "weights"
    file, record = folder / "default.onnx", folder / "default.sha256"
    if not (file.is_file() and record.is_file()):
        raise ModelError(
            "E-MODEL-MISSING",
            "the package holds no default model. Install mdeas again, or name an ONNX file.",
        )
    data = file.read_bytes()
    if sha256_bytes(data) != record.read_text().split()[0]:
        raise ModelError(
            "E-MODEL-HASH", "the default model is damaged: its sha256 differs. Install mdeas again."
        )
    return data


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        names = ", ".join(("default", *baselines.BASELINES))
        raise ModelError(
            "E-MODEL-MISSING", f"model {str(path)!r}: {error.strerror}. Give an ONNX file or one of: {names}."
        ) from error


def _provider(device: str) -> str:
    import onnxruntime

    available = onnxruntime.get_available_providers()
    if device == "auto":
        device = "cuda" if PROVIDERS["cuda"] in available else "cpu"
    if PROVIDERS.get(device) not in available:
        raise UsageError(
            "E-DEVICE", f"device {device!r}: this ONNX Runtime has {', '.join(available)}. Use --device cpu."
        )
    return PROVIDERS[device]


def _session(data: bytes, name: str, provider: str, threads: int | None) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.add_session_config_entry("session.load_model_format", "ONNX")
    if threads:
        options.intra_op_num_threads = threads
    try:
        session = onnxruntime.InferenceSession(data, options, providers=[provider])
    except Exception as error:  # ONNX Runtime raises a dozen unrelated classes for a bad file
        reason = str(error).splitlines()[0][:200]
        raise ModelError(
            "E-MODEL-FORMAT", f"model {name!r}: ONNX Runtime refuses it ({reason}). Export it again."
        ) from error
    if provider not in session.get_providers():
        raise UsageError("E-DEVICE", f"{provider} could not be started. Use --device cpu.")
    return session


def _spec(metadata: dict[str, str], name: str) -> Spec:
    if SPEC_KEY not in metadata:
        raise ModelError(
            "E-SPEC", f"model {name!r} has no {SPEC_KEY} in its metadata. Give a file made by `mdeas export`."
        )
    return Spec.from_json(metadata[SPEC_KEY])


def _check_ports(session: Any, name: str) -> None:
    ports = ((session.get_inputs(), INPUTS, 3), (session.get_outputs(), OUTPUTS, 1))
    for found, expected, channels in ports:
        got = [(port.name, port.type, len(port.shape), port.shape[1:2]) for port in found]
        if got != [(port, "tensor(float)", 4, [channels]) for port in expected]:
            raise ModelError(
                "E-MODEL-PORTS", f"model {name!r} has ports {got}, expected {expected}. Export it again."
            )
