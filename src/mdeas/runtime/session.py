"""Start ONNX Runtime on a device with a number of threads."""

from typing import Any

from mdeas.errors import ModelError, UsageError
from mdeas.system.optional import import_onnxruntime

PROVIDERS = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "directml": "DmlExecutionProvider",
    "migraphx": "MIGraphXExecutionProvider",
}
"""Short names of ONNX Runtime's execution providers. A build of ONNX Runtime (onnxruntime, onnxruntime-gpu,
-openvino, -directml, …) has some of them."""
_AUTO = ("cuda", "cpu")


def open_session(data: bytes, name: str, device: str, threads: int | None) -> tuple[Any, str]:
    """Start ONNX Runtime with a model that onnx_guard.check has accepted.

    Input:
        device: a key of PROVIDERS, or "auto": CUDA where this build has it and it starts, else the CPU.
        threads: CPU threads; None leaves the choice to ONNX Runtime.
    Output: the session; the device that it runs on.
    Errors: UsageError E-DEVICE for a device that this build lacks or that does not start; ModelError
        E-MODEL-FORMAT.
    """
    for candidate in _candidates(device):
        session = _session(data, name, candidate, threads)
        if PROVIDERS[candidate] in session.get_providers():
            return session, candidate
    raise UsageError(
        "E-DEVICE", f"--device {candidate} could not be started. Install its libraries, or use --device cpu."
    )


def _candidates(device: str) -> list[str]:
    """The devices to try for `device`, at least one; UsageError E-DEVICE when this build has none of them."""
    available = import_onnxruntime().get_available_providers()
    wanted = _AUTO if device == "auto" else (device,)
    found = [name for name in wanted if PROVIDERS.get(name) in available]
    if not found:
        there = ", ".join(name for name, provider in PROVIDERS.items() if provider in available)
        raise UsageError(
            "E-DEVICE",
            f"--device {device}: this ONNX Runtime has only {there}. Use one of these or install another.",
        )
    return found


def _session(data: bytes, name: str, device: str, threads: int | None) -> Any:
    onnxruntime = import_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.add_session_config_entry("session.load_model_format", "ONNX")
    # During a run, threads wait busily: to sleep between the operators of a small network would cost a third
    # of its time. After the run they must stop, because the rest of a prediction needs the cores.
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
