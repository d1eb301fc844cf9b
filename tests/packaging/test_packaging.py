"""What pyproject.toml promises: bounds, extras, and what the wheel and the source archive hold."""

import ast
import re
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from hatchling import build

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "mdeas"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
# Modules by another name than their distribution.
DISTRIBUTIONS = {"cv2": "opencv-python-headless", "yaml": "pyyaml", "PIL": "pillow"}
# Brought by a package that is declared: the hub by timm and transformers, torch's own by torch.
BROUGHT = {"huggingface_hub"}


def name_of(requirement):
    return re.split(r"[<>=\[]", requirement)[0].lower().replace("_", "-")


def test_the_lower_bounds_that_are_tested_are_those_that_are_declared():
    tested = (ROOT / "tests/packaging/lower_bounds.txt").read_text().splitlines()
    declared = [requirement.replace(">=", "==") for requirement in PROJECT["dependencies"]]
    assert [line for line in tested if not line.startswith("#")] == declared


def test_every_package_that_is_imported_is_declared():
    declared = {name_of(requirement) for requirement in PROJECT["dependencies"]}
    for extra, requirements in PROJECT["optional-dependencies"].items():
        declared |= {name_of(requirement) for requirement in requirements if extra not in ("dev", "docs")}
    imported = {name.partition(".")[0] for path in PACKAGE.rglob("*.py") for name in imports(path)}
    strangers = imported - sys.stdlib_module_names - {"mdeas"} - BROUGHT
    assert {DISTRIBUTIONS.get(name, name).lower().replace("_", "-") for name in strangers} <= declared


def imports(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module


@pytest.fixture
def archives(tmp_path, monkeypatch):
    """The names in the wheel and in the source archive, each without its first folder of the repository."""
    monkeypatch.chdir(ROOT)
    with (
        zipfile.ZipFile(tmp_path / build.build_wheel(str(tmp_path))) as wheel,
        tarfile.open(tmp_path / build.build_sdist(str(tmp_path))) as source,
    ):
        yield set(wheel.namelist()), {name.partition("/")[2] for name in source.getnames()}
    assert max(path.stat().st_size for path in tmp_path.iterdir()) < 6_000_000


def test_the_archives_hold_the_whole_package(archives):
    wheel, source = archives
    files = (path for path in PACKAGE.rglob("*") if path.is_file() and path.suffix != ".pyc")
    package = {path.relative_to(ROOT).as_posix() for path in files}
    assert {name.removeprefix("src/") for name in package} <= wheel
    assert package <= source
    assert {"mdeas/py.typed", "mdeas/weights/default.onnx", "mdeas/train/recipes/twin.yaml"} <= wheel
    assert "LICENSE" in {Path(name).name for name in wheel}
    assert not [name for name in wheel if not name.startswith(("mdeas/", "mdeas-"))]
