"""Random numbers for the samples of a batch, independent of the number of ranks that share the batch."""

import torch
from torch import Tensor


class Draws(torch.Generator):
    """The random generator of one step.

    Every call draws for the whole batch and keeps this rank's slice, so that a sample gets the same numbers
    as in one process. Noise, the only large draw, thus needs 24 · B · H · W bytes for a moment on each
    rank, where B counts the samples of all ranks.
    """

    rank = 0
    ranks = 1

    def uniform(self, count: int, *shape: int) -> Tensor:
        """float32 (count, *shape) in [0, 1), for the `count` samples of this rank."""
        return self._mine(torch.rand(count * self.ranks, *shape, generator=self, device=self.device))

    def integers(self, stop: int, count: int, *shape: int) -> Tensor:
        """int64 (count, *shape) in 0..stop - 1, for the `count` samples of this rank."""
        size = (count * self.ranks, *shape)
        return self._mine(torch.randint(stop, size, generator=self, device=self.device))

    def normal_like(self, values: Tensor) -> Tensor:
        """Standard normal numbers in the shape, type and memory format of `values`, batch axis first."""
        whole = torch.cat([values] * self.ranks) if self.ranks > 1 else values
        return self._mine(torch.randn_like(whole, generator=self))

    def _mine(self, whole: Tensor) -> Tensor:
        return whole.chunk(self.ranks)[self.rank]
