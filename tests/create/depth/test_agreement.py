"""Agreement of two depth maps, computed by hand."""

import cv2
import numpy as np
import pytest

from mdeas.create.depth.agreement import agreement


def test_agreement_of_labels_by_hand():
    mask = np.zeros((20, 24), np.float32)
    mask[5:15, 6:18] = 1
    sharp = np.where(mask > 0, np.float32(4), np.float32(1))
    equal = agreement(3 * sharp + 2, sharp, mask)  # scale and shift of inverse depth are free
    assert equal["abs_rel"] == pytest.approx(0, abs=1e-6) and equal["delta1"] == 1
    assert equal["boundary_recall_layered"] == equal["boundary_recall_composite"] == 1
    soft = agreement(sharp, cv2.GaussianBlur(sharp, (0, 0), 3), mask)
    assert soft["abs_rel"] > 0.05 and soft["boundary_recall_composite"] < soft["boundary_recall_layered"] == 1
