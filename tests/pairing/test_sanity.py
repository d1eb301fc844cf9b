import numpy as np
import pytest

from mdeas.errors import InputError
from mdeas.pairing import sanity

NOISE = np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)
OTHER = np.random.default_rng(1).integers(0, 256, (30, 40, 3), np.uint8)


@pytest.mark.parametrize(
    "background, image, codes",
    [
        (NOISE, OTHER, []),
        (NOISE, NOISE, ["W-PAIR-IDENTICAL"]),
        (np.zeros_like(NOISE), OTHER, ["W-PAIR-BLACK"]),
        (NOISE, np.full_like(NOISE, 255), ["W-PAIR-WHITE"]),
        (NOISE, np.full_like(NOISE, (200, 10, 90)), ["W-PAIR-FLAT"]),
        (NOISE // 64, NOISE // 64, ["W-PAIR-BLACK", "W-PAIR-BLACK", "W-PAIR-IDENTICAL"]),
    ],
)
def test_warnings(background, image, codes):
    assert [warning.code for warning in sanity.warnings(background, image)] == codes


def test_warnings_name_the_photo():
    assert "background" in sanity.warnings(np.zeros_like(NOISE), NOISE)[0].text
    assert "image" in sanity.warnings(NOISE, np.zeros_like(NOISE))[0].text


def match(background_size, size):
    return sanity.match_background(NOISE, np.zeros((60, 81, 3), np.uint8), background_size, size)


def test_equal_sizes_are_left_alone():
    background, warnings = match((30, 40), (30, 40))
    assert background is NOISE and not warnings


def test_another_resolution_is_resized_and_told():
    background, warnings = match((3000, 4000), (1500, 2005))
    assert background.shape == (60, 81, 3)
    assert [w.code for w in warnings] == ["W-PAIR-RESIZED"] and "4000×3000" in warnings[0].text


@pytest.mark.parametrize("size", [(40, 30), (30, 41), (31, 40)])
def test_another_aspect_is_refused(size):
    with pytest.raises(InputError) as caught:
        match((30, 40), size)
    assert caught.value.code == "E-PAIR-SIZE"
