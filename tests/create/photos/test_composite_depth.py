"""Depth of composites: thickness and relief of cut-outs."""

import numpy as np
import pytest
from asset_folders import GreyDepths, make_folders

from mdeas.create.assets import load_pool
from mdeas.create.photos import composite_depth


def test_a_surface_is_thicker_the_wider_the_thing():
    relief = np.array([[0.0, 1.0]], np.float32)
    assert composite_depth.foreground_inverse_depth(0.5, relief, 60, 200).tolist() == [
        [0.5, pytest.approx(0.5 * 1.1)]
    ]
    assert not composite_depth.foreground_inverse_depth(0.0, relief, 60, 200).any()


def test_relief_is_scaled_to_the_inside_of_the_cutout(tmp_path):
    folders = make_folders(tmp_path, 1, 1)
    pool = load_pool(folders["foregrounds"], "foreground", None)
    relief = composite_depth.load_relief(GreyDepths(), pool.assets[0])
    assert relief.min() == 0 and relief.max() == 1 and relief[30].argmax() > relief[30].argmin()
