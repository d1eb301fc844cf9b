"""A sample is changed the same way however many ranks share its batch."""

import pytest
import torch

from mdeas.batches.augment import AugmentConfig, augment, generator
from mdeas.batches.batch import Batch
from mdeas.batches.draws import Draws
from mdeas.batches.photometry import Photometry

torch.set_num_threads(1)
# Everything at once; a slice of 35² noise is no multiple of the 16 numbers that torch draws together.
ALL = dict.fromkeys(("gain", "rgb_shift", "hue", "saturation", "value", "gamma", "noise", "jpeg"), 0.2)
CONFIG = AugmentConfig(
    rotation_deg=20, shared=Photometry(**ALL), own=Photometry(**ALL, blur=1, one_of=["gain", "noise", "hsv"])
)


def batch(count: int = 6, size: int = 35) -> Batch:
    rng = torch.Generator().manual_seed(0)
    photos = torch.rand(2, count, size, size, 3, generator=rng).permute(0, 1, 4, 2, 3)  # as the loader's
    mask, depth = torch.rand(2, count, 1, size, size, generator=rng)
    known = depth > 0.2
    return Batch(
        background=photos[0], image=photos[1], mask=mask, inverse_depth=depth * known, depth_known=known,
        ids=("",) * count,
    )  # fmt: skip


@pytest.mark.parametrize("ranks", [2, 3])
def test_slices_of_a_batch_are_changed_as_the_whole(ranks):
    whole = augment(batch(), CONFIG, generator(1, 2, 3))
    for rank in range(ranks):
        part = batch().map(lambda tensor, rank=rank: tensor.chunk(ranks)[rank])
        part = augment(part, CONFIG, generator(1, 2, 3, rank=rank, ranks=ranks))
        for name in ("background", "image", "mask", "inverse_depth", "depth_known"):
            assert torch.equal(getattr(part, name), getattr(whole, name).chunk(ranks)[rank]), name


def test_draws_of_one_process_are_those_of_a_plain_generator():
    draws, plain = Draws().manual_seed(5), torch.Generator().manual_seed(5)
    values = torch.zeros(4, 3, 8, 8)
    assert torch.equal(draws.uniform(4, 2), torch.rand(4, 2, generator=plain))
    assert torch.equal(draws.integers(9, 4), torch.randint(9, (4,), generator=plain))
    assert torch.equal(draws.normal_like(values), torch.randn(4, 3, 8, 8, generator=plain))
