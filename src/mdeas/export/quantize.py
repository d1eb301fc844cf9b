"""Quantise an ONNX model to 8 bits: well under half of the bytes.

Static quantisation of the convolutions (QDQ, weights per channel); the ranges are measured on real pairs. The
matching of the photos and the scores of their differences are no convolutions and stay in float. So do
convolutions of few channels, depthwise ones included: they are little work, and sums of few products round
badly.

A small network can become slower, because it spends its time between convolutions: `mdeas benchmark --model`
measures it.
"""

import contextlib
import logging
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from mdeas.dataset.dataset import Dataset
from mdeas.runtime.onnx_predictor import INPUTS, SPEC_KEY, OnnxPredictor, model_bytes
from mdeas.runtime.spec import Spec, prepare
from mdeas.sample import spread
from mdeas.system.files import FileRecord, refuse_existing, write_bytes
from mdeas.system.optional import extra_error, import_onnxruntime

SUFFIX = "-int8"
_MAX_FLOAT_CHANNELS = 32  # a convolution that reads at most so many channels stays in float


def quantize(
    model: str | Path, data: str | Path, out: Path, *, split: str, limit: int, force: bool = False
) -> FileRecord:
    """Write the 8-bit version of `model`.

    Input:
        model: ONNX file, or a model of the package.
        data, split: data set on whose pairs the ranges are measured; evaluate on another one.
        limit: greatest number of its samples to use, evenly spread.
    Output: the record of the file. The spec in the file is that of `model`; its name ends with SUFFIX.
    Errors: those of runtime.model_bytes, OnnxPredictor and Dataset; UsageError E-EXTRA without `onnx`;
        StorageError E-EXISTS.
    """
    onnx, quantization = _packages()
    refuse_existing(out, force)
    given = model_bytes(model)
    predictor = OnnxPredictor(given, str(model), device="cpu")
    samples = Dataset(Path(data), split)
    proto = onnx.load_from_string(given)
    with tempfile.TemporaryDirectory() as folder, _quiet():
        file = Path(folder) / "int8.onnx"
        quantization.quantize_static(
            proto,
            file,
            _reader(quantization, _pairs(samples, limit, predictor.spec)),
            quant_format=quantization.QuantFormat.QDQ,
            op_types_to_quantize=["Conv"],
            nodes_to_exclude=[*_heads(proto), *_reading(proto, _MAX_FLOAT_CHANNELS)],
            per_channel=True,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
        )
        proto = onnx.load(file)
    spec = replace(predictor.spec, name=predictor.spec.name + SUFFIX)
    onnx.helper.set_model_props(proto, predictor.metadata | {SPEC_KEY: spec.to_json()})
    bytes_ = proto.SerializeToString(deterministic=True)
    OnnxPredictor(bytes_, str(model), device="cpu")  # raises here, not at the first use of the file
    return write_bytes(out, bytes_, force=force)


def _packages() -> tuple[Any, Any]:
    """The modules onnx and onnxruntime.quantization, which needs onnx."""
    try:
        import onnx
    except ModuleNotFoundError as error:
        raise extra_error("onnx", "quantising") from error
    return onnx, import_onnxruntime("onnxruntime.quantization")


def _pairs(samples: Dataset, limit: int, spec: Spec) -> Iterator[dict[str, np.ndarray]]:
    """The network's inputs for evenly spread samples."""
    for number in spread(len(samples), limit):
        sample = samples[number]
        yield dict(zip(INPUTS, prepare(sample.background, sample.image, spec), strict=True))


def _reader(quantization: Any, pairs: Iterator[dict[str, np.ndarray]]) -> Any:
    """The pairs as ONNX Runtime's CalibrationDataReader: one by one, then None."""

    class Pairs(quantization.CalibrationDataReader):
        def get_next(self) -> dict[str, np.ndarray] | None:
            return next(pairs, None)

    return Pairs()


def _heads(proto: Any) -> list[str]:
    """Names of the last convolutions before the outputs, which compute mask and depth."""
    made_by = {name: node for node in proto.graph.node for name in node.output}
    single = _reading(proto, 1)
    found, waiting = [], [output.name for output in proto.graph.output]
    while waiting:
        node = made_by.get(waiting.pop())
        if node is None:
            continue
        if node.op_type == "Conv" and node.name not in single:
            found.append(node.name)
        else:
            waiting.extend(node.input)
    return found


def _reading(proto: Any, most: int) -> list[str]:
    """Names of the convolutions that read at most `most` channels."""
    few = {t.name for t in proto.graph.initializer if len(t.dims) > 1 and t.dims[1] <= most}
    return [node.name for node in proto.graph.node if node.op_type == "Conv" and node.input[1] in few]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Hide ONNX Runtime's advice to preprocess the model, which the export has done."""
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
