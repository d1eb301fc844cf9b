"""`--set FIELD=VALUE` of the commands that make data."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from mdeas.commands.recipe_fields import configured
from mdeas.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A recipe."""

    folder: Path
    size: int = 8
    share: float | None = 0.5
    split: Literal["rows", "given"] = "rows"
    places: tuple[str, ...] = ()
    area: tuple[float, float] = (0.0, 1.0)
    nuisances: bool = True


def test_values_get_the_types_of_their_fields():
    overrides = ["share=null", "split=given", "places=[a, b]", "area=[.1, 2]", "nuisances=false"]
    assert configured(Drawn, {"folder": "a b", "size": None}, overrides) == Drawn(
        folder=Path("a b"), share=None, split="given", places=("a", "b"), area=(0.1, 2.0), nuisances=False
    )
    assert configured(Drawn, {"folder": "x"}, ["share=1"]).share == 1.0


def test_an_override_wins_over_an_option():
    assert configured(Drawn, {"folder": "x", "size": 16}, ["size=32"]).size == 32


@pytest.mark.parametrize(
    ("override", "wanted"),
    [
        ("sise=3", "unknown field 'sise'. Did you mean 'size'? Fields: folder, size,"),
        ("zzz=3", "unknown field 'zzz'. Fields: folder, size,"),
        ("size=3.5", "size: expected int, got '3.5'. Fields:"),
        ("size=many", "size: expected int, got 'many'. Fields:"),
        ("share=much", "share: expected float | None, got 'much'."),
        ("split=foo", "split: expected Literal['rows', 'given'], got 'foo'."),
        ("area=[1]", "area: expected tuple[float, float], got '[1]'."),
        ("size", "expected FIELD=VALUE, got 'size'."),
        ("=3", "expected FIELD=VALUE, got '=3'."),
    ],
)
def test_what_is_no_field_or_no_value_is_told(override, wanted):
    with pytest.raises(UsageError) as caught:
        configured(Drawn, {"folder": "x"}, [override])
    assert caught.value.code == "E-RECIPE"
    assert wanted in str(caught.value) and "\n" not in str(caught.value)


def test_a_field_without_a_value_is_told():
    with pytest.raises(UsageError, match="the recipe lacks folder"):
        configured(Drawn, {}, [])
