"""A depth network in memory: missing weights are an error; the place in a batch changes no depth."""

import shutil

import numpy as np
import pytest

from mdeas.create.depth import teacher
from mdeas.create.depth.model import find_model
from mdeas.errors import ModelError


def test_weights_that_are_missing_are_not_noise(network_folder, tmp_path):
    from safetensors.torch import load_file, save_file

    other = shutil.copytree(network_folder, tmp_path / "less")
    weights = load_file(other / "model.safetensors")
    del weights["head.conv2.weight"]
    save_file(weights, other / "model.safetensors", {"format": "pt"})
    with pytest.raises(ModelError, match=r"1 weights are missing.*head.conv2.weight"):
        teacher.DepthNetwork(find_model(str(other)))
    (other / "model.safetensors").write_bytes(b"\x80\x04N.")
    with pytest.raises(ModelError, match="does not load"):
        teacher.DepthNetwork(find_model(str(other)))


def test_a_picture_gets_its_depth_wherever_it_stands_in_a_batch(network_folder):
    batch = np.random.default_rng(0).integers(0, 255, (3, 40, 50, 3), np.uint8)
    network = teacher.load_network(find_model(str(network_folder)))
    depth = network.predict(batch)
    assert depth.shape == (3, 40, 50) and depth.dtype == np.float32 and depth.min() >= 0
    assert np.array_equal(network.predict(batch[::-1])[::-1], depth)
    assert len({float(one.mean()) for one in depth}) == 3
