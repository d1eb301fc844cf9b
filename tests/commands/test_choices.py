"""What commands offer is what the modules that do the work take."""

from typing import get_args

from mdeas.commands import choices
from mdeas.create.factory.options import EngineName
from mdeas.pairing.match import Mode
from mdeas.runtime.session import PROVIDERS
from mdeas.sample import SPLITS


def test_the_names_are_those_of_the_modules():
    assert get_args(choices.Device) == ("auto", *PROVIDERS)
    assert get_args(choices.EngineName) == get_args(EngineName)
    assert get_args(choices.PairMode) == get_args(Mode)
    assert get_args(choices.Split) == tuple(SPLITS)
