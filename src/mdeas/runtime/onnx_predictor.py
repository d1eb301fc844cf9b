"""Open a model by its name, and run an ONNX model on pairs of photos."""

import importlib.resources
import os
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
from mdeas.runtime.second_look import Crop, crop_around, merged_depth, merged_mask
from mdeas.runtime.session import open_session
from mdeas.runtime.spec import Spec, prepare
from mdeas.system.files import sha256_bytes

SPEC_KEY = "mdeas.spec"
INPUTS = ("background", "image")
OUTPUTS = ("mask", "depth")
PACKAGED = ("default", "default-int8")
"""Models inside the package: weights/NAME.onnx beside weights/NAME.sha256."""


@dataclass(frozen=True)
class NetworkOutput:
    """The outputs of the network for a batch, at its working size."""

    mask: np.ndarray
    """float32 (B, 1, h, w) in [0, 1]."""
    depth: np.ndarray
    """float32 (B, 1, h, w) inverse depth, larger = nearer."""


class OnnxPredictor:
    """A model exported by `mdeas export`.

    Input:
        data: the file's bytes. They are checked before ONNX Runtime gets them.
        name: what messages call it.
        device, threads: see session.open_session. The attribute `device` is the one in use.
        size: long side in pixels at which the network works; None = what the file says.
    Errors: ModelError for a file that `mdeas export` did not make; UsageError E-DEVICE.
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
        """See Predictor. Errors: InputError E-PAIR-SIZE; those of `run`."""
        check_sizes(background, image)
        with stage("prepare"):
            photos = prepare(background, image, self.spec)
        with stage("network"):
            output = self.run(*photos)
        with stage("restore"):
            first = restored(output.mask[0, 0], output.depth[0, 0], background, image)
        crop = crop_around(first.mask) if self.spec.looks == 2 else None
        if crop is None:
            return first
        with stage("second_look"):
            return self._add_second_look(first, crop, background, image)

    def _add_second_look(
        self, first: Prediction, crop: Crop, background: np.ndarray, image: np.ndarray
    ) -> Prediction:
        """Merge `first` with a pass over the mirrored crop, see second_look.py."""
        photos = prepare(background[crop], image[crop], self.spec)
        mirrored = self.run(*(np.ascontiguousarray(photo[..., ::-1]) for photo in photos))
        mask, depth = (np.ascontiguousarray(one[0, 0, :, ::-1]) for one in (mirrored.mask, mirrored.depth))
        second = restored(mask, depth, background[crop], image[crop])
        return Prediction(
            merged_mask(first.mask, crop, second.mask), merged_depth(first.depth, crop, second.depth)
        )

    def run(self, background: np.ndarray, image: np.ndarray) -> NetworkOutput:
        """Run the network alone.

        Input: two float32 (B, 3, h, w) RGB in [0, 1], see spec.prepare.
        Errors: NonFiniteError E-MODEL-NAN; MemoryLimitError E-MEMORY when this size needs too much memory.
        """
        mask, depth = self._outputs(background, image)
        if not (np.isfinite(mask).all() and np.isfinite(depth).all()):
            raise NonFiniteError(
                "E-MODEL-NAN", f"model {self.name!r} yields NaN or infinity. Use another model."
            )
        return NetworkOutput(mask.clip(0, 1), depth)

    def _outputs(self, background: np.ndarray, image: np.ndarray) -> list[np.ndarray]:
        try:
            return self._session.run(OUTPUTS, dict(zip(INPUTS, (background, image), strict=True)))
        except Exception as error:  # ONNX Runtime has no class of its own for it
            if "allocate memory" not in str(error):
                raise
            height, width = image.shape[2:]
            raise MemoryLimitError(
                "E-MEMORY",
                f"model {self.name!r}: not enough memory at {width}×{height}. Use a smaller --size.",
            ) from error


def load(
    model: str | os.PathLike[str] | None = None,
    *,
    device: str = "auto",
    threads: int | None = None,
    size: int | None = None,
) -> Predictor:
    """Open a model.

    Input:
        model: an ONNX file, the name of a baseline (baselines.BASELINES), one of PACKAGED, or None for
            "default".
        device, threads, size: see OnnxPredictor; a baseline ignores device and threads.
    Errors: ModelError E-MODEL-MISSING, E-MODEL-HASH (a model of PACKAGED that differs from its sha256) and
        the errors of OnnxPredictor; UsageError E-DEVICE, and E-SIZE for a size given with a baseline.
    """
    name = "default" if model is None else os.fspath(model)
    if name in baselines.BASELINES:
        if size is not None:
            raise UsageError("E-SIZE", f"{name!r} works at the photos' size. Leave --size out.")
        return baselines.BASELINES[name]
    return OnnxPredictor(model_bytes(name), name, device=device, threads=threads, size=size)


def tell_model(predictor: Predictor) -> None:
    """Print on stderr which model is used, on which device and at what size."""
    where = "without a network"
    if isinstance(predictor, OnnxPredictor):
        where = f"on {predictor.device}, works at {predictor.spec.size} pixels"
    print(f"mdeas: model {predictor.name}, {where}", file=sys.stderr)


def model_bytes(model: str | os.PathLike[str]) -> bytes:
    """Read an ONNX file, or a model of PACKAGED; ModelError E-MODEL-MISSING, E-MODEL-HASH."""
    if model in PACKAGED:
        return packaged_bytes(os.fspath(model))
    try:
        return Path(model).read_bytes()
    except OSError as error:
        names = ", ".join((*PACKAGED, *baselines.BASELINES))
        raise ModelError(
            "E-MODEL-MISSING",
            f"model {str(model)!r}: {error.strerror}. Give an ONNX file or one of: {names}.",
        ) from error


def packaged_bytes(name: str) -> bytes:
    """Read a model of PACKAGED and compare it with its sha256; ModelError E-MODEL-MISSING, E-MODEL-HASH."""
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
