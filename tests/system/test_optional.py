"""What is said where a package of an extra is missing."""

import tomllib
from pathlib import Path

import pytest

from mdeas.system import optional

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]


def _packages(extra):
    """What an extra installs, those that it names included."""
    for line in PROJECT["optional-dependencies"][extra]:
        name = line.partition(">")[0].partition("=")[0]
        if name.startswith("mdeas["):
            for other in name[len("mdeas[") : -1].split(","):
                yield from _packages(other)
        else:
            yield name.replace("-", "_").lower()


@pytest.mark.parametrize("module", optional.EXTRAS)
def test_every_package_is_in_the_extra_that_is_named(module):
    title, extra = optional.EXTRAS[module]
    distribution = {"PIL": "pillow", "huggingface_hub": "timm"}.get(module, module)  # timm brings the hub
    assert distribution in set(_packages(extra))
    assert str(optional.extra_error(module)).startswith(
        f"this command needs {title}. Run: pip install '.[{extra}]'"
    )


def test_a_failed_import_of_an_extra_is_explained():
    error = optional.missing_extra(ModuleNotFoundError("No module named 'torch.nn'", name="torch.nn"))
    assert error is not None and error.code == "E-EXTRA"
    assert str(error) == "this command needs PyTorch. Run: pip install '.[train]'"


@pytest.mark.parametrize(
    "error",
    [ModuleNotFoundError(name="mdeas.lost"), ModuleNotFoundError(), ImportError(name="torch"), ValueError()],
)
def test_any_other_error_is_not(error):
    assert optional.missing_extra(error) is None


def test_an_installed_mdeas_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(optional, "__file__", str(tmp_path / "site-packages/mdeas/system/optional.py"))
    assert optional.install_command("3d") == "pip install 'mdeas[3d]'"


def test_a_missing_package_is_said_by_what_it_is_for(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(optional.UsageError, match=r"a data set needs pyarrow. Run: pip install '.\[data\]'"):
        optional.pyarrow_parquet()
