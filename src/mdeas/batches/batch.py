"""A batch: output of the loader, input of networks and losses."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Tensors of one step, all on one device and of one height and width."""

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
    """Whether losses stretch each picture's true depth to [0, 1]; False for depth of a teacher network."""

    def map(self, function: Callable[[Tensor], Tensor]) -> "Batch":
        """The same batch with `function` applied to every tensor."""
        tensors: dict[str, Any] = {
            name: function(value) for name, value in vars(self).items() if isinstance(value, Tensor)
        }
        return replace(self, **tensors)
