"""Fixtures of tests with a depth network."""

import pytest
from tiny_teacher import save_network, save_pictures

from mdeas.create.assets import load_pool
from mdeas.errors import NonFiniteError


@pytest.fixture(scope="module")
def network_folder(tmp_path_factory):
    """A network of random weights, as `save_pretrained` writes it."""
    return save_network(tmp_path_factory.mktemp("networks") / "tiny-relative")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Folders of photos and cut-outs, by the recipe's names."""
    return save_pictures(tmp_path_factory.mktemp("pictures"))


@pytest.fixture
def pools(pictures):
    """The pools (backgrounds, foregrounds) of `pictures`."""
    return tuple(load_pool(pictures[f"{kind}s"], kind, None) for kind in ("background", "foreground"))


@pytest.fixture
def cache(monkeypatch, tmp_path):
    """An empty cache of predictions, and no hub."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def runs(monkeypatch):
    """The shapes of the batches that any network saw; `fails_at` makes one of them fail."""

    from mdeas.create.depth import teacher  # here, because most tests of create/ do without torch

    class Runs(list):
        fails_at = None

    seen, predict = Runs(), teacher.DepthNetwork.predict

    def counted(self, pictures):
        if len(seen) == seen.fails_at:
            raise NonFiniteError("E-DEPTH", "asked to fail.")
        seen.append(pictures.shape)
        return predict(self, pictures)

    monkeypatch.setattr(teacher.DepthNetwork, "predict", counted)
    return seen
