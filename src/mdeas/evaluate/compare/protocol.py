"""How a comparison was measured: the lines below its table."""

from typing import Any

from mdeas.evaluate.compare.candidate import Candidate, Setting
from mdeas.evaluate.compare.measure import ALIGNMENT, ROUNDS
from mdeas.system.machine import cpu_name
from mdeas.system.optional import import_onnxruntime


def protocol(
    candidates: list[Candidate], summary: dict[str, Any], setting: Setting, timed_at: int, busy: float
) -> list[str]:
    """Lines below the table: what was measured, on what, how."""
    data, number, version = summary["data"], summary["num_pictures"], import_onnxruntime().__version__
    return [
        f"Data: {data['name']}, split {data['split']}, {number['all']} pictures ({number['filled']} with "
        f"something in them, {number['empty']} empty pairs, {number['unmasked']} without a true mask), "
        f"fingerprint {data['fingerprint'][:12]}. Mean over pictures, whole picture. "
        f"{_working_sizes(candidates, setting)}",
        "Mask: pairs with something in them; IoU and boundary F cut at .5, MAD × 1000. Empty-pair area: "
        "share of pixels at .5 or more on pairs with nothing in them.",
        f"Depth: metric truth, known pixels, alignment {ALIGNMENT}; boundary recall against the true mask. "
        + _ssim_line(summary),
        f"ms: the network alone in ONNX Runtime {version}, one pair at {timed_at}×{timed_at} "
        f"pixels, median of {ROUNDS} rounds over all networks in turn, threads: {setting.threads}, "
        f"{cpu_name()}, load before {busy:.1f}.",
        f"Training: from each run's card, wall time in training steps. {_devices(candidates)}"
        "Memory: resident in the process, on a GPU what torch held there.",
    ]


def _working_sizes(candidates: list[Candidate], setting: Setting) -> str:
    sizes = {one.name: one.predictor.spec.size for one in candidates}
    if setting.size or len(set(sizes.values())) == 1:
        return f"All networks work at {next(iter(sizes.values()))} pixels (long side)."
    listed = ", ".join(f"{name} {size}" for name, size in sizes.items())
    return f"Long side at which each network works, pixels: {listed}."


def _ssim_line(summary: dict[str, Any]) -> str:
    """The meaning of the SSIM columns: agreement when the depth truth comes from a network."""
    line = 'SSIM ×100: the published "accuracy"; a mask of nothing has about 100 − foreground area in %'
    means = summary["predictors"]["gradient"]
    agreement = "agreement_ssim" in means and "published_ssim" not in means
    return line + ("; the depth truth is a network's: agreement, not accuracy." if agreement else ".")


def _devices(candidates: list[Candidate]) -> str:
    names: dict[str, list[str]] = {}
    for one in candidates:
        if one.device:
            names.setdefault(one.device, []).append(one.name)
    return "".join(f"On {device}: {', '.join(found)}. " for device, found in names.items())
