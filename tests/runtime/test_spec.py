import json

import cv2
import numpy as np
import pytest

from mdeas.errors import ModelError
from mdeas.images.resize import resize
from mdeas.runtime.spec import Spec, prepare, prepare_photo, restore, working_size

SPEC = Spec(size=224, multiple=32, name="a", tasks=("depth",))


@pytest.mark.parametrize(
    "height, width, expected",
    [
        (480, 640, (160, 224)),  # 168 rounds down to 5 multiples
        (640, 480, (224, 160)),
        (100, 100, (224, 224)),  # smaller photos are enlarged
        (1, 5000, (32, 224)),  # never less than one multiple
        (8000, 20, (224, 32)),
        (1, 1, (224, 224)),
    ],
)
def test_working_size(height, width, expected):
    assert working_size(height, width, SPEC) == expected


def test_prepare_gives_unit_rgb_planes():
    photo = np.zeros((30, 40, 3), np.uint8)
    photo[..., 0], photo[..., 1] = 255, 51
    background, image = prepare(photo, np.full((60, 80, 3), 102, np.uint8), Spec(size=16, multiple=4))
    assert background.shape == image.shape == (1, 3, 12, 16)
    assert background.dtype == np.float32
    np.testing.assert_allclose(background[0, :, 5, 5], [1, 0.2, 0], atol=1e-6)
    np.testing.assert_allclose(image, 0.4, atol=1e-6)


def test_prepare_at_working_size_changes_nothing():
    photo = np.random.default_rng(0).integers(0, 256, (32, 64, 3), np.uint8)
    prepared = prepare_photo(photo, Spec(size=64, multiple=32))
    np.testing.assert_array_equal(np.rint(prepared[0].transpose(1, 2, 0) * 255), photo)


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (1, 5000), (7, 64), (640, 481)])
def test_restore_has_the_size_asked_for_and_no_overshoot(size):
    array = np.random.default_rng(1).random((32, 64), np.float32)
    restored = restore(array, *size)
    assert restored.shape == size and restored.dtype == np.float32
    assert array.min() <= restored.min() and restored.max() <= array.max()


def test_restore_averages_where_it_shrinks():
    array = np.array([[0, 1, 4, 7]], np.float32)
    np.testing.assert_allclose(restore(array, 1, 2), [[0.5, 5.5]])


def test_resize_averages_one_axis_while_the_other_grows():
    stripes = np.tile(np.array([[0], [200]], np.uint8), (50, 1))  # (100, 1)
    grown = resize(stripes, 10, 4, enlarge=cv2.INTER_LINEAR)
    np.testing.assert_array_equal(grown, np.full((10, 4), 100))


def test_json_round_trip():
    assert Spec.from_json(SPEC.to_json()) == SPEC


def test_without_tasks_a_model_does_both_and_looks_once():
    spec = Spec.from_json('{"size": 8, "multiple": 2}')
    assert spec.tasks == ("mask", "depth") and spec.looks == 1


@pytest.mark.parametrize(
    "change",
    [
        {"size": 0},
        {"size": 224.0},
        {"size": "224"},
        {"size": True},
        {"multiple": -1},
        {"depth_kind": "metric"},
        {"name": 3},
        {"colour": "rgb"},
        {"tasks": []},
        {"tasks": "mask"},
        {"tasks": ["mask", "colour"]},
        {"tasks": None},
        {"looks": 0},
        {"looks": 3},
        {"looks": True},
        {"looks": "2"},
    ],
)
def test_spec_is_strict(change):
    with pytest.raises(ModelError, match="spec"):
        Spec.from_json(json.dumps({**json.loads(SPEC.to_json()), **change}))


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "null", '{"size": 224}', '{"multiple": 32}'])
def test_other_text_is_refused(text):
    with pytest.raises(ModelError) as caught:
        Spec.from_json(text)
    assert caught.value.code == "E-SPEC"
