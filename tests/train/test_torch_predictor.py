import numpy as np
import pytest
import torch
from synthetic import square

from mdeas.evaluate.open_model import TorchPredictor
from mdeas.models.registry import create_model
from mdeas.runtime.predictor import Prediction
from mdeas.train.checkpoint import save_weights


@pytest.fixture
def run(tmp_path):
    """A run folder of the tiny network, trained at 32 pixels."""
    torch.manual_seed(0)
    card = {"model": "tiny-for-tests", "options": {}, "recipe": {"data": {"size": 32}}}
    save_weights(tmp_path, "last", create_model("tiny-for-tests").state_dict(), card)
    return tmp_path


def test_it_predicts_what_the_network_does(run):
    sample = square(1, 32, 0)
    predictor = TorchPredictor(run)
    prediction = predictor.predict(sample.background, sample.image)
    photos = [
        torch.from_numpy(photo).permute(2, 0, 1)[None] / 255 for photo in (sample.background, sample.image)
    ]
    with torch.no_grad():
        output = predictor.network(*photos)
    alpha = ((output.mask_logits.sigmoid()[0, 0] - 0.02) / 0.96).clip(0, 1)  # without haze, see refine.py
    np.testing.assert_allclose(prediction.mask, alpha, atol=1e-6)
    np.testing.assert_allclose(prediction.depth, output.depth[0, 0], atol=1e-6)
    assert predictor.tasks == ("mask", "depth")


def test_outputs_have_the_photos_size(run):
    photo = np.random.default_rng(0).integers(0, 255, (45, 70, 3), np.uint8)
    prediction = TorchPredictor(run / "last.safetensors").predict(photo, photo)
    assert isinstance(prediction, Prediction)
    for found in (prediction.mask, prediction.depth):
        assert found.shape == (45, 70) and found.dtype == np.float32
