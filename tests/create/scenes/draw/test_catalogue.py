"""The catalogue: every thing stands on its base point, has its height, and has few enough primitives."""

import numpy as np
import pytest

from mdeas.create.scenes.draw import catalogue, layout
from mdeas.create.scenes.draw.boxes import bounds

# Things that lie, hang together at random, or have round parts: lowest point and top at a height of 1.
LOOSE = {
    "tool": (0.0, 0.35, 0.65),
    "blob": (-0.3, 0.5, 1.25),
    "plant": (0.0, 0.8, 1.1),
    "tree": (0.0, 0.8, 1.1),
}


@pytest.mark.parametrize("name", catalogue.THINGS)
def test_stands_on_its_base_and_has_its_height(name):
    lowest, least, most = LOOSE.get(name, (-0.02, 0.88, 1.01))
    for seed in range(12):
        rng = np.random.default_rng(seed)
        palette = layout.Palette(rng, 10, 10)
        base = np.array([3.0, 0.5, -2.0])
        group = catalogue.build(name, base, 40.0, 2.0, palette, rng, added=True)
        low, high = bounds(group.primitives)
        assert lowest <= (low[1] - base[1]) / 2, seed
        assert least <= (high[1] - base[1]) / 2 <= most, seed
        assert np.all(np.abs((low + high) / 2 - base)[[0, 2]] < 3.0), seed  # metres; it is 2 m tall
        assert len(group.primitives) <= layout.MAX_ADDED
        assert all(part.added for part in group.primitives)


def test_every_kind_of_place_has_things():
    assert {thing.kind for thing in catalogue.THINGS.values()} == {"small", "large", "outdoor"}
