"""A model as it ships: ONNX files, baselines, the second look, refinement at full size."""

from mdeas.runtime.choice import ModelChoice
from mdeas.runtime.onnx_predictor import load
from mdeas.runtime.predictor import Prediction, Predictor

__all__ = ["ModelChoice", "Prediction", "Predictor", "load"]
