"""Run a depth network of Hugging Face: a batch of pictures in, their depth out."""

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

_BATCH_SIZE = {"cpu": 1, "cuda": 32}
"""Pictures per batch. On a CPU more are not faster, and with one the run can stop after each picture."""


class DepthNetwork:
    """A depth network in memory: on the GPU in bfloat16 if there is one, else on the CPU in float32."""

    def __init__(self, model: DepthModel):
        """Load the network. ModelError E-DEPTH-MODEL when its files are damaged or incomplete."""
        self.name, self.device = model.name, device()
        self.batch_size = _BATCH_SIZE[self.device]
        self.processor, network = _load(model)
        self.network = network.to(self.device).eval()

    def predict(self, pictures: np.ndarray) -> np.ndarray:
        """Predict depth of the model's kind, >= 0.

        The position in a batch does not change a picture's depth; the batch size may change its last bits.
        Input: uint8 RGB (B, H, W, 3). Output: float32 (B, H, W). Errors: NonFiniteError E-DEPTH.
        """
        half_precision = torch.autocast(self.device, torch.bfloat16, enabled=self.device == "cuda")
        with torch.inference_mode(), half_precision:
            inputs = self.processor(images=list(pictures.copy()), return_tensors="pt").to(self.device)
            outputs = self.network(**inputs)
        outputs.predicted_depth = outputs.predicted_depth.float()
        depth = torch.stack(self._resized(outputs, [pictures.shape[1:3]] * len(pictures))).cpu().numpy()
        if not np.isfinite(depth).all():
            what = f"{self.name!r} predicted numbers that are not finite"
            raise NonFiniteError("E-DEPTH", f"{what}. Use another depth_model.")
        return depth.clip(min=0)

    def _resized(self, outputs: Any, sizes: list[tuple[int, ...]]) -> list[torch.Tensor]:
        """Resize predictions to the (H, W) of their pictures with the processor: float32 (H, W) each.

        Processors that pad their input need `source_sizes` to remove the border.
        """
        restore = self.processor.post_process_depth_estimation
        padded = {"source_sizes": sizes} if "source_sizes" in inspect.signature(restore).parameters else {}
        return [made["predicted_depth"] for made in restore(outputs, target_sizes=sizes, **padded)]


def device() -> str:
    """Return where networks run: "cuda" in bfloat16, or "cpu" in float32."""
    return "cuda" if torch.cuda.is_available() else "cpu"


@lru_cache(maxsize=1)
def load_network(model: DepthModel) -> DepthNetwork:
    """Return the network in memory; a process loads it once."""
    return DepthNetwork(model)


def _load(model: DepthModel) -> tuple[Any, Any]:
    """Load (image processor, network). A missing weight is an error: transformers fills it with noise."""
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
    except Exception as error:  # safetensors, transformers and torch share no error class
        raise _rejected(model, f"{type(error).__name__}: {' '.join(str(error).split())[:300]}") from error
    if bad := sorted(map(str, [*report["missing_keys"], *report["mismatched_keys"]])):
        raise _rejected(model, f"{len(bad)} weights are missing, the first is {bad[0]!r}")
    return processor, network


def _rejected(model: DepthModel, why: str) -> ModelError:
    return ModelError("E-DEPTH-MODEL", f"{model.name!r} does not load ({why}). Download it again.")
