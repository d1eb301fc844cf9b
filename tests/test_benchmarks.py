"""Every benchmark imports what exists, and does nothing before its `main` is called."""

import importlib.util
import sys
from pathlib import Path

import pytest

BENCHMARKS = sorted(Path(__file__).parents[1].joinpath("benchmarks").glob("*.py"))


@pytest.mark.parametrize("path", BENCHMARKS, ids=lambda path: path.stem)
def test_a_benchmark_can_be_imported(path, monkeypatch, capfd, tmp_path):
    monkeypatch.syspath_prepend(path.parent)  # for _timing and _published
    monkeypatch.chdir(tmp_path)
    spec = importlib.util.spec_from_file_location(f"benchmark_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)  # where dataclasses look for it
    spec.loader.exec_module(module)
    assert module.__doc__ and capfd.readouterr().out == "" and not list(tmp_path.iterdir())


def test_there_are_benchmarks():
    assert len(BENCHMARKS) > 10
