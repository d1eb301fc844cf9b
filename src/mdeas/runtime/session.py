"""ONNX Runtime sessions: on which device, with how many threads."""

from typing import Any

from mdeas.errors import ModelError, UsageError
from mdeas.system.optional import import_onnxruntime

# Short names of ONNX Runtime's execution providers; each needs a build that has it (onnxruntime-gpu,
# -openvino, -directml, ...).
PROVIDERS = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "directml": "DmlExecutionProvider",
    "migraphx": "MIGraphXExecutionProvider",
}
_AUTO = ("cuda", "cpu")


def open_session(data: bytes, name: str, device: str, threads: int | None) -> tuple[Any, str]:
    """Start ONNX Runtime with a model that onnxfile.check has passed.

    Input: device: a name of PROVIDERS, or "auto": CUDA where it is there and starts, else the CPU.
        threads: of the CPU; None leaves the choice to ONNX Runtime.
    Output: the session, and the device that it runs on.
    Errors: UsageError (E-DEVICE) for a device that is not there or does not start; ModelError
        (E-MODEL-FORMAT).
    """
    *first, last = _candidates(device)
    for candidate in first:
        session = _session(data, name, candidate, threads)
        if PROVIDERS[candidate] in session.get_providers():
            return session, candidate
    session = _session(data, name, last, threads)
    if PROVIDERS[last] not in session.get_providers():
        raise UsageError(
            "E-DEVICE", f"device {last!r} could not be started: are its libraries there? Use --device cpu."
        )
    return session, last


def _candidates(device: str) -> list[str]:
    """What to try for `device`, never empty; UsageError (E-DEVICE) when this ONNX Runtime has not got it."""
    available = import_onnxruntime().get_available_providers()
    wanted = _AUTO if device == "auto" else (device,)
    found = [name for name in wanted if PROVIDERS.get(name) in available]
    if not found:
        there = ", ".join(name for name, provider in PROVIDERS.items() if provider in available)
        raise UsageError(
            "E-DEVICE",
            f"device {device!r}: this ONNX Runtime has {there}. Use one of these, or another build.",
        )
    return found


def _session(data: bytes, name: str, device: str, threads: int | None) -> Any:
    onnxruntime = import_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.add_session_config_entry("session.load_model_format", "ONNX")
    # Threads that sleep between two operators of a small network cost a third of its time; once it has run
    # they must not wait busily any longer, on the cores that the rest of a prediction needs.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    if threads:
        options.intra_op_num_threads = threads
    try:
        return onnxruntime.InferenceSession(data, options, providers=[PROVIDERS[device]])
    except Exception as error:  # ONNX Runtime raises a dozen unrelated classes for a bad file
        reason = str(error).splitlines()[0][:200]
        raise ModelError(
            "E-MODEL-FORMAT", f"model {name!r}: ONNX Runtime refuses it ({reason}). Export it again."
        ) from error
