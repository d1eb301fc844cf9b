"""The examples in docstrings of the package do what they say."""

import doctest
import importlib
from pathlib import Path

import pytest

import mdeas

PACKAGE = Path(mdeas.__file__).parent
MODULES = [
    ".".join(("mdeas", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")
    for path in sorted(PACKAGE.rglob("*.py"))
    if ">>> " in path.read_text()
]


@pytest.mark.parametrize("name", MODULES)
def test_an_example_does_what_it_says(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert not doctest.testmod(importlib.import_module(name)).failed


def test_the_doors_of_the_package_have_examples():
    assert {"mdeas", "mdeas.images.codec"} <= set(MODULES)
