"""Run a model on a pair of photos. ONNX models and the no-network baselines share one protocol."""

import importlib.resources
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mdeas.errors import MemoryLimitError, ModelError, NonFiniteError, UsageError
from mdeas.runtime import baselines, onnx_guard
from mdeas.runtime.clock import stage
from mdeas.runtime.predictor import Prediction, Predictor, check_sizes
from mdeas.runtime.refine import restored
from mdeas.runtime.second_look import Part, around, merged_depth, merged_mask
from mdeas.runtime.session import open_session
from mdeas.runtime.spec import Spec, prepare
from mdeas.system.files import sha256_bytes

__all__ = ["OnnxPredictor", "Prediction", "Predictor", "load"]

SPEC_KEY = "mdeas.spec"
INPUTS = ("background", "image")
OUTPUTS = ("mask", "depth")
PACKAGED = ("default", "default-int8")
"""Models that may lie inside the package: weights/NAME.onnx beside weights/NAME.sha256."""


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
        device, threads: see session.open_session; `self.device` is the one in use.
        size: long side in pixels to work at; None = what the file says.
    Errors: ModelError for a file that is not one of ours, UsageError (E-DEVICE) for a missing device.
    """

    def __init__(
        self,
        data: bytes,
        name: str,
        *,
        device: str = "auto",
        threads: int | None = None,
        size: int | None = None,
    ):
        onnx_guard.check(data, name)
        self.sha256 = sha256_bytes(data)
        self._session, self.device = open_session(data, name, device, threads)
        try:
            self.metadata: dict[str, str] = dict(self._session.get_modelmeta().custom_metadata_map)
            self.spec = _spec(self.metadata, name)
            _check_ports(self._session, name)
        except UnicodeDecodeError as error:  # ONNX Runtime passes names on as they are
            raise ModelError(
                "E-MODEL-FORMAT", f"model {name!r} is damaged. Copy or export it again."
            ) from error
        if size is not None:
            self.spec = replace(self.spec, size=int(size))
        self.name = self.spec.name or name
        self.tasks = self.spec.tasks

    def predict(self, background: np.ndarray, image: np.ndarray) -> Prediction:
        """See Predictor. Errors: InputError (E-PAIR-SIZE), NonFiniteError when the model yields NaN."""
        check_sizes(background, image)
        with stage("prepare"):
            photos = prepare(background, image, self.spec)
        with stage("network"):
            working = self.run(*photos)
        with stage("restore"):
            found = restored(working.mask[0, 0], working.depth[0, 0], background, image)
        part = around(found.mask) if self.spec.looks == 2 else None
        if part is None:
            return found
        with stage("closer"):
            return self._looked_again(found, part, background, image)

    def _looked_again(
        self, found: Prediction, part: Part, background: np.ndarray, image: np.ndarray
    ) -> Prediction:
        """`found` and what is seen of `part` alone, in a mirror, see closer.py."""
        photos = prepare(background[part], image[part], self.spec)
        mirrored = self.run(*(np.ascontiguousarray(photo[..., ::-1]) for photo in photos))
        mask, depth = (np.ascontiguousarray(one[0, 0, :, ::-1]) for one in (mirrored.mask, mirrored.depth))
        second = restored(mask, depth, background[part], image[part])
        return Prediction(
            merged_mask(found.mask, part, second.mask), merged_depth(found.depth, part, second.depth)
        )

    def run(self, background: np.ndarray, image: np.ndarray) -> Working:
        """The network alone. Input: two float32 (B, 3, h, w) RGB in [0, 1] (see spec.prepare).

        Errors: NonFiniteError (E-MODEL-NAN); MemoryLimitError (E-MEMORY) when this size needs too much.
        """
        mask, depth = self._outputs(background, image)
        if not (np.isfinite(mask).all() and np.isfinite(depth).all()):
            raise NonFiniteError(
                "E-MODEL-NAN", f"model {self.name!r} yields NaN or infinity. Use another model."
            )
        return Working(mask.clip(0, 1), depth)

    def _outputs(self, background: np.ndarray, image: np.ndarray) -> list[np.ndarray]:
        try:
            return self._session.run(OUTPUTS, dict(zip(INPUTS, (background, image), strict=True)))
        except Exception as error:  # of ONNX Runtime, which names no class for it
            if "allocate memory" not in str(error):
                raise
            height, width = image.shape[2:]
            raise MemoryLimitError(
                "E-MEMORY",
                f"model {self.name!r}: not enough memory at {width}×{height}. Use a smaller --size.",
            ) from error


def load(
    model: str | Path | None = None,
    *,
    device: str = "auto",
    threads: int | None = None,
    size: int | None = None,
) -> Predictor:
    """Return the Predictor called `model`.

    Input:
        model: an ONNX file, the name of a baseline (see baselines.BASELINES), one of PACKAGED, which is
            compared with its sha256 first, or None for "default".
        device, threads, size: see OnnxPredictor.
    Errors: ModelError: E-MODEL-MISSING, E-MODEL-HASH and those of OnnxPredictor. UsageError: E-DEVICE, and
        E-SIZE for a baseline, which works at the size that the photos have.
    """
    name = "default" if model is None else str(model)
    if name in baselines.BASELINES:
        if size is not None:
            raise UsageError("E-SIZE", f"{name!r} works at the photos' size. Leave --size out.")
        return baselines.BASELINES[name]
    return OnnxPredictor(model_bytes(name), name, device=device, threads=threads, size=size)


def tell_model(predictor: Predictor) -> None:
    """Say on stderr which model worked, where and at what size."""
    where = "without a network"
    if isinstance(predictor, OnnxPredictor):
        where = f"on {predictor.device}, works at {predictor.spec.size} pixels"
    print(f"mdeas: model {predictor.name}, {where}", file=sys.stderr)


def model_bytes(model: str | Path) -> bytes:
    """The ONNX file called `model`, or one of PACKAGED; ModelError E-MODEL-MISSING, E-MODEL-HASH."""
    return default_bytes(str(model)) if model in PACKAGED else _read(Path(model))


def default_bytes(name: str = "default") -> bytes:
    """A model inside the package, one of PACKAGED; ModelError E-MODEL-MISSING, E-MODEL-HASH."""
    folder = importlib.resources.files("mdeas") / "weights"
    file, record = folder / f"{name}.onnx", folder / f"{name}.sha256"
    if not (file.is_file() and record.is_file()):
        raise ModelError(
            "E-MODEL-MISSING",
            f"the package holds no model {name!r}. Install mdeas again, or name an ONNX file.",
        )
    data = file.read_bytes()
    if sha256_bytes(data) != record.read_text().split()[0]:
        raise ModelError(
            "E-MODEL-HASH", f"the model {name!r} is damaged: its sha256 differs. Install mdeas again."
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
