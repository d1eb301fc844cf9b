"""Data sets -> batches, in an order that depends only on (seed, epoch) and can start at any step."""

import ctypes
import itertools
import sys
import traceback
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, get_worker_info

from mdeas.batches.batch import Batch
from mdeas.errors import InputError, MdeasError, WorkerError
from mdeas.sample import Sample
from mdeas.system.signals import end_with_parent, ignore_stop_signals

_GLIBC_TRIM_THRESHOLD, _GLIBC_MMAP_THRESHOLD = -1, -3  # malloc.h: M_TRIM_THRESHOLD, M_MMAP_THRESHOLD
_LARGEST_PICTURE, _ALL = 2**25, 2**30  # bytes


class SampleSource(Protocol):
    """A data set to read from, such as dataset.Dataset; it may have a method `bare`, see there."""

    @property
    def fingerprint(self) -> str: ...

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Sample: ...


@dataclass(frozen=True, kw_only=True)
class RawBatch:
    """A batch as decoding workers send it: mostly bytes, a quarter of the size of floats."""

    background: Tensor
    """uint8 (B, H, W, 3)."""
    image: Tensor
    """uint8 (B, H, W, 3)."""
    mask: Tensor
    """uint8 (B, H, W), 255 = alpha 1; exact for masks that were stored as PNG-8."""
    inverse_depth: Tensor
    """float32 (B, H, W), 0 where unknown."""
    depth_known: Tensor
    """bool (B, H, W)."""
    ids: tuple[str, ...]

    def to_batch(self, device: torch.device | str = "cpu") -> Batch:
        """The batch as floats on `device`; the photos are in channels_last memory, without a copy."""
        move = {name: tensor.to(device) for name, tensor in vars(self).items() if name != "ids"}
        return Batch(
            background=move["background"].permute(0, 3, 1, 2).float().div_(255),
            image=move["image"].permute(0, 3, 1, 2).float().div_(255),
            mask=move["mask"][:, None].float().div_(255),
            inverse_depth=move["inverse_depth"][:, None],
            depth_known=move["depth_known"][:, None],
            ids=self.ids,
        )


class Samples(Dataset):
    """Several data sets as one, decoded at one size.

    Input:
        sources: data sets.
        size: side in pixels of the square pictures; others are resized.
        repeats: how often an epoch uses the samples of each source; None = once.
    """

    def __init__(self, sources: Sequence[SampleSource], size: int, repeats: Sequence[int] | None = None):
        self.sources = list(sources)
        self.size = size
        self.starts = np.cumsum([0] + [len(source) for source in self.sources])
        spans = [np.arange(*span) for span in itertools.pairwise(self.starts)]
        self.epoch_rows = np.concatenate(
            [np.arange(0)]
            + [np.tile(span, times) for span, times in zip(spans, repeats or [1] * len(spans), strict=True)]
        )

    @property
    def fingerprint(self) -> str:
        """Changes when any source or their order changes."""
        return "+".join(source.fingerprint for source in self.sources)

    def __len__(self) -> int:
        return int(self.starts[-1])

    def sample(self, index: int) -> Sample:
        """The decoded sample at its own size; InputError (E-NO-MASK) without a mask."""
        number = int(np.searchsorted(self.starts, index, side="right")) - 1
        sample = bare(self.sources[number], index - int(self.starts[number]))
        if sample.mask is None:
            name = sample.meta.get("id", index)
            raise InputError("E-NO-MASK", f"sample '{name}' has no mask; training needs one. Leave it out.")
        return sample

    def __getitem__(self, index: int) -> dict[str, np.ndarray | str]:
        return resized(self.sample(index), self.size)

    def __getitems__(self, indices: list[int]) -> RawBatch | MdeasError:
        """A whole batch; an error is returned, since DataLoader cannot raise errors with two arguments."""
        try:
            return collate([self[index] for index in indices])
        except MdeasError as error:
            return error


def bare(source: SampleSource, index: int) -> Sample:
    """A sample that has no meta but its id; faster than source[index] if the source has a method `bare`."""
    read = getattr(source, "bare", source.__getitem__)
    return read(index)


def resized(sample: Sample, size: int) -> dict[str, np.ndarray | str]:
    """Arrays of one sample at (size, size), in the types of RawBatch."""
    assert sample.mask is not None  # Samples.sample refuses it
    inverse_depth, known = _depth(sample, size)
    return {
        "background": _resize(sample.background, size),
        "image": _resize(sample.image, size),
        "mask": _resize(cv2.convertScaleAbs(sample.mask, alpha=255), size),
        "inverse_depth": inverse_depth,
        "depth_known": known,
        "id": str(sample.meta.get("id", "?")),
    }


