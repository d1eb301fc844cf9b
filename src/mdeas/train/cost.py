"""What a run costs: pictures, seconds, memory. Counted at every step and kept over resumes."""

from dataclasses import asdict, dataclass

import torch

from mdeas.system.machine import peak_memory_mib


@dataclass
class Cost:
    """Cost of the steps done so far; stored in the resume state and in the cards of checkpoints."""

    images: int = 0
    """Training pictures processed; a picture counts each time."""
    seconds: float = 0.0
    """Wall time of training steps with the wait for data, without validation and saving."""
    peak_memory_mib: float = 0.0
    """Peak resident memory of the training process, without decoding processes."""
    peak_gpu_memory_mib: float = 0.0
    """Peak memory that torch held on the GPU; 0 without one."""
    device: str = "cpu"
    """Device of the last step: "cpu" or the GPU's name."""

    def step(self, num_images: int, seconds: float, device: torch.device) -> None:
        """Count one training step."""
        self.images += num_images
        self.seconds += seconds
        self.peak_memory_mib = max(self.peak_memory_mib, peak_memory_mib())
        if device.type == "cuda":
            peak = torch.cuda.max_memory_allocated(device) / 2**20
            self.peak_gpu_memory_mib = max(self.peak_gpu_memory_mib, peak)
            self.device = torch.cuda.get_device_name(device)

    def facts(self) -> dict[str, int | float | str]:
        """The fields by name, floats rounded to three digits after the point."""
        return {
            name: round(value, 3) if isinstance(value, float) else value
            for name, value in asdict(self).items()
        }
