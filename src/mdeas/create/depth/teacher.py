"""A depth network that runs: a batch of pictures in, their depth out."""

from __future__ import annotations

import importlib
import inspect
from functools import lru_cache
from typing import Any

import numpy as np
import torch

from mdeas.create.depth.model import DepthModel
from mdeas.errors import ModelError, NonFiniteError
from mdeas.system.optional import import_torchvision

_BATCH = {"cpu": 1, "cuda": 32}
"""Pictures at a time. A CPU is as fast with one, and can be stopped after each."""


class Network:
    """A depth network in memory, on the GPU in bfloat16 where there is one, else on the CPU in float32."""

    def __init__(self, model: DepthModel):
        """ModelError E-DEPTH-MODEL when its files do not make a whole network."""
        self.name, self.device = model.name, device()
        self.batch = _BATCH[self.device]
        self.processor, network = _load(model)
        self.network = network.to(self.device).eval()

    def predict(self, pictures: np.ndarray) -> np.ndarray:
        """Input: uint8 RGB (B, H, W, 3). Output: float32 (B, H, W) of the model's kind, >= 0.

        Equal pictures get equal depth at any place in a batch of equal length; in one of another length the
        last bits may differ. Errors: NonFiniteError E-DEPTH.
        """
        size = pictures.shape[1:3]
        half = torch.autocast(self.device, torch.bfloat16, enabled=self.device == "cuda")
        with torch.inference_mode(), half:
            inputs = self.processor(images=list(pictures.copy()), return_tensors="pt").to(self.device)
            outputs = self.network(**inputs)
        outputs.predicted_depth = outputs.predicted_depth.float()
        depth = torch.stack(self._restored(outputs, [size] * len(pictures))).cpu().numpy()
        if not np.isfinite(depth).all():
            raise NonFiniteError(
                "E-DEPTH", f"{self.name!r} predicted numbers that are not finite. Use another."
            )
        return depth.clip(min=0)

    def _restored(self, outputs: Any, sizes: list[tuple[int, int]]) -> list[Any]:
        """Each network's own way back to the size of the picture; some add a border that must go again."""
        restore = self.processor.post_process_depth_estimation
        padded = {"source_sizes": sizes} if "source_sizes" in inspect.signature(restore).parameters else {}
        return [made["predicted_depth"] for made in restore(outputs, target_sizes=sizes, **padded)]


def device() -> str:
    """Where networks run: cuda in bfloat16, or cpu in float32."""
    return "cuda" if torch.cuda.is_available() else "cpu"


@lru_cache(maxsize=1)
def network(model: DepthModel) -> Network:
    """The network in memory, loaded once a process."""
    return Network(model)


def _load(model: DepthModel) -> tuple[Any, Any]:
    """(image processor, network). Strict: a weight that is missing would be noise."""
    import_torchvision()
    transformers = importlib.import_module("transformers")
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    local: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    try:
        processor = transformers.AutoImageProcessor.from_pretrained(model.folder, **local)
        network, report = transformers.AutoModelForDepthEstimation.from_pretrained(
            model.folder, use_safetensors=True, output_loading_info=True, **local
        )
    except Exception as error:  # safetensors, transformers and torch have no error in common
        raise _rejected(model, f"{type(error).__name__}: {' '.join(str(error).split())[:300]}") from error
    if bad := sorted(map(str, [*report["missing_keys"], *report["mismatched_keys"]])):
        raise _rejected(model, f"{len(bad)} weights are missing, the first is {bad[0]!r}")
    return processor, network


def _rejected(model: DepthModel, why: str) -> ModelError:
    return ModelError("E-DEPTH-MODEL", f"{model.name!r} does not load ({why}). Download it again.")