def _depth(sample: Sample, size: int) -> tuple[np.ndarray, np.ndarray]:
    """(Inverse depth float32 (size, size), 0 = unknown; where it is known, bool)."""
    inverse_depth = sample.inverse_depth
    if inverse_depth is None:
        return np.zeros((size, size), np.float32), np.zeros((size, size), bool)
    # Nearest: the mean of known and unknown depth would be wrong.
    known = _resize(sample.depth_known.view(np.uint8), size, cv2.INTER_NEAREST)
    return _resize(inverse_depth, size, cv2.INTER_NEAREST), known.view(bool)


def _resize(array: np.ndarray, size: int, method: int | None = None) -> np.ndarray:
    if array.shape[:2] == (size, size):
        return np.ascontiguousarray(array)
    if method is None:
        method = cv2.INTER_AREA if min(array.shape[:2]) > size else cv2.INTER_LINEAR
    return cv2.resize(array, (size, size), interpolation=method)


def collate(rows: Sequence[dict]) -> RawBatch:
    """Stack the arrays of `resized` along a new first axis."""
    names = [name for name in rows[0] if name != "id"]
    arrays = {name: _stacked([row[name] for row in rows]) for name in names}
    return RawBatch(**arrays, ids=tuple(row["id"] for row in rows))


def _stacked(arrays: list[np.ndarray]) -> Tensor:
    """Stack arrays along a new first axis; in a worker, in memory that it shares with its parent."""
    example = torch.from_numpy(np.empty_like(arrays[0]))
    shape = (len(arrays), *example.shape)
    if get_worker_info() is None:
        stacked = example.new_empty(shape)
    else:  # as in torch's default_collate
        storage = torch.UntypedStorage._new_shared(len(arrays) * example.nbytes)
        stacked = example.new_empty(0).set_(storage).resize_(shape)
    np.stack(arrays, out=stacked.numpy())
    return stacked


def steps_per_epoch(num_samples: int, batch_size: int) -> int:
    """Number of whole batches; a data set smaller than a batch is one batch."""
    return max(1, num_samples // batch_size)


def batch_indices(
    rows: np.ndarray, batch_size: int, seed: int, first_step: int, last_step: int
) -> Iterator[list[int]]:
    """Index lists of steps first_step .. last_step - 1, counted from the start of training.

    Input:
        rows: int (N,), the samples of an epoch; permuted by (seed, epoch).
    """
    each = steps_per_epoch(len(rows), batch_size)
    for epoch in range(first_step // each, -(-last_step // each)):
        indices = np.random.default_rng([seed, epoch]).permutation(rows).tolist()
        for step in range(max(first_step, epoch * each), min(last_step, (epoch + 1) * each)):
            start = (step - epoch * each) * batch_size
            yield indices[start : start + batch_size]


def load(samples: Samples, batches: Iterable[list[int]], workers: int = 0) -> Iterator[RawBatch]:
    """Raw batches for lists of indices, decoded by `workers` processes (0 = in this process).

    Errors: those of decoding; WorkerError E-WORKER when a worker process died.
    """
    loader = DataLoader(
        samples, batch_sampler=batches, num_workers=workers, collate_fn=_as_it_is, worker_init_fn=_init_worker
    )
    return _checked(loader)


def chunks(count: int, size: int) -> list[list[int]]:
    """0 .. count - 1 in order, `size` at a time; the last list may be shorter."""
    return [list(range(start, min(start + size, count))) for start in range(0, count, size)]


def _as_it_is(batch: Any) -> Any:  # the type that DataLoader wants
    return batch


def _init_worker(_: int) -> None:
    """Use one thread, ignore signals, which the main process handles, and end with it."""
    end_with_parent()
    _keep_freed_memory()
    cv2.setNumThreads(0)
    ignore_stop_signals()


def _keep_freed_memory() -> None:
    """Keep the memory of freed pictures: to get it back from Linux takes half as long as decoding."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt:
        mallopt(_GLIBC_MMAP_THRESHOLD, _LARGEST_PICTURE)
        mallopt(_GLIBC_TRIM_THRESHOLD, _ALL)


def _checked(batches: Iterable[RawBatch | MdeasError]) -> Iterator[RawBatch]:
    try:
        for batch in batches:
            if isinstance(batch, MdeasError):
                raise batch
            yield batch
    except Exception as error:
        # Its traceback keeps torch's iterator, and with it the workers, alive: the process would not end.
        traceback.clear_frames(error.__traceback__)
        if not (isinstance(error, RuntimeError) and "DataLoader worker" in str(error)):
            raise
        raise WorkerError("E-WORKER", f"{error}. Run the same command again; it resumes.") from error
