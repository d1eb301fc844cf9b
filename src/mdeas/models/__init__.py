"""The networks: one file for each architecture, and their registry."""

from mdeas.models.base import Output, PairNetwork
from mdeas.models.registry import create_model, model_info, model_names, register

__all__ = ["Output", "PairNetwork", "create_model", "model_info", "model_names", "register"]
