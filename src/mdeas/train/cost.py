"""What a run costs: pictures, seconds, memory. Counted at every step, kept through every resume."""

from dataclasses import asdict, dataclass

import torch

from mdeas.system.machine import peak_memory_mib


@dataclass
class Cost:
    """Of the steps done so far; stored in the resume state and in the checkpoints' cards."""

    images: int = 0
    """Training pictures seen, counted as often as they were shown."""
    seconds: float = 0.0
    """Wall time in training steps: waiting for data included, validation and saving not."""
    peak_memory_mib: float = 0.0
    """Peak resident memory of the training process; decoding processes not included."""
    peak_gpu_memory_mib: float = 0.0
    """Peak memory that torch held on the GPU; 0 without one."""
    device: str = "cpu"
    """Where the last step ran: "cpu" or the name of the GPU."""

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
        """The fields by name, with no more digits than mean something."""
        return {
            name: round(value, 3) if isinstance(value, float) else value
            for name, value in asdict(self).items()
        }
