"""A batch: what the loader gives and losses and networks take."""

from dataclasses import dataclass, replace

from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Tensors of one training step, all on one device, all of one size."""

    background: Tensor
    """float32 (B, 3, H, W) RGB in [0, 1]."""
    image: Tensor
    """float32 (B, 3, H, W) RGB in [0, 1]."""
    mask: Tensor
    """float32 (B, 1, H, W) alpha in [0, 1]."""
    inverse_depth: Tensor
    """float32 (B, 1, H, W), larger = nearer, unit of the data set (1/m or none); 0 where unknown."""
    depth_known: Tensor
    """bool (B, 1, H, W)."""
    ids: tuple[str, ...]
    """Sample ids, for error messages."""
    stretch: bool = True
    """Losses stretch each picture's inverse depth to [0, 1]; False = another network's, met as it is."""

    def map(self, function) -> "Batch":
        """The same batch with `function` applied to every tensor."""
        tensors = {name: function(value) for name, value in vars(self).items() if isinstance(value, Tensor)}
        return replace(self, **tensors)
