"""ONNX Runtime is imported without its telemetry."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import tiny_model

ROOT = Path(__file__).parents[2]

PREDICT = """
import sys
import numpy as np
import mdeas
photo = np.zeros((40, 50, 3), np.uint8)
mdeas.load(sys.argv[1], device="cpu", threads=1).predict(photo, photo + 9)
"""


def run(code: str, *words: str, **environment: str) -> str:
    """Run Python code as if the user had set neither the cache folder nor ONNX Runtime's variable."""
    inherited = {k: v for k, v in os.environ.items() if k not in ("XDG_CACHE_HOME", "ORT_DISABLE_TELEMETRY")}
    command = [sys.executable, "-c", code, *words]
    return subprocess.run(
        command, env=inherited | environment, check=True, capture_output=True, text=True
    ).stdout


def test_a_prediction_leaves_no_file_in_the_home_and_the_temporary_folder(tmp_path):
    model = tmp_path / "model.onnx"
    model.write_bytes(tiny_model.model_bytes())
    folders = {"HOME": tmp_path / "home", "TMPDIR": tmp_path / "temporary"}
    for folder in folders.values():
        folder.mkdir()
    run(PREDICT, str(model), **{name: str(folder) for name, folder in folders.items()})
    assert [path for folder in folders.values() for path in folder.rglob("*")] == []


@pytest.mark.parametrize(("before", "after"), [({}, "1"), ({"ORT_DISABLE_TELEMETRY": "0"}, "0")])
def test_the_users_own_setting_is_kept(tmp_path, before, after):
    code = "from mdeas.system.optional import import_onnxruntime; import_onnxruntime(); "
    code += "import os; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    folders = {"HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    assert run(code, **folders, **before).strip() == after


def test_onnxruntime_is_imported_in_one_place():
    importing = re.compile(r"^\s*(import|from) onnxruntime", re.MULTILINE)
    files = [path for folder in ("src", "benchmarks") for path in (ROOT / folder).rglob("*.py")]
    assert files and not [path for path in files if importing.search(path.read_text())]
