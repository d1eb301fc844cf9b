"""Which model to run, on which device, with how many threads and at which size."""

from dataclasses import dataclass
from pathlib import Path

from mdeas.runtime.onnx_predictor import load
from mdeas.runtime.predictor import Predictor


@dataclass(frozen=True, kw_only=True)
class ModelChoice:
    """A model and how to run it. Nothing is opened before `load`.

    Example:
        >>> predictor = ModelChoice(threads=1).load()
        >>> predictor.tasks
        ('mask', 'depth')
    """

    model: str | Path | None = None
    """An ONNX file, a model of the package, the name of a baseline, or None for "default"."""
    device: str = "auto"
    """A name of runtime.session.PROVIDERS; "auto" takes CUDA when there is one, else the CPU."""
    threads: int | None = None
    """CPU threads; None leaves the choice to ONNX Runtime."""
    size: int | None = None
    """Long side in pixels at which the network works; None = what the model says."""

    def load(self) -> Predictor:
        """Open the model. Errors: those of runtime.load."""
        return load(self.model, device=self.device, threads=self.threads, size=self.size)


DEFAULT_MODEL = ModelChoice()
"""The model of the package."""
