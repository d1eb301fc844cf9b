"""A trained network as a Predictor, without exporting it first; what ships is the export, see export.py."""

from pathlib import Path

import numpy as np
import torch

from mdeas.models.base import PairNetwork
from mdeas.runtime.predictor import Prediction, check_sizes
from mdeas.runtime.refine import restored
from mdeas.runtime.spec import Spec, prepare
from mdeas.train.checkpoint import load_run, read_card


class TorchPredictor:
    """The network of a run on the CPU, at the size it was trained at.

    Input: run: what checkpoint.load_run takes; errors as there.
    """

    def __init__(self, run: str | Path):
        network, card = load_run(run), read_card(run)
        assert isinstance(network, PairNetwork), type(network)
        self.network = network
        self.name = str(run)
        self.tasks = network.heads
        size = int(card["recipe"]["data"]["size"])
        self.spec = Spec(size=size, multiple=network.multiple, name=card["model"], tasks=network.heads)

    def predict(self, background: np.ndarray, image: np.ndarray) -> Prediction:
        """See Predictor. Errors: InputError (E-PAIR-SIZE)."""
        check_sizes(background, image)
        photos = (torch.from_numpy(photo) for photo in prepare(background, image, self.spec))
        with torch.inference_mode():
            output = self.network(*photos)
        mask, depth = output.mask_logits.sigmoid(), output.depth
        return restored(mask[0, 0].numpy(), depth[0, 0].numpy(), background, image)
